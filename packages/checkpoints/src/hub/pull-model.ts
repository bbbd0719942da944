/** Pulling a model by name: from Hugging Face, OpenAI or any address into the cache, once; afterwards without a network. */
import { join } from "node:path";
import { CheckpointError } from "@diptych/core";
import { download } from "./download.js";
import { checkFile } from "./file-hashes.js";
import {
  cacheKey,
  dropBlob,
  findBlob,
  hubCacheFolder,
  keepBlob,
  linkBlob,
  partsFolder,
  readRecord,
  writeRecord,
  type HubRecord,
} from "./hub-cache.js";
import { parseHubName, readHubName, type HubSource } from "./hub-name.js";
import { DEFAULT_RETRY, type RetryPolicy, type Transport } from "./hub-request.js";
import { listRepository, type RemoteFile } from "./hugging-face.js";
import { OPENAI_ENDPOINT } from "./openai-models.js";
import { claimPart } from "./part-file.js";
import { createPullMeter, type PullMeter, type PullProgress } from "./pull-progress.js";

export interface PullOptions {
  /** Folder of pulled models; by default `hub` in `DIPTYCH_CACHE` or in the user's cache folder. */
  readonly cacheDir?: string;
  /** Hugging Face's hub or a mirror; by default `HF_ENDPOINT`, or https://huggingface.co. */
  readonly endpoint?: string;
  /** Where OpenAI's models are; by default `DIPTYCH_OPENAI_ENDPOINT`, or OpenAI's own address. */
  readonly openaiEndpoint?: string;
  /** For private and gated repositories; by default `HF_TOKEN`. Sent to the endpoint alone. */
  readonly token?: string;
  /** Never ask the network; by default true where `DIPTYCH_OFFLINE` or `HF_HUB_OFFLINE` is 1. */
  readonly offline?: boolean;
  /** Ask what the name stands for now, and check the bytes that are here. */
  readonly refresh?: boolean;
  readonly onProgress?: (progress: PullProgress) => void;
  /** A line for people: a dropped connection, another attempt. */
  readonly log?: (text: string) => void;
  /** Stops; what has come is kept for the next time. */
  readonly signal?: AbortSignal;
  /** Another `fetch`, e.g. by way of a proxy. */
  readonly fetch?: typeof fetch;
  readonly retry?: Partial<RetryPolicy>;
}

export interface PulledFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

export interface PulledModel {
  /** Folder of the model, or its file where it is one. */
  readonly path: string;
  readonly files: readonly PulledFile[];
  /** Commit on the hub; null for single files. */
  readonly commit: string | null;
}

/**
 * Fetches the files that a model needs and returns where they are; a model that is here is returned without asking.
 *
 * @param name `owner/name` or `owner/name@revision` on Hugging Face; `openai:ViT-B/32` or `ViT-B/32` (nine of them); or an
 * https address, with `#sha256=…` to check it.
 * @throws CheckpointError on another name, where it is not there or not allowed, without a network or disk space, and on
 * wrong bytes; the signal's reason on an abort.
 * @example
 * const { path } = await pullModel("openai/clip-vit-base-patch32");
 */
export async function pullModel(name: string, options: PullOptions = {}): Promise<PulledModel> {
  const source = parseHubName(name);
  const { cacheDir = hubCacheFolder(), refresh = false } = options;
  options.signal?.throwIfAborted();
  const offline = options.offline ?? isOffline();
  const found = refresh && !offline ? undefined : await readRecord(cacheDir, sourceKey(source));
  if (found) return pulledModel(cacheDir, found);
  if (offline) {
    throw new CheckpointError(
      `checkpoints/pullModel: ${name}: expected it in ${cacheDir}, got nothing there, and the network is not to be asked (offline). Pull it once with a network: diptych pull ${name}`,
    );
  }
  const record = await fetchModel(source, { ...options, name, cacheDir });
  return pulledModel(cacheDir, record);
}

/** Path of a model that was pulled (a folder, or a file); undefined where it was not. Never asks the network. */
export async function findPulledModel(
  name: string,
  { cacheDir = hubCacheFolder() }: { readonly cacheDir?: string } = {},
): Promise<string | undefined> {
  const source = readHubName(name);
  const record = source && (await readRecord(cacheDir, sourceKey(source)));
  return record && join(cacheDir, record.path);
}

function isOffline(): boolean {
  return [process.env["DIPTYCH_OFFLINE"], process.env["HF_HUB_OFFLINE"]].some(
    (value) => value !== undefined && !["", "0", "false"].includes(value.toLowerCase()),
  );
}

/** What a record is found by: all spellings of a name have one. */
function sourceKey(source: HubSource): string {
  switch (source.kind) {
    case "openai":
      return `openai:${source.model.name}`;
    case "hugging-face":
      return `hf:${source.repo}@${source.revision}`;
    case "url":
      return source.sha256 ? `${source.url}#sha256=${source.sha256}` : source.url;
  }
}

function pulledModel(cacheDir: string, { path, files, commit }: HubRecord): PulledModel {
  return Object.freeze({
    path: join(cacheDir, path),
    files: Object.freeze(
      files.map((file) => ({
        path: join(cacheDir, file.path),
        size: file.size,
        sha256: file.sha256,
      })),
    ),
    commit,
  });
}

type FetchOptions = PullOptions & { readonly name: string; readonly cacheDir: string };

