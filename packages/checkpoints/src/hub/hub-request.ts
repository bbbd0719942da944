/** One request: redirects followed by hand (for what the hub says of a file on the way), silence ended, failures sorted. */
import { CheckpointError } from "@diptych/core";
import type { ExpectedContent } from "./file-hashes.js";

export interface RetryPolicy {
  /** Attempts in a row that bring nothing before giving up. */
  readonly attempts: number;
  /** Pause before the second attempt; doubled for each further one. */
  readonly delayMs: number;
  /** Longest silence of a server. */
  readonly silenceMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { attempts: 6, delayMs: 500, silenceMs: 30_000 };
const LONGEST_DELAY_MS = 20_000;

export interface Transport {
  readonly fetch: typeof fetch;
  readonly retry: RetryPolicy;
  readonly signal?: AbortSignal | undefined;
  /** A line for people: a dropped connection, another attempt. */
  readonly log: (text: string) => void;
}

/** Why an attempt failed, when another may succeed. */
export interface PassingFailure {
  readonly why: string;
  readonly afterMs?: number | undefined;
}

export type Answer =
  | { readonly kind: "answer"; readonly response: Response; readonly linked: ExpectedContent }
  | { readonly kind: "failed"; readonly failure: PassingFailure };

const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
const MAX_REDIRECTS = 10;

export interface RequestOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly transport: Transport;
  /** Ends the request, its body included. */
  readonly signal: AbortSignal;
}

/** Asks once. Statuses that may pass are failures; all others are answers. @throws the signal's reason on an abort. */
export async function ask(url: string, options: RequestOptions): Promise<Answer> {
  const { transport, signal } = options;
  let headers = options.headers;
  let linked: ExpectedContent = {};
  let at = url;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    let response: Response;
    try {
      response = await transport.fetch(at, { headers, redirect: "manual", signal });
    } catch (error) {
      transport.signal?.throwIfAborted();
      return { kind: "failed", failure: { why: describeFailure(error) } };
    }
    if (hop === 0) linked = linkedContent(response.headers);
    const location = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || location === null) {
      if (!PASSING_STATUS.has(response.status)) return { kind: "answer", response, linked };
      await response.body?.cancel();
      return { kind: "failed", failure: statusFailure(response) };
    }
    await response.body?.cancel();
    const next = new URL(location, at);
    checkRedirect(url, next);
    // Credentials are for the host that they were meant for.
    if (next.origin !== new URL(at).origin) headers = withoutCredentials(headers);
    at = next.href;
  }
  throw new CheckpointError(
    `checkpoints/pullModel: ${url}: expected a file, got more than ${MAX_REDIRECTS} redirects. Check the address.`,
  );
}

function checkRedirect(from: string, to: URL): void {
  const isDowngrade = from.startsWith("https:") && to.protocol !== "https:";
  if (!isDowngrade && /^https?:$/.test(to.protocol)) return;
  throw new CheckpointError(
    `checkpoints/pullModel: ${from}: expected to stay on https, got a redirect to ${to.origin}. Use another address.`,
  );
}

function withoutCredentials(
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization"),
  );
}

/** What the hub says of a large file before it redirects to the store: its SHA-256 and size. */
function linkedContent(headers: Headers): ExpectedContent {
  const etag = headers.get("x-linked-etag")?.replace(/^(W\/)?"|"$/g, "");
  const size = Number(headers.get("x-linked-size") ?? NaN);
  return {
    ...(etag && /^[0-9a-f]{64}$/.test(etag) ? { sha256: etag } : {}),
    ...(Number.isSafeInteger(size) ? { size } : {}),
  };
}

function statusFailure(response: Response): PassingFailure {
  const seconds = Number(response.headers.get("retry-after") ?? NaN);
  return {
    why: `status ${response.status}`,
    afterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  };
}

/** The innermost message: fetch hides the reason in its cause. */
export function describeFailure(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  if (!(inner instanceof Error)) return String(inner);
  const code = (inner as NodeJS.ErrnoException).code;
  return code && !inner.message.includes(code) ? `${inner.message} (${code})` : inner.message;
}

/** Waits before attempt `failures + 1`: doubled each time, a quarter of it random. @throws on an abort. */
export async function pauseBefore(
  failures: number,
  failure: PassingFailure,
  { retry, signal }: Transport,
): Promise<void> {
  const wanted = failure.afterMs ?? retry.delayMs * 2 ** (failures - 1);
  const delay = Math.min(wanted, LONGEST_DELAY_MS) * (0.875 + Math.random() / 4);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, delay);
    signal?.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
  });
  signal?.throwIfAborted();
}

/** Ends a request after a silence. `heard` starts the wait anew. */
export interface Watch {
  readonly signal: AbortSignal;
  readonly heard: () => void;
  readonly stop: () => void;
}

export function watchSilence({ retry, signal }: Transport): Watch {
  const silence = new AbortController();
  const start = (): NodeJS.Timeout =>
    setTimeout(
      () => silence.abort(new Error(`nothing came for ${retry.silenceMs / 1000} s`)),
      retry.silenceMs,
    );
  let timer = start();
  return {
    signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal,
    heard: () => {
      clearTimeout(timer);
      timer = start();
    },
    stop: () => clearTimeout(timer),
  };
}

/** No answer after all attempts. */
export function unreachable(what: string, url: string, { why }: PassingFailure): CheckpointError {
  return new CheckpointError(
    `checkpoints/pullModel: ${what}: expected an answer from ${new URL(url).host}, got: ${why}. Check the network, set HF_ENDPOINT to a mirror, or copy the files here by other means; what has come is kept, and the same command goes on from there.`,
  );
}
