import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createComparison } from "./comparison.test-support.js";
import { readResults } from "./read-results.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-results-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

it("reads a comparison by its folder and by its file", async () => {
  const comparison = createComparison({ seeds: 1 });
  const file = join(folder, "comparison.json");
  await writeFile(file, JSON.stringify(comparison));
  expect(await readResults(folder)).toEqual(comparison);
  expect(await readResults(file)).toEqual(comparison);
});

it("says what it found instead", async () => {
  await expect(readResults(folder)).rejects.toThrow(
    "comparison.json or suite.json in it, got neither",
  );
  const file = join(folder, "suite.json");
  await writeFile(file, "{ broken");
  await expect(readResults(folder)).rejects.toThrow("got no JSON");
  await writeFile(file, JSON.stringify({ kind: "diptych-suite", version: 7 }));
  await expect(readResults(folder)).rejects.toThrow('got kind "diptych-suite", version 7');
  await writeFile(file, "null");
  await expect(readResults(folder)).rejects.toThrow('got kind "none", version "none"');
});
