/** `diptych pull` as a user runs it: child processes against a server that drops connections and is slow. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const BIN = fileURLToPath(new URL("../bin/diptych.js", import.meta.url));
const SECONDS = 1000;

const content = Buffer.alloc(400_000).map((_, i) => (i * 2654435761) >>> 13);
const hash = createHash("sha256").update(content).digest("hex");

let folder: string;
let server: Server;
let address: string;
let ranges: (string | undefined)[];
/** Bytes in a tick of 10 ms; a slow server leaves time for a signal. */
let pace: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-pull-"));
  ranges = [];
  pace = content.length;
  server = createServer((request, response) => {
    ranges.push(request.headers.range);
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(start > 0 ? 206 : 200, {
      etag: '"v1"',
      "content-length": content.length - start,
      "content-range": `bytes ${start}-${content.length - 1}/${content.length}`,
    });
    let at = start;
    const timer = setInterval(() => {
      response.write(content.subarray(at, at + pace));
      at += pace;
      if (at < content.length) return;
      clearInterval(timer);
      response.end();
    }, 10);
    response.on("close", () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.pt`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const environment = (): NodeJS.ProcessEnv => ({ ...process.env, DIPTYCH_CACHE: folder });

async function pull(...args: string[]): Promise<Outcome> {
  const run = promisify(execFile);
  try {
    const options = { env: environment() };
    const { stdout, stderr } = await run(process.execPath, [BIN, "pull", ...args], options);
    return { code: 0, stdout, stderr };
  } catch (error) {
    return error as Outcome;
  }
}

/** Starts a slow pull and sends `signal` once some bytes are there. */
async function interrupted(signal: NodeJS.Signals): Promise<Outcome> {
  pace = 1000;
  const child: ChildProcess = spawn(process.execPath, [BIN, "pull", address], {
    env: environment(),
  });
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on("exit", (code) => resolve(code)));
  while (ranges.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 300));
  child.kill(signal);
  const code = await ended;
  pace = content.length;
  return { code, ...output };
}

describe("diptych pull", () => {
  it(
    "fetches once, then answers offline",
    async () => {
      const first = await pull(`${address}#sha256=${hash}`);
      expect(first, first.stderr).toMatchObject({ code: 0 });
      expect(first.stderr).toMatch(/pulling 400\.0 kB\/400\.0 kB .*\/s/);
      expect((await readFile(first.stdout.trim())).equals(content)).toBe(true);
      const again = await pull(`${address}#sha256=${hash}`, "--json");
      expect(ranges).toHaveLength(1);
      expect(JSON.parse(again.stdout)).toMatchObject({
        files: [{ size: content.length, sha256: hash }],
      });
    },
    30 * SECONDS,
  );

  it.each(["SIGINT", "SIGKILL"] as const)(
    "goes on where %s ended it",
    async (signal) => {
      const stopped = await interrupted(signal);
      if (signal === "SIGINT") {
        expect(stopped.code).toBe(130);
        expect(stopped.stderr).toContain("what has come is kept");
      }
      const resumed = await pull(address);
      expect(resumed, resumed.stderr).toMatchObject({ code: 0 });
      expect((await readFile(resumed.stdout.trim())).equals(content)).toBe(true);
      expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
      expect(await readdir(join(folder, "hub", "parts"))).toEqual([]);
    },
    30 * SECONDS,
  );

  it(
    "two processes at once do not disturb each other",
    async () => {
      pace = 20_000;
      const [a, b] = await Promise.all([pull(address), pull(address)]);
      expect([a.code, b.code], a.stderr + b.stderr).toEqual([0, 0]);
      expect(a.stdout).toBe(b.stdout);
      expect((await readFile(a.stdout.trim())).equals(content)).toBe(true);
      expect(await readdir(join(folder, "hub", "blobs"))).toEqual([hash]);
    },
    30 * SECONDS,
  );

  it(
    "says what is wrong without a stack",
    async () => {
      const wrong = await pull(`${address}#sha256=${"0".repeat(64)}`);
      expect(wrong.code).toBe(1);
      expect(wrong.stderr).toMatch(/expected SHA-256 0{64}, got [0-9a-f]{64}/);
      const unknown = await pull("no model");
      expect(unknown.stderr).toContain("Give a Hugging Face repository");
      expect(wrong.stderr + unknown.stderr).not.toMatch(/^\s+at /m);
    },
    30 * SECONDS,
  );
});
