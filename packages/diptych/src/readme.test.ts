import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodePng } from "@diptych/data";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { convertModel } from "./convert-model.js";
import { loadClip } from "./load-clip.js";
import { writeTinyModel } from "./tiny-model.test-support.js";

const REPOSITORY = "openai/clip-vit-base-patch32";
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

let root: string;
let server: Server;

/** A hub on this machine with a small model under the README's name. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "diptych-readme-"));
  await writeTinyModel(join(root, "own"));
  const folder = join(root, "hub-model");
  await convertModel(join(root, "own"), folder, { format: "hugging-face" });
  const names = await readdir(folder);
  const files = await Promise.all(
    names.map(async (path) => ({ path, content: await readFile(join(folder, path)) })),
  );
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://x");
    const file = files.find(({ path }) => pathname === `/${REPOSITORY}/resolve/${COMMIT}/${path}`);
    if (file) response.end(file.content);
    else if (pathname.startsWith(`/api/models/${REPOSITORY}/tree/`)) response.end(listing(files));
    else if (pathname.startsWith(`/api/models/${REPOSITORY}/`))
      response.end(JSON.stringify({ id: REPOSITORY, sha: COMMIT }));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  vi.stubEnv("HF_ENDPOINT", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv("DIPTYCH_CACHE", join(root, "cache"));
  const data = Uint8Array.from({ length: 20 * 30 * 3 }, (_, i) => (i * 37) % 256);
  for (const name of ["cat.png", "a.jpg", "b.png"])
    await writeFile(
      join(root, name),
      await encodePng({ width: 30, height: 20, channels: 3, data }),
    );
});
afterAll(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(root, { recursive: true });
});

function listing(files: readonly { readonly path: string; readonly content: Buffer }[]): string {
  return JSON.stringify(
    files.map(({ path, content }) => ({
      type: "file",
      path,
      size: content.length,
      oid: createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex"),
    })),
  );
}

type AsyncFunctionConstructor = new (
  ...code: string[]
) => (...values: unknown[]) => Promise<unknown>;
const AsyncFunction = (async () => undefined).constructor as AsyncFunctionConstructor;

it("the README's three lines and what follows them do what they say", async () => {
  const readme = await readFile(join(import.meta.dirname, "../../../README.md"), "utf8");
  const section = readme.slice(readme.indexOf("## Embed in three lines"));
  const blocks = [...section.matchAll(/```ts\n([^]*?)```/g)].slice(0, 2).map(([, code]) => code!);
  expect(blocks[0]?.trim().split("\n")).toHaveLength(3);
  const code = blocks
    .join("\n")
    .replace(/^import .*$/m, "")
    .replace(/"([\w-]+\.(?:png|jpg)|for-browsers)"/g, (_, name: string) =>
      JSON.stringify(join(root, name)),
    );
  const printed: unknown[] = [];
  const names = ["loadClip", "console", `${code}\nreturn { images, texts, cosines };`];
  const found = (await new AsyncFunction(...names)(loadClip, {
    log: (value: unknown) => printed.push(value),
  })) as Record<"images" | "texts" | "cosines", { shape: number[]; data: Float32Array }>;
  const [ranked] = printed as [{ label: string; probability: number }[]];
  expect(ranked.map(({ label }) => label).sort()).toEqual(["cat", "cup of coffee", "dog"]);
  expect(ranked.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 6);
  expect(found.images.shape).toEqual([2, 8]);
  expect(found.cosines.shape).toEqual([2, 2]);
  expect(Math.hypot(...found.texts.data.subarray(0, 8))).toBeCloseTo(1, 5);
  expect((await readdir(join(root, "for-browsers", "onnx"))).sort()).toEqual([
    "model.onnx",
    "model_int8.onnx",
    "text_model.onnx",
    "text_model_int8.onnx",
    "vision_model.onnx",
    "vision_model_int8.onnx",
  ]);
});
