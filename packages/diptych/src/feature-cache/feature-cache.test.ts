import { execFile } from "node:child_process";
import {
  cp,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "vite";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hostTensorFrom, type HostTensor } from "@diptych/core";
import { createReferenceBackend } from "@diptych/core/reference";
import { weightsFingerprint } from "../fingerprint.js";
import { readModel, type LoadedModel } from "../read-model.js";
import { writeTinyModel } from "../tiny-model.test-support.js";
import { createFeatureCache } from "./feature-cache.js";
import { modelIdentity } from "./model-identity.js";

let folder = "";
let loaded: LoadedModel;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-features-"));
  await writeTinyModel(join(folder, "model"));
  loaded = await readModel(join(folder, "model"));
});
afterAll(() => rm(folder, { recursive: true }));

const features = (...values: number[]): ReadonlyMap<string, HostTensor> =>
  new Map<string, HostTensor>([
    ["images", hostTensorFrom("float32", [values.length, 1], values)],
    ["imageSample", hostTensorFrom("int32", [values.length], values.map(Math.round))],
  ]);
const key = { what: "dataset", content: "abc" };

describe("feature cache", () => {
  let place = "";
  const open = (
    options: { model?: string; maxBytes?: number; log?: (text: string) => void } = {},
  ) => createFeatureCache({ folder: place, model: "m", ...options });
  let count = 0;
  beforeEach(() => {
    place = join(folder, `cache${(count += 1)}`);
  });
  const onlyFile = async (): Promise<string> => join(place, (await readdir(place))[0] ?? "");

  it("gives back what was written under the same key, and nothing under another", async () => {
    const cache = open();
    expect(await cache.read(key)).toBeUndefined();
    await cache.write(key, features(1.5, 2));
    const found = await open().read(key);
    expect(found?.get("images")).toEqual(features(1.5, 2).get("images"));
    expect(found?.get("imageSample")).toEqual(features(1.5, 2).get("imageSample"));
    expect(await cache.read({ ...key, content: "abd" })).toBeUndefined();
    expect(await cache.read({ ...key, what: "prompts" })).toBeUndefined();
    expect(await open({ model: "n" }).read(key)).toBeUndefined();
  });

  it.each([
    ["truncated in its values", (path: string, size: number) => truncate(path, size - 3)],
    ["truncated in its header", (path: string) => truncate(path, 20)],
    ["empty", (path: string) => truncate(path, 0)],
    ["another file", (path: string) => writeFile(path, "no features at all")],
    [
      "changed in a bit",
      async (path: string, size: number) => {
        const bytes = await readFile(path);
        bytes[size - 2] = (bytes[size - 2] ?? 0) ^ 1;
        await writeFile(path, bytes);
      },
    ],
  ])("takes an entry that is %s for none, and mends it", async (_, damage) => {
    const cache = open();
    await cache.write(key, features(1, 2, 3));
    const path = await onlyFile();
    await damage(path, (await stat(path)).size);
    expect(await cache.read(key)).toBeUndefined();
    await cache.write(key, features(4));
    expect((await cache.read(key))?.get("images")?.data[0]).toBe(4);
  });

  it("drops what was not used for longest", async () => {
    const named = (content: string) => ({ what: "dataset", content });
    const large = open();
    await large.write(named("a"), features(1));
    const { size } = await stat(await onlyFile());
    const cache = open({ maxBytes: 2 * size + 10 });
    await cache.write(named("b"), features(2));
    for (const file of await readdir(place)) await utimes(join(place, file), 1, 1);
    expect(await cache.read(named("a"))).toBeDefined();
    await cache.write(named("c"), features(3));
    expect(await cache.read(named("a"))).toBeDefined();
    expect(await cache.read(named("b"))).toBeUndefined();
    expect(await cache.read(named("c"))).toBeDefined();
  });

  it("says that it cannot write, and does not stop the evaluation", async () => {
    await writeFile(place, "a file where the folder should be");
    const said: string[] = [];
    await open({ log: (text) => said.push(text) }).write(key, features(1));
    expect(said.join()).toMatch(/^features are not cached: .+/);
    expect(await open().read(key)).toBeUndefined();
  });

  it("is shared by processes", async () => {
    const script = await bundle("cache-child.test-support.ts");
    const run = (seed: string) => promisify(execFile)(process.execPath, [script, place, "m", seed]);
    await Promise.all([run("0"), run("1000")]);
    expect(await open().read({ what: "dataset", content: "c" })).toBeDefined();
    expect(await readdir(place)).toHaveLength(1);
  });
});

describe("identity of a model", () => {
  const backend = createReferenceBackend();
  const identify = (
    change: Partial<LoadedModel> = {},
    options: Partial<Parameters<typeof modelIdentity>[1]> = {},
  ) => modelIdentity({ ...loaded, ...change }, { backend, ...options });

  it("is that of the same model read again", async () => {
    expect(modelIdentity(await readModel(join(folder, "model")), { backend })).toBe(identify());
  });

  it("changes with a weight, the preparation, the precision, the backend and the tokenizer", () => {
    const [name = ""] = loaded.parameters.keys();
    const tensor = loaded.parameters.get(name) as HostTensor;
    const values = Array.from(tensor.data);
    values[0] = (values[0] ?? 0) + 1e-6;
    const changed = hostTensorFrom("float32", tensor.shape, values);
    const parameters = new Map([...loaded.parameters, [name, changed] as const]);
    const found = [
      identify(),
      identify({ parameters }),
      identify({ pictures: { ...loaded.pictures, mean: [0.5, 0.4, 0.31] } }),
      identify({}, { images: { resize: "fast" } }),
      identify({}, { precision: "float16" }),
      identify({}, { backend: { ...backend, describe: () => "another" } }),
      identify({ tokenizer: { ...loaded.tokenizer, toJSON: () => ({ type: "other" }) } }),
    ];
    expect(new Set(found).size).toBe(found.length);
  });

  it("changes with what weights do not say", async () => {
    const other = join(folder, "other");
    await cp(join(folder, "model"), other, { recursive: true });
    const files = await readdir(other);
    for (const file of files.filter((name) => name.endsWith(".json"))) {
      const text = await readFile(join(other, file), "utf8");
      await writeFile(join(other, file), text.replace(/"heads": ?2/, '"heads": 4'));
    }
    const changed = await readModel(other);
    expect(weightsFingerprint(changed.parameters)).toBe(weightsFingerprint(loaded.parameters));
    expect(modelIdentity(changed, { backend })).not.toBe(identify());
  });
});

/** A source file as JavaScript in the package's ignored test-results folder: processes of tests cannot load TypeScript. */
async function bundle(source: string): Promise<string> {
  const outDir = fileURLToPath(new URL("../../test-results/children", import.meta.url));
  await build({
    configFile: false,
    logLevel: "error",
    ssr: { noExternal: [/^@diptych\//] },
    resolve: { conditions: ["diptych-source", "node"] },
    build: {
      ssr: fileURLToPath(new URL(source, import.meta.url)),
      outDir,
      emptyOutDir: false,
      rolldownOptions: { output: { entryFileNames: "cache-child.mjs" } },
    },
  });
  return join(outDir, "cache-child.mjs");
}