interface Remote {
  /** Where the model will be, from the cache's folder. */
  readonly folder: string;
  readonly files: readonly RemoteFile[];
  readonly commit: string | null;
  /** Names that will stand for it. */
  readonly keys: readonly string[];
}

async function fetchModel(source: HubSource, options: FetchOptions): Promise<HubRecord> {
  const { name, cacheDir, signal } = options;
  const others = new AbortController();
  const transport: Transport = {
    fetch: options.fetch ?? fetch,
    retry: { ...DEFAULT_RETRY, ...options.retry },
    signal: signal ? AbortSignal.any([signal, others.signal]) : others.signal,
    log: options.log ?? (() => undefined),
  };
  const remote = await locate(source, options, transport);
  const meter = createPullMeter(remote.files, options.onProgress);
  const files = await inParallel(
    remote.files,
    async (file) => {
      const fetched = await fetchFile(file, { ...options, transport, meter });
      const path = join(remote.folder, file.name);
      await linkBlob(await blobOf(cacheDir, fetched), join(cacheDir, path));
      return { path, ...fetched, source: file.url };
    },
    (reason) => others.abort(reason),
  );
  const record: HubRecord = {
    name,
    path: remote.commit === null ? join(remote.folder, remote.files[0]!.name) : remote.folder,
    files,
    commit: remote.commit,
    pulled: new Date().toISOString(),
  };
  for (const key of remote.keys) await writeRecord(cacheDir, key, record);
  return record;
}

interface Content {
  readonly sha256: string;
  readonly size: number;
}

async function blobOf(cacheDir: string, content: Content): Promise<string> {
  const blob = await findBlob(cacheDir, content);
  if (blob) return blob;
  throw new CheckpointError(
    `checkpoints/pullModel: ${cacheDir}: expected the bytes that just came (SHA-256 ${content.sha256}), got nothing: something deleted them. Pull again.`,
  );
}

/** What to fetch, from where. */
async function locate(
  source: HubSource,
  options: FetchOptions,
  transport: Transport,
): Promise<Remote> {
  const key = sourceKey(source);
  if (source.kind === "hugging-face") {
    const endpoint = trimmed(options.endpoint ?? env("HF_ENDPOINT") ?? "https://huggingface.co");
    const token = options.token ?? env("HF_TOKEN");
    const { commit, files } = await listRepository(source, { endpoint, token, transport });
    const folder = join("models", cacheKey(`hf:${source.repo}`), commit);
    return { folder, files, commit, keys: [key, sourceKey({ ...source, revision: commit })] };
  }
  const folder = join("models", cacheKey(key));
  if (source.kind === "url") {
    const expected = source.sha256 ? { sha256: source.sha256 } : {};
    const file = { name: source.file, url: source.url, headers: {}, expected };
    return { folder, files: [file], commit: null, keys: [key] };
  }
  const { file, sha256 } = source.model;
  const base = options.openaiEndpoint ?? env("DIPTYCH_OPENAI_ENDPOINT") ?? OPENAI_ENDPOINT;
  const url = `${trimmed(base)}/${sha256}/${file}`;
  const only = { name: file, url, headers: {}, expected: { sha256 } };
  return { folder, files: [only], commit: null, keys: [key] };
}

function env(name: string): string | undefined {
  const value = process.env[name];
  return value === "" ? undefined : value;
}

function trimmed(address: string): string {
  return address.replace(/\/+$/, "");
}

interface FetchFileOptions extends FetchOptions {
  readonly transport: Transport;
  readonly meter: PullMeter;
}

/** The file among the blobs: already, or after a download. */
async function fetchFile(
  file: RemoteFile,
  { cacheDir, name, transport, meter }: FetchFileOptions,
): Promise<Content> {
  const kept = await keptBlob(file, cacheDir, transport.signal);
  if (kept) {
    meter(file.name, kept.size, kept.size);
    return kept;
  }
  const key = file.expected.sha256 ?? file.expected.gitOid ?? cacheKey(file.url).slice(-12);
  const part = await claimPart(partsFolder(cacheDir), key);
  try {
    const done = await download({
      ...file,
      what: `${name}: ${file.name}`,
      part,
      transport,
      onBytes: (bytes, total) => meter(file.name, bytes, total),
    });
    await keepBlob(cacheDir, part.path, done.sha256);
    await part.discard();
    return done;
  } finally {
    part.release();
  }
}

/** A blob that fits; one whose bytes have changed on the disk is deleted. */
async function keptBlob(
  { expected }: RemoteFile,
  cacheDir: string,
  signal: AbortSignal | undefined,
): Promise<Content | undefined> {
  const path = await findBlob(cacheDir, expected);
  if (!path) return undefined;
  const { sha256, size, problem } = await checkFile(path, expected, signal);
  if (problem === undefined) return { sha256, size };
  if (expected.sha256) await dropBlob(cacheDir, expected.sha256);
  return undefined;
}

/** Files fetched at once. */
const CONCURRENT = 4;

/** `work` on all items, a few at a time; results in order. The first failure ends the others. */
async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  stop: (reason: unknown) => void,
): Promise<R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (failures.length === 0 && next < items.length) {
      const index = next++;
      try {
        results[index] = await work(items[index]!);
      } catch (error) {
        failures.push(error);
        stop(error);
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
