import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { newPlugin } from "./new-plugin.js";
import { FOREIGN, PACKAGE_LIST, ZOD } from "./plugin-dependencies.js";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const version = "0.1.0";
const emptyFolder = (): Promise<string> => mkdtemp(join(tmpdir(), "diptych-new-"));
const readJson = async (path: string): Promise<Record<string, Record<string, string>>> =>
  JSON.parse(await readFile(path, "utf8")) as Record<string, Record<string, string>>;

describe("a new plugin", () => {
  it("is what examples/method-from-outside holds", async () => {
    const out = await emptyFolder();
    const files = await newPlugin({ name: "outside", out, version });
    expect(files).toContain(".npmrc");
    for (const file of files) {
      const example = join(ROOT, "examples", "method-from-outside", file);
      expect(await readFile(join(out, file), "utf8"), file).toBe(await readFile(example, "utf8"));
    }
  });

  it("is a tower and a loss in under 60 lines of code", async () => {
    const out = await emptyFolder();
    await newPlugin({ name: "short", out, version });
    const lines = (await readFile(join(out, "src", "index.ts"), "utf8")).split("\n");
    const code = lines.filter((line) => line.trim() !== "" && !line.startsWith("/**"));
    expect(code.length).toBeLessThan(60);
  });

  it("carries its name into package, types and identifiers", async () => {
    const out = join(await emptyFolder(), "deeper", "still");
    await newPlugin({ name: "hard-negatives-2", out, version });
    expect((await readJson(join(out, "package.json")))["name"]).toBe("hard-negatives-2");
    const source = await readFile(join(out, "src", "index.ts"), "utf8");
    expect(source).toContain('partConstructor("hard-negatives-2-mixer"');
    expect(source).toContain("export const hardNegatives2Plugin");
    for (const file of await readdir(out, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      expect(await readFile(join(file.parentPath, file.name), "utf8")).not.toContain("{{");
    }
  });

  it("asks for the versions of foreign packages that this repository is tested with", async () => {
    const root = (await readJson(join(ROOT, "package.json")))["devDependencies"] ?? {};
    expect(FOREIGN).toEqual(
      Object.fromEntries(Object.keys(FOREIGN).map((name) => [name, root[name]])),
    );
    const core = (await readJson(join(ROOT, "packages", "core", "package.json")))["dependencies"];
    expect(core?.["zod"]).toBe(ZOD);
  });

  it("takes Diptych from a folder of tarballs", async () => {
    const folder = await emptyFolder();
    const names = ["@diptych/core", "@diptych/nn", "@diptych/cli", "@diptych/testing", "diptych"];
    const list = Object.fromEntries(names.map((name, i) => [name, `${i}.tgz`]));
    for (const file of Object.values(list)) await writeFile(join(folder, file), "");
    await writeFile(join(folder, PACKAGE_LIST), JSON.stringify(list));
    const out = join(folder, "plugins", "mine");
    await newPlugin({ name: "mine", out, version, packages: folder });
    const { devDependencies } = await readJson(join(out, "package.json"));
    expect(devDependencies).toMatchObject({
      "@diptych/core": "file:../../0.tgz",
      diptych: "file:../../4.tgz",
    });
  });
});

describe("refused", () => {
  it.each(["", "Big", "a b", "2fast", "../up", "trailing-", "@scope/name"])(
    "is the name %j",
    async (name) => {
      await expect(newPlugin({ name, out: await emptyFolder(), version })).rejects.toThrow(
        /name: expected small letters, digits and dashes/,
      );
    },
  );

  it("is a folder that holds something, which stays as it is; .git may be there", async () => {
    const out = await emptyFolder();
    await mkdir(join(out, ".git"));
    await writeFile(join(out, "thesis.tex"), "years of work");
    await expect(newPlugin({ name: "mine", out, version })).rejects.toThrow(
      /expected an empty folder, got one with thesis.tex/,
    );
    expect(await readdir(out)).toEqual([".git", "thesis.tex"]);
    const fresh = await emptyFolder();
    await mkdir(join(fresh, ".git"));
    await newPlugin({ name: "mine", out: fresh, version });
  });

  it("is a folder without tarballs, or with some missing, before anything is written", async () => {
    const out = await emptyFolder();
    const packages = await emptyFolder();
    const attempt = (): Promise<unknown> => newPlugin({ name: "mine", out, version, packages });
    await expect(attempt()).rejects.toThrow(/with packages\.json, got none.*npm run pack/);
    await writeFile(join(packages, PACKAGE_LIST), JSON.stringify({ diptych: "gone.tgz" }));
    await expect(attempt()).rejects.toThrow(/got none of @diptych\/core, .*diptych\. Make/);
    expect(await readdir(out)).toEqual([]);
  });
});
