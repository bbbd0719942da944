import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeFileAtomically, writeFolderAtomically } from "./atomic-write.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-atomic-"));
});
afterAll(() => rm(folder, { recursive: true }));

it("keeps two writes of one file at the same time apart: the last to end is there, whole", async () => {
  const path = join(folder, "file");
  const chunksOf = (letter: string): Buffer[] =>
    Array.from({ length: 64 }, () => Buffer.alloc(4096, letter));
  await Promise.all(["a", "b", "c"].map((letter) => writeFileAtomically(path, chunksOf(letter))));
  const letters = new Set(await readFile(path, "utf8"));
  expect(letters.size).toBe(1);
  expect(await readdir(folder)).toEqual(["file"]);
});

it("leaves what was there, and nothing beside it, where filling a folder fails", async () => {
  const path = join(folder, "whole");
  await writeFolderAtomically(path, (inner) =>
    writeFileAtomically(join(inner, "file"), [Buffer.from("first")]),
  );
  const failing = writeFolderAtomically(path, () => Promise.reject(new Error("half way")));
  await expect(failing).rejects.toThrow(/what was there before is untouched/i);
  expect(await readFile(join(path, "file"), "utf8")).toBe("first");
  expect(await readdir(folder)).toEqual(["file", "whole"]);
});
