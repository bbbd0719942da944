/** A hub on 127.0.0.1 with Hugging Face's addresses, that can drop connections, lie, stall and refuse. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  /** How often this path was asked for before. */
  earlier: number,
) => void;

export interface SeenRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly authorization: string | undefined;
}

export interface TestServer {
  readonly url: string;
  readonly seen: SeenRequest[];
  /** Requests of one path. */
  readonly of: (path: string) => readonly SeenRequest[];
  readonly on: (path: string, handler: Handler) => void;
  readonly close: () => Promise<void>;
}

export async function startServer(): Promise<TestServer> {
  const handlers = new Map<string, Handler>();
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://x").pathname;
    const earlier = seen.filter((one) => one.path === path).length;
    const { range, "if-range": ifRange, authorization } = request.headers;
    seen.push({ path, range, ifRange: ifRange as string | undefined, authorization });
    const handler = handlers.get(path);
    if (handler) handler(request, response, earlier);
    else response.writeHead(404).end("nothing here");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    of: (path) => seen.filter((one) => one.path === path),
    on: (path, handler) => handlers.set(path, handler),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface BytesOptions {
  readonly etag?: string;
  /** Cuts the connection after so many bytes of the body, by how often it was asked. */
  readonly dropAfter?: readonly number[];
  /** Sends the whole whatever is asked for. */
  readonly ignoreRange?: boolean;
  /** Says no length. */
  readonly chunked?: boolean;
}

/** Serves bytes as a static server does: ranges, If-Range, entity tags. */
export function bytes(content: Uint8Array, options: BytesOptions = {}): Handler {
  return (request, response, earlier) => {
    const { etag, chunked = false, ignoreRange = false } = options;
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
    const fits = request.headers["if-range"] === undefined || request.headers["if-range"] === etag;
    const start = from !== undefined && fits && !ignoreRange ? Number(from) : 0;
    if (start > content.length) {
      response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
      return;
    }
    const body = content.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      ...(chunked ? {} : { "content-length": body.length }),
      ...(etag ? { etag } : {}),
      ...(start > 0
        ? { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` }
        : {}),
    });
    const cut = options.dropAfter?.[earlier];
    if (cut === undefined) response.end(body);
    else response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 20));
  };
}

export function status(code: number, headers: Readonly<Record<string, string>> = {}): Handler {
  return (_request, response) => {
    response.writeHead(code, headers).end("no");
  };
}

export function redirect(to: string, headers: Readonly<Record<string, string>> = {}): Handler {
  return status(302, { location: to, ...headers });
}

/** `first` for the first requests, then `rest`. */
export function inTurn(first: readonly Handler[], rest: Handler): Handler {
  return (request, response, earlier) => {
    (first[earlier] ?? rest)(request, response, earlier);
  };
}

export const sha256Of = (content: Uint8Array): string =>
  createHash("sha256").update(content).digest("hex");

const gitOidOf = (content: Uint8Array): string =>
  createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

export interface Repository {
  readonly repo: string;
  /** Files as git has them. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  /** Large files, which the hub redirects to a store under /store/. */
  readonly large?: Readonly<Record<string, Uint8Array>>;
  readonly revision?: string;
  readonly commit?: string;
  /** Where the store is. */
  readonly store?: TestServer;
}

/** Serves a repository under Hugging Face's addresses. */
export function serveRepository(server: TestServer, repository: Repository): void {
  const { repo, files = {}, large = {}, revision = "main", commit = COMMIT } = repository;
  const store = repository.store ?? server;
  server.on(
    `/api/models/${repo}/revision/${encodeURIComponent(revision)}`,
    json({ id: repo, sha: commit }),
  );
  const listed = [
    ...Object.entries(files).map(([path, content]) => ({
      type: "file",
      path,
      size: content.length,
      oid: gitOidOf(content),
    })),
    ...Object.entries(large).map(([path, content]) => ({
      type: "file",
      path,
      size: content.length,
      oid: "f".repeat(40),
      lfs: { oid: sha256Of(content), size: content.length, pointerSize: 130 },
    })),
    { type: "directory", path: "onnx", size: 0, oid: "d".repeat(40) },
  ];
  server.on(`/api/models/${repo}/tree/${commit}`, json(listed));
  for (const [name, content] of Object.entries(files)) {
    server.on(
      `/${repo}/resolve/${commit}/${name}`,
      bytes(content, { etag: `"${gitOidOf(content)}"` }),
    );
  }
  for (const [name, content] of Object.entries(large)) {
    const hash = sha256Of(content);
    server.on(
      `/${repo}/resolve/${commit}/${name}`,
      redirect(`${store.url}/store/${hash}`, {
        "x-linked-etag": `"${hash}"`,
        "x-linked-size": String(content.length),
      }),
    );
    store.on(`/store/${hash}`, bytes(content, { etag: `"${hash}"` }));
  }
}

function json(value: unknown): Handler {
  return (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
  };
}

/** Bytes that differ everywhere, so that a shift or a seam shows. */
export function patterned(length: number, seed = 1): Uint8Array {
  let state = seed;
  return new Uint8Array(length).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}
