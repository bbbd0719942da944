import { execFile } from "node:child_process";
import { readdir, readFile, rm, mkdtemp, stat, writeFile, chmod, mkdir } from "node:fs/promises";
import { tmpdir, hostname } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { isDiptychError } from "@diptych/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  bytes,
  COMMIT,
  inTurn,
  patterned,
  redirect,
  serveRepository,
  sha256Of,
  startServer,
  status,
  type TestServer,
} from "./hub-server.test-support.js";
import { findPulledModel, pullModel, type PulledModel, type PullOptions } from "./pull-model.js";

let cacheDir: string;
let server: TestServer;
let store: TestServer;
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "diptych-hub-"));
  server = await startServer();
  store = await startServer();
});
afterEach(async () => {
  await server.close();
  await store.close();
  await rm(cacheDir, { recursive: true, force: true });
});

const pull = (name: string, options: PullOptions = {}): Promise<PulledModel> =>
  pullModel(name, {
    cacheDir,
    endpoint: server.url,
    retry: { attempts: 3, delayMs: 1, silenceMs: 2000 },
    ...options,
  });

async function message(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    expect(isDiptychError(error, "CHECKPOINT"), String(error)).toBe(true);
    return (error as Error).message;
  }
  throw new Error("expected a failure");
}

const holds = async (path: string, content: Uint8Array): Promise<boolean> =>
  (await readFile(path)).equals(content);

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const weights = patterned(300_000);
const config = text('{"model_type":"clip"}');
const REPO = "openai/clip-vit-base-patch32";

function serveClip(): void {
  serveRepository(server, {
    repo: REPO,
    files: { "config.json": config, "README.md": text("read me"), "merges.txt": text("a b") },
    large: {
      "model.safetensors": weights,
      "pytorch_model.bin": patterned(9),
      "tf_model.h5": patterned(8),
    },
    store,
  });
}

const parts = async (): Promise<string[]> =>
  (await readdir(join(cacheDir, "parts")).catch(() => [])).filter((name) => name.endsWith(".part"));

