/** A repository on Hugging Face's hub or a mirror of it: its commit, and the files to fetch with what they should be. */
import { CheckpointError } from "@diptych/core";
import { chooseFiles } from "./choose-files.js";
import { statusError } from "./download.js";
import type { ExpectedContent } from "./file-hashes.js";
import {
  ask,
  describeFailure,
  pauseBefore,
  unreachable,
  watchSilence,
  type PassingFailure,
  type Transport,
} from "./hub-request.js";
import type { HuggingFaceSource } from "./hub-name.js";

export interface RemoteFile {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expected: ExpectedContent;
}

export interface RepositoryOptions {
  /** Address of the hub, without a slash at its end. */
  readonly endpoint: string;
  readonly token?: string | undefined;
  readonly transport: Transport;
}

export interface RepositoryFiles {
  /** Commit that the revision stands for. */
  readonly commit: string;
  readonly files: readonly RemoteFile[];
}

/** @throws CheckpointError where the repository is not there, not allowed, unreachable, or without weights. */
export async function listRepository(
  { repo, revision }: HuggingFaceSource,
  { endpoint, token, transport }: RepositoryOptions,
): Promise<RepositoryFiles> {
  const what = revision === "main" ? repo : `${repo}@${revision}`;
  checkToken(token);
  // The client is loaded when it is needed: offline it never is.
  const { listFiles, modelInfo } = await import("@huggingface/hub");
  const access = {
    hubUrl: endpoint,
    fetch: retryingFetch(what, transport),
    ...(token ? { accessToken: token } : {}),
  };
  try {
    const info = await modelInfo({ name: repo, revision, additionalFields: ["sha"], ...access });
    const commit = checkCommit(info.sha, what);
    const entries = new Map<string, ExpectedContent>();
    for await (const { type, path, size, oid, lfs } of listFiles({
      repo: { type: "model", name: repo },
      revision: commit,
      ...access,
    })) {
      if (type !== "file") continue;
      const content = lfs ? { sha256: lfs.oid, size: lfs.size } : { size };
      entries.set(path, { ...content, ...(oid && !lfs ? { gitOid: oid } : {}) });
    }
    const files = chooseFiles([...entries.keys()], what).map((name) => ({
      name,
      url: `${endpoint}/${repo}/resolve/${commit}/${name}`,
      headers: token ? { authorization: `Bearer ${token}` } : {},
      expected: entries.get(name) ?? {},
    }));
    return { commit, files };
  } catch (error) {
    throw describeHubError(error, what, endpoint);
  }
}

function checkToken(token: string | undefined): void {
  if (token === undefined || token === "" || token.startsWith("hf_")) return;
  throw new CheckpointError(
    'checkpoints/pullModel: token: expected one that starts with "hf_", got another. Set HF_TOKEN to an access token of Hugging Face, or unset it.',
  );
}

/** A commit becomes a folder's name: only what git makes passes. */
function checkCommit(sha: unknown, what: string): string {
  if (typeof sha === "string" && /^[0-9a-f]{40}$/.test(sha)) return sha;
  throw new CheckpointError(
    `checkpoints/pullModel: ${what}: expected the hub to name a commit, got ${JSON.stringify(sha)}. Check HF_ENDPOINT.`,
  );
}

function describeHubError(error: unknown, what: string, endpoint: string): unknown {
  const { statusCode, url } = error as { statusCode?: unknown; url?: unknown };
  if (typeof statusCode === "number") {
    return statusError(what, typeof url === "string" && url !== "" ? url : endpoint, statusCode);
  }
  // What is no JSON, or not the JSON that the hub sends.
  if (error instanceof SyntaxError || error instanceof TypeError) {
    return new CheckpointError(
      `checkpoints/pullModel: ${what}: expected the answers of Hugging Face's hub from ${endpoint}, got others (${describeFailure(error)}). Check HF_ENDPOINT.`,
      { cause: error },
    );
  }
  return error;
}

/** `fetch` for the client: with attempts, and the end of silence. */
function retryingFetch(what: string, transport: Transport): typeof fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const headers = Object.fromEntries(new Headers(init?.headers).entries());
    let failure: PassingFailure = { why: "nothing" };
    for (let failures = 0; failures < transport.retry.attempts; failures++) {
      if (failures > 0) {
        transport.log(`${what}: ${failure.why}; trying again.`);
        await pauseBefore(failures, failure, transport);
      }
      const answer = await askWhole(url, headers, transport);
      if (!("failure" in answer)) return answer.response;
      failure = answer.failure;
    }
    throw unreachable(what, url, failure);
  };
}

/** Asks and reads the whole answer, so that a connection that breaks in the middle counts as a failed attempt. */
async function askWhole(
  url: string,
  headers: Readonly<Record<string, string>>,
  transport: Transport,
): Promise<{ readonly response: Response } | { readonly failure: PassingFailure }> {
  const watch = watchSilence(transport);
  try {
    const answer = await ask(url, { headers, transport, signal: watch.signal });
    if (answer.kind === "failed") return { failure: answer.failure };
    const { status, headers: answered } = answer.response;
    const body = await answer.response.arrayBuffer();
    const response = new Response(status === 204 ? null : body, { status, headers: answered });
    // The client's errors name the address.
    return { response: Object.defineProperty(response, "url", { value: url.split("?", 1)[0] }) };
  } catch (error) {
    transport.signal?.throwIfAborted();
    if (!(error instanceof TypeError) && (error as Error).name !== "AbortError") throw error;
    return { failure: { why: describeFailure(error) } };
  } finally {
    watch.stop();
  }
}
