import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CheckpointError } from "@diptych/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findModel } from "./find-model.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "diptych-find-"));
});
afterAll(() => rm(root, { recursive: true }));

describe("findModel", () => {
  it("takes what exists as a path", async () => {
    expect(await findModel(root)).toBe(root);
  });

  it("starts relative paths where it is told to", async () => {
    await mkdir(join(root, "runs/a/model"), { recursive: true });
    const here = { baseDir: root };
    expect(await findModel("runs/a/model", here)).toBe(join(root, "runs/a/model"));
    expect(await findModel(root, { baseDir: tmpdir() })).toBe(root);
    await expect(findModel("./runs/b/model", here)).rejects.toThrow(`Check the path from ${root};`);
    const named = findModel("runs/b", { ...here, cacheDir: root, offline: true });
    await expect(named).rejects.toThrow(`expected a path from ${root} (nothing is there)`);
  });

  it("does not take a mistyped path for a name", async () => {
    for (const path of ["./modle", "/nowhere/model", "runs/a/model.safetensors"])
      await expect(findModel(path)).rejects.toThrow(/expected a folder or file of a model there/);
  });

  it("says of a name that is neither here nor to be asked for what it looked for", async () => {
    const missing = findModel("someone/some-model", { cacheDir: root, offline: true });
    await expect(missing).rejects.toBeInstanceOf(CheckpointError);
    await expect(missing).rejects.toThrow(/a path from .*nothing is there.*offline.*diptych pull/);
    await expect(findModel("what is this?", { cacheDir: root })).rejects.toThrow(
      /openai\/clip-vit-base-patch32/,
    );
  });
});