describe("a repository", () => {
  it("gives a folder with the files that are needed and no others", async () => {
    serveClip();
    const model = await pull(REPO);
    expect((await readdir(model.path)).sort()).toEqual([
      "config.json",
      "merges.txt",
      "model.safetensors",
    ]);
    expect(await holds(join(model.path, "model.safetensors"), weights)).toBe(true);
    expect(model.commit).toBe(COMMIT);
    expect(model.files.find(({ path }) => path.endsWith(".safetensors"))).toEqual({
      path: join(model.path, "model.safetensors"),
      size: weights.length,
      sha256: sha256Of(weights),
    });
    expect(await parts()).toEqual([]);
  });

  it("is found again without a network, by every spelling and by its commit", async () => {
    serveClip();
    const { path } = await pull(REPO);
    const asked = server.seen.length + store.seen.length;
    expect((await pull(REPO)).path).toBe(path);
    expect((await pull(`hf-hub:${REPO}`, { offline: true })).path).toBe(path);
    expect((await pull(`https://huggingface.co/${REPO}/tree/main`, { offline: true })).path).toBe(
      path,
    );
    expect(await findPulledModel(`${REPO}@${COMMIT}`, { cacheDir })).toBe(path);
    expect(await findPulledModel("openai/other", { cacheDir })).toBeUndefined();
    expect(await findPulledModel("./some/folder", { cacheDir })).toBeUndefined();
    expect(server.seen.length + store.seen.length).toBe(asked);
  });

  it("offline, what is not here is refused without asking", async () => {
    serveClip();
    vi.stubEnv("DIPTYCH_OFFLINE", "1");
    try {
      expect(await message(pull(REPO))).toMatch(/network is not to be asked.*diptych pull openai/s);
      expect(await message(pull(REPO, { refresh: true }))).toContain("offline");
    } finally {
      vi.unstubAllEnvs();
    }
    expect(server.seen).toEqual([]);
  });

  it("is fetched again where a file was deleted or cut, and only that file", async () => {
    serveClip();
    const { path } = await pull(REPO);
    await rm(join(path, "model.safetensors"));
    await rm(join(cacheDir, "blobs", sha256Of(weights)));
    expect(await findPulledModel(REPO, { cacheDir })).toBeUndefined();
    await pull(REPO);
    expect(await holds(join(path, "model.safetensors"), weights)).toBe(true);
    expect(store.of(`/store/${sha256Of(weights)}`)).toHaveLength(2);
  });

  it("refresh follows the revision, and mends bytes that changed on the disk", async () => {
    serveClip();
    const first = await pull(REPO);
    const blob = join(cacheDir, "blobs", sha256Of(weights));
    await chmod(blob, 0o644);
    await writeFile(blob, patterned(weights.length, 7));
    const next = "f".repeat(40);
    serveRepository(server, {
      repo: REPO,
      files: { "config.json": text('{"new":1}') },
      large: { "model.safetensors": weights },
      commit: next,
      store,
    });
    expect((await pull(REPO)).commit).toBe(COMMIT);
    const second = await pull(REPO, { refresh: true });
    expect(second.commit).toBe(next);
    expect(second.path).not.toBe(first.path);
    expect(await holds(join(second.path, "model.safetensors"), weights)).toBe(true);
    expect((await pull(`${REPO}@${COMMIT}`, { offline: true })).path).toBe(first.path);
  });

  it("takes a revision, also one with slashes", async () => {
    serveRepository(server, {
      repo: REPO,
      large: { "model.safetensors": weights },
      revision: "refs/pr/12",
    });
    expect((await pull(`${REPO}@refs/pr/12`)).commit).toBe(COMMIT);
    expect(await findPulledModel(REPO, { cacheDir })).toBeUndefined();
  });

  it("takes all shards with their index, and open_clip's own files before others", async () => {
    const index = text("{}");
    const shard = (n: number): string => `model-0000${n}-of-00002.safetensors`;
    serveRepository(server, {
      repo: "a/sharded",
      files: { "config.json": config, "model.safetensors.index.json": index },
      large: {
        [shard(1)]: patterned(50, 1),
        [shard(2)]: patterned(60, 2),
        "pytorch_model.bin": weights,
      },
    });
    expect(await readdir((await pull("a/sharded")).path)).toEqual([
      "config.json",
      shard(1),
      shard(2),
      "model.safetensors.index.json",
    ]);
    serveRepository(server, {
      repo: "a/halved",
      files: { "config.json": config, "model.safetensors.index.json": index },
      large: { [shard(2)]: patterned(60, 2) },
    });
    expect(await message(pull("a/halved"))).toMatch(/all 2 shards .*got 1/);
    serveRepository(server, {
      repo: "laion/both",
      files: { "open_clip_config.json": text("{}"), "config.json": config },
      large: { "open_clip_pytorch_model.bin": patterned(40), "pytorch_model.bin": weights },
    });
    expect(await readdir((await pull("laion/both")).path)).toEqual([
      "config.json",
      "open_clip_config.json",
      "open_clip_pytorch_model.bin",
    ]);
    serveRepository(server, { repo: "a/tensorflow", large: { "tf_model.h5": patterned(4) } });
    expect(await message(pull("a/tensorflow"))).toMatch(/expected weights .*got tf_model\.h5/);
  });

  it("sends the token to the hub, and not to the store that it redirects to", async () => {
    serveClip();
    vi.stubEnv("HF_TOKEN", "hf_secret");
    try {
      await pull(REPO);
    } finally {
      vi.unstubAllEnvs();
    }
    expect(new Set(server.seen.map(({ authorization }) => authorization))).toEqual(
      new Set(["Bearer hf_secret"]),
    );
    expect(store.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
    expect(await message(pull(REPO, { token: "abc", refresh: true }))).toMatch(/starts with "hf_"/);
  });

  it.each([
    [401, /private or gated.*HF_TOKEN/s],
    [403, /accept its terms/],
    [404, /Check the name/],
  ])("status %d says what to do", async (code, expected) => {
    server.on(`/api/models/${REPO}/revision/main`, status(code));
    const said = await message(pull(REPO));
    expect(said).toMatch(expected);
    expect(said).toContain(`${server.url}/api/models/${REPO}`);
    expect(server.seen).toHaveLength(1);
  });

  it("tries again after statuses that pass, and gives up after some", async () => {
    serveClip();
    const lines: string[] = [];
    const ok = bytes(config);
    server.on(
      `/${REPO}/resolve/${COMMIT}/config.json`,
      inTurn([status(500), status(429, { "retry-after": "0" })], ok),
    );
    await pull(REPO, { log: (line) => lines.push(line) });
    expect(lines).toEqual([
      expect.stringContaining("status 500"),
      expect.stringContaining("status 429"),
    ]);
    server.on("/api/models/a/b/revision/main", status(503));
    expect(await message(pull("a/b"))).toMatch(
      /expected an answer from 127\.0\.0\.1:\d+, got: status 503/,
    );
    expect(server.of("/api/models/a/b/revision/main")).toHaveLength(3);
  });

  it("a hub that answers with something else, and none at all", async () => {
    server.on("/api/models/a/b/revision/main", bytes(text("<html>")));
    expect(await message(pull("a/b"))).toContain("Check HF_ENDPOINT");
    server.on("/api/models/a/c/revision/main", bytes(text('{"sha":"../../etc"}')));
    expect(await message(pull("a/c"))).toContain("expected the hub to name a commit");
    const url = server.url;
    await server.close();
    expect(await message(pull("a/d", { endpoint: url }))).toMatch(
      /ECONNREFUSED.*Check the network/,
    );
    server = await startServer();
  });
});

describe("one file", () => {
  const file = (): string => `${server.url}/some/model.pt`;
  const named = (content: Uint8Array): string => `${file()}#sha256=${sha256Of(content)}`;

  it("is pulled from any address, checked and found again", async () => {
    server.on("/some/model.pt", bytes(weights));
    const { path, files, commit } = await pull(named(weights));
    expect(path.endsWith("model.pt")).toBe(true);
    expect(await holds(path, weights)).toBe(true);
    expect([files.length, commit]).toEqual([1, null]);
    expect(await findPulledModel(named(weights), { cacheDir })).toBe(path);
  });

  it("keeps one content once, under as many names as there are", async () => {
    server.on("/some/model.pt", bytes(weights));
    server.on("/other/copy.pt", bytes(weights));
    const [a, b] = [await pull(file()), await pull(`${server.url}/other/copy.pt`)];
    expect(await readdir(join(cacheDir, "blobs"))).toEqual([sha256Of(weights)]);
    expect(a.path).not.toBe(b.path);
    await pull(`${server.url}/nowhere/else.pt#sha256=${sha256Of(weights)}`);
    expect(server.of("/nowhere/else.pt")).toEqual([]);
  });

  it("goes on where a connection broke, asking for the rest of the same content", async () => {
    server.on("/some/model.pt", bytes(weights, { etag: '"v1"', dropAfter: [100_000, 50_000] }));
    const { path } = await pull(file());
    expect(await holds(path, weights)).toBe(true);
    const [first, second, third] = server.of("/some/model.pt");
    expect(first?.range).toBeUndefined();
    expect(second).toMatchObject({ range: "bytes=100000-", ifRange: '"v1"' });
    expect(third).toMatchObject({ range: "bytes=150000-" });
  });

  it("starts again where the server ignores the range, or has other content by now", async () => {
    server.on(
      "/some/model.pt",
      bytes(weights, { etag: '"v1"', ignoreRange: true, dropAfter: [100_000] }),
    );
    expect(await holds((await pull(named(weights))).path, weights)).toBe(true);
    const other = patterned(200_000, 5);
    server.on(
      "/two.pt",
      inTurn(
        [bytes(weights, { etag: '"v1"', dropAfter: [90_000] })],
        bytes(other, { etag: '"v2"' }),
      ),
    );
    expect(await holds((await pull(`${server.url}/two.pt`)).path, other)).toBe(true);
  });

  it("starts again where two halves of known content do not fit", async () => {
    const broken = patterned(300_000, 3);
    server.on("/some/model.pt", inTurn([bytes(broken, { dropAfter: [120_000] })], bytes(weights)));
    const lines: string[] = [];
    const { path } = await pull(named(weights), { log: (line) => lines.push(line) });
    expect(await holds(path, weights)).toBe(true);
    expect(lines.at(-1)).toContain("starting again");
    expect(server.of("/some/model.pt").map(({ range }) => range)).toEqual([
      undefined,
      "bytes=120000-",
      undefined,
    ]);
  });

  it("names both hashes of wrong bytes and keeps none of them", async () => {
    const wrong = patterned(300_000, 2);
    server.on("/some/model.pt", bytes(wrong));
    const said = await message(pull(named(weights)));
    expect(said).toContain(sha256Of(weights));
    expect(said).toContain(sha256Of(wrong));
    expect(await parts()).toEqual([]);
    expect(await findPulledModel(named(weights), { cacheDir })).toBeUndefined();
  });

  it("checks small files of a repository by their git name, and sizes", async () => {
    serveClip();
    server.on(`/${REPO}/resolve/${COMMIT}/config.json`, bytes(text('{"model_type":"clap"}')));
    expect(await message(pull(REPO))).toMatch(
      /config\.json: expected git object [0-9a-f]{40}, got/,
    );
    server.on(
      `/${REPO}/resolve/${COMMIT}/config.json`,
      bytes(text("{}        and more than was said")),
    );
    expect(await message(pull(REPO))).toMatch(/config\.json: expected 21 bytes, got/);
  });

  it("takes hash and size of a hub's own address from its redirect", async () => {
    store.on("/big", bytes(patterned(1000, 9)));
    server.on(
      "/o/n/resolve/main/model.safetensors",
      redirect(`${store.url}/big`, { "x-linked-etag": `"${sha256Of(weights)}"` }),
    );
    expect(await message(pull(`${server.url}/o/n/resolve/main/model.safetensors`))).toContain(
      sha256Of(weights),
    );
  });

  it("resumes what an interrupted pull left, in another call", async () => {
    const stop = new AbortController();
    server.on(
      "/some/model.pt",
      inTurn(
        [
          (_request, response) => {
            response.writeHead(200, { "content-length": weights.length, etag: '"v1"' });
            response.write(weights.subarray(0, 70_000));
          },
        ],
        bytes(weights, { etag: '"v1"' }),
      ),
    );
    const stopped = pull(file(), {
      signal: stop.signal,
      onProgress: ({ bytes: here }) => here === 70_000 && setTimeout(() => stop.abort(), 20),
    });
    await expect(stopped).rejects.toMatchObject({ name: "AbortError" });
    expect(await parts()).toHaveLength(1);
    const seen: number[] = [];
    const { path } = await pull(file(), { onProgress: ({ bytes: here }) => seen.push(here) });
    expect(await holds(path, weights)).toBe(true);
    expect(seen[0]).toBe(70_000);
    expect(server.of("/some/model.pt").at(-1)?.range).toBe("bytes=70000-");
    expect(await parts()).toEqual([]);
  });

  it("takes over the part of a dead process, and leaves that of a living one alone", async () => {
    server.on("/some/model.pt", bytes(weights, { etag: '"v1"' }));
    const key = sha256Of(weights);
    const host = hostname().replace(/[^\w-]/g, "_");
    const folder = join(cacheDir, "parts");
    await mkdir(folder, { recursive: true });
    // The parent of this process lives; a process that has ended does not.
    // Written as text: what -p prints is coloured where FORCE_COLOR is set.
    const script = "process.stdout.write(String(process.pid))";
    const { stdout: ended } = await promisify(execFile)(process.execPath, ["-e", script]);
    const living = `${key}.${host}.${process.ppid}.a.part`;
    await writeFile(join(folder, living), weights.subarray(0, 200_000));
    await writeFile(join(folder, `${key}.${host}.${ended}.b.part`), weights.subarray(0, 60_000));
    await pull(named(weights));
    expect(server.of("/some/model.pt").map(({ range }) => range)).toEqual(["bytes=60000-"]);
    expect(await parts()).toEqual([living]);
    expect((await stat(join(folder, living))).size).toBe(200_000);
  });

  it("many pulls of one file at once all end with the right bytes", async () => {
    server.on(
      "/some/model.pt",
      bytes(weights, { etag: '"v1"', dropAfter: [10_000, 20_000, 30_000] }),
    );
    const models = await Promise.all(Array.from({ length: 8 }, () => pull(named(weights))));
    expect(new Set(models.map(({ path }) => path)).size).toBe(1);
    expect(await holds(models[0]!.path, weights)).toBe(true);
    expect(await parts()).toEqual([]);
  });

  it("does not wait for a silent server for ever", async () => {
    server.on(
      "/some/model.pt",
      inTurn(
        [
          (_request, response) => {
            response.writeHead(200, { "content-length": weights.length });
            response.write(weights.subarray(0, 1000));
          },
        ],
        bytes(weights),
      ),
    );
    const lines: string[] = [];
    await pull(named(weights), {
      retry: { attempts: 2, delayMs: 1, silenceMs: 100 },
      log: (line) => lines.push(line),
    });
    expect(lines).toEqual([expect.stringMatching(/nothing came for 0\.1 s/)]);
  });

  it("a slow server is no silent one", async () => {
    server.on("/some/model.pt", (_request, response) => {
      response.writeHead(200, { "content-length": 8 });
      let sent = 0;
      const timer = setInterval(() => {
        response.write(Uint8Array.of(sent++));
        if (sent === 8) {
          clearInterval(timer);
          response.end();
        }
      }, 40);
    });
    const { path } = await pull(file(), { retry: { attempts: 1, delayMs: 1, silenceMs: 200 } });
    expect([...(await readFile(path))]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("takes a body without a length, which a broken connection cannot pass for whole", async () => {
    server.on("/some/model.pt", bytes(weights, { chunked: true, dropAfter: [100_000] }));
    expect(await holds((await pull(file())).path, weights)).toBe(true);
  });

  it("refuses before the first byte what the disk has no room for", async () => {
    server.on("/some/model.pt", (_request, response) => {
      response.writeHead(200, { "content-length": 2 ** 52 });
      response.write("x");
    });
    expect(await message(pull(file()))).toMatch(/disk space for 4503\.60 TB more, got .* free/);
  });

  it("one failure ends the other downloads", async () => {
    serveClip();
    store.on(`/store/${sha256Of(weights)}`, (_request, response) => {
      response.writeHead(200, { "content-length": weights.length });
      response.write(weights.subarray(0, 1000));
    });
    server.on(`/${REPO}/resolve/${COMMIT}/config.json`, status(404));
    const begun = performance.now();
    expect(await message(pull(REPO, { retry: { silenceMs: 60_000 } }))).toContain("config.json");
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});

describe("OpenAI's models", () => {
  it("come from their own address by name, checked against the hash in it", async () => {
    const hash = "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af";
    server.on(`/${hash}/ViT-B-32.pt`, bytes(weights));
    for (const name of ["openai:ViT-B/32", "ViT-B/32", "vit-b-32"]) {
      const said = await message(pull(name, { openaiEndpoint: `${server.url}/` }));
      expect(said).toContain(`expected SHA-256 ${hash}, got ${sha256Of(weights)}`);
    }
    expect(server.of(`/${hash}/ViT-B-32.pt`)).toHaveLength(3);
  });
});
