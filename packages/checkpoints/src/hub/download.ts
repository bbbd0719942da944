/** One file over HTTP into a part file: resumed where it was left, checked on the disk when it is whole. */
import { open, statfs, truncate, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { CheckpointError, formatBytes } from "@diptych/core";
import { checkFile, type ExpectedContent } from "./file-hashes.js";
import {
  ask,
  describeFailure,
  pauseBefore,
  unreachable,
  watchSilence,
  type PassingFailure,
  type Transport,
} from "./hub-request.js";
import type { PartFile } from "./part-file.js";

export interface DownloadOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What messages call it. */
  readonly what: string;
  readonly expected: ExpectedContent;
  readonly part: PartFile;
  readonly transport: Transport;
  /** Bytes that are there, and all of them where the server says. */
  readonly onBytes: (bytes: number, total: number | undefined) => void;
}

export interface Downloaded {
  readonly sha256: string;
  readonly size: number;
}

/**
 * Fills the part with the whole file.
 *
 * @throws CheckpointError where it is not there or not allowed, bytes are wrong (the part is deleted), the disk is full, or
 * attempts in a row bring nothing (the part stays); the signal's reason on an abort.
 */
export async function download(options: DownloadOptions): Promise<Downloaded> {
  const { part, what, transport } = options;
  for (let restarted = false; ; restarted = true) {
    const { linked, resumed } = await fill(options);
    const expected = { ...linked, ...options.expected };
    const { sha256, size, problem } = await checkFile(part.path, expected, transport.signal);
    if (problem === undefined) return { sha256, size };
    await truncate(part.path, 0);
    await part.setValidator(undefined);
    // Two halves of different files: one more try from the start, then the server is at fault.
    if (resumed && !restarted) {
      transport.log(`${what}: the part that was there does not fit the rest: starting again.`);
      continue;
    }
    await part.discard();
    throw new CheckpointError(
      `checkpoints/pullModel: ${what}: ${problem} (${options.url}). The bytes are deleted: pull again; if they are wrong again, the server or the way to it is at fault.`,
    );
  }
}

interface Filled {
  /** What the server says of the whole. */
  readonly linked: ExpectedContent;
  /** Whether the bytes came in more than one answer. */
  readonly resumed: boolean;
}

/** Asks until all bytes are there. */
async function fill(options: DownloadOptions): Promise<Filled> {
  const { url, what, part, transport } = options;
  let failures = 0;
  let resumed = false;
  for (;;) {
    transport.signal?.throwIfAborted();
    const before = await part.size();
    if (before > 0) resumed = true;
    const outcome = await attempt(options);
    if ("linked" in outcome) return { linked: outcome.linked, resumed };
    if ((await part.size()) > before) failures = 0;
    failures += 1;
    if (failures >= transport.retry.attempts) throw unreachable(what, url, outcome);
    transport.log(`${what}: ${outcome.why}; trying again.`);
    await pauseBefore(failures, outcome, transport);
  }
}

type Attempt = PassingFailure | { readonly linked: ExpectedContent };

async function attempt(options: DownloadOptions): Promise<Attempt> {
  const { url, part, transport, expected } = options;
  const have = await part.size();
  if (have > 0 && have === expected.size) return { linked: {} };
  const watch = watchSilence(transport);
  try {
    // A compressed body has no offsets in the file.
    const whole = { ...options.headers, "accept-encoding": "identity" };
    const headers = { ...whole, ...(await rangeHeaders(options, have)) };
    const answer = await ask(url, { headers, transport, signal: watch.signal });
    if (answer.kind === "failed") return answer.failure;
    const { response, linked } = answer;
    if (response.status === 416) {
      await response.body?.cancel();
      await truncate(part.path, 0);
      return { why: `the server has no byte ${have}` };
    }
    checkStatus(options, response);
    const start = await startOf(response, have);
    if (start === undefined) return { why: "the server sent another range than was asked for" };
    const total = linked.size ?? expected.size ?? totalOf(response);
    await checkSpace(options, (total ?? 0) - start);
    await part.setValidator(validatorOf(response));
    const failure = await receive(options, { response, start, total, heard: watch.heard });
    return failure ?? { linked };
  } finally {
    watch.stop();
  }
}

