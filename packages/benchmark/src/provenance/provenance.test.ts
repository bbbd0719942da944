import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { codeVersion } from "./code-version.js";
import { provenanceOf } from "./provenance.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-provenance-"));
});
afterEach(() => rm(folder, { recursive: true }));

const data = {
  name: "pictures",
  config: { absent: undefined },
  size: 3,
  fingerprint: null,
  note: "",
};

describe("provenanceOf", () => {
  test("is plain data, cut off from what it was made of", async () => {
    const mean = [0, 0, 0];
    const made = provenanceOf({
      code: { diptych: "0.1.0", node: "v20", commit: null, dirty: null },
      config: null,
      weights: "abc",
      trainData: null,
      testData: data,
      preprocessing: { mean },
      precision: "fp32",
      backend: "reference",
      seed: null,
      training: null,
      date: new Date(0),
    });
    mean[0] = 1;
    expect(made.preprocessing).toEqual({ mean: [0, 0, 0] });
    expect(made.date).toBe("1970-01-01T00:00:00.000Z");
    expect(made.testData.config).toStrictEqual({});
    expect(JSON.parse(JSON.stringify(made))).toStrictEqual(made);
  });
});

describe("codeVersion", () => {
  const git = (...parameters: readonly string[]): string =>
    execFileSync("git", ["-C", folder, ...parameters], { encoding: "utf8" }).trim();
  const hasGit = ((): boolean => {
    try {
      execFileSync("git", ["--version"]);
      return true;
    } catch {
      return false;
    }
  })();

  test("knows the versions, and no commit outside a repository", async () => {
    const manifest = await readFile(new URL("../../../diptych/package.json", import.meta.url));
    expect(await codeVersion({ folder })).toEqual({
      diptych: (JSON.parse(manifest.toString()) as { version: string }).version,
      node: process.version,
      commit: null,
      dirty: null,
    });
  });

  test("does without git", async () => {
    expect(await codeVersion({ git: join(folder, "no-such-program") })).toMatchObject({
      commit: null,
      dirty: null,
    });
  });

  test.skipIf(!hasGit)("knows the commit, and whether tracked files differ from it", async () => {
    git("init", "--quiet");
    await writeFile(join(folder, "a.ts"), "1");
    git("add", "a.ts");
    const author = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    git(...author, "commit", "--quiet", "--message", "one");
    const commit = git("rev-parse", "HEAD");
    await writeFile(join(folder, "untracked.ts"), "2");
    expect(await codeVersion({ folder })).toMatchObject({ commit, dirty: false });
    await writeFile(join(folder, "a.ts"), "3");
    expect(await codeVersion({ folder })).toMatchObject({ commit, dirty: true });
  });
});