/** Asks for the rest. Where the content is known by its hash, the end tells whether the parts fit. */
async function rangeHeaders(
  { part, expected }: DownloadOptions,
  have: number,
): Promise<Readonly<Record<string, string>>> {
  if (have === 0) return {};
  const validator = await part.validator();
  const isKnown = expected.sha256 !== undefined || expected.gitOid !== undefined;
  if (validator === undefined && !isKnown) return {};
  return { range: `bytes=${have}-`, ...(validator ? { "if-range": validator } : {}) };
}

/** A strong entity tag, or a date: what If-Range may carry. */
function validatorOf({ headers }: Response): string | undefined {
  const etag = headers.get("etag");
  return etag && !etag.startsWith("W/") ? etag : (headers.get("last-modified") ?? undefined);
}

/** Offset of the body's first byte: 0 where the server sends the whole; undefined where it is not the one asked for. */
async function startOf(response: Response, have: number): Promise<number | undefined> {
  if (response.status !== 206) return 0;
  const [, start] = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "") ?? [];
  if (Number(start) === have) return have;
  await response.body?.cancel();
  return undefined;
}

function totalOf(response: Response): number | undefined {
  const range = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  // The length of a compressed body is not that of the file.
  const length = response.headers.has("content-encoding")
    ? undefined
    : response.headers.get("content-length");
  const total = range ?? (response.status === 200 ? length : undefined);
  return total === undefined || total === null ? undefined : Number(total);
}

function checkStatus({ url, what }: DownloadOptions, { status }: Response): void {
  if (status === 200 || status === 206) return;
  throw statusError(what, url, status);
}

/** A status that another attempt will not change. */
export function statusError(what: string, url: string, status: number): CheckpointError {
  const hints: Readonly<Record<number, string>> = {
    401: "It is private or gated, or is not there at all: check the name; for a private or gated one accept its terms on the hub and set HF_TOKEN.",
    403: "Your token may not read it: accept its terms on the hub, or use a token that may.",
    404: "Check the name and the revision.",
    410: "It was removed.",
  };
  const hint = hints[status] ?? "Try again later, or another mirror (HF_ENDPOINT).";
  return new CheckpointError(
    `checkpoints/pullModel: ${what}: expected to find it, got status ${status} from ${url}. ${hint}`,
  );
}

async function checkSpace({ part, what }: DownloadOptions, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(part.path));
  if (needed <= bavail * bsize) return;
  throw noSpace(what, `${formatBytes(needed)} more, got ${formatBytes(bavail * bsize)} free`);
}

function noSpace(what: string, problem: string): CheckpointError {
  return new CheckpointError(
    `checkpoints/pullModel: ${what}: expected disk space for ${problem}. Free some, or set DIPTYCH_CACHE to a folder on another disk; what has come is kept.`,
  );
}

interface Incoming {
  readonly response: Response;
  readonly start: number;
  readonly total: number | undefined;
  readonly heard: () => void;
}

/** Writes the body behind `start`. A connection that breaks is a failure that may pass; what came stays. */
async function receive(
  options: DownloadOptions,
  incoming: Incoming,
): Promise<PassingFailure | undefined> {
  const { part, transport } = options;
  const file = await open(part.path, "a");
  try {
    if (incoming.start === 0) await file.truncate(0);
    const size = await write(options, file, incoming);
    await file.sync();
    const { total } = incoming;
    if (total === undefined || size >= total) return undefined;
    return { why: `the connection ended at ${size} of ${total} bytes` };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOSPC" || code === "EDQUOT") throw noSpace(options.what, `it, got ${code}`);
    if (code === "EIO" || code === "EROFS" || code === "EACCES") throw error;
    transport.signal?.throwIfAborted();
    return { why: describeFailure(error) };
  } finally {
    await file.close();
  }
}

async function write(
  { onBytes }: DownloadOptions,
  file: FileHandle,
  { response, start, total, heard }: Incoming,
): Promise<number> {
  let size = start;
  onBytes(size, total);
  if (!response.body) return size;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    heard();
    await file.writeFile(chunk);
    size += chunk.byteLength;
    onBytes(size, total);
    // More than was said will not fit: the check that follows says so.
    if (total !== undefined && size > total) break;
  }
  return size;
}
