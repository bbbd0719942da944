/** What `pull` takes as a name: one of OpenAI's models, a Hugging Face repository, or an address. */
import { CheckpointError } from "@diptych/core";
import { findOpenAiModel, OPENAI_MODELS, type OpenAiModel } from "./openai-models.js";

export interface OpenAiSource {
  readonly kind: "openai";
  readonly model: OpenAiModel;
}

export interface HuggingFaceSource {
  readonly kind: "hugging-face";
  /** `owner/name`. */
  readonly repo: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

export interface UrlSource {
  readonly kind: "url";
  /** Without its fragment. */
  readonly url: string;
  readonly file: string;
  /** From `#sha256=…`. */
  readonly sha256?: string;
}

export type HubSource = OpenAiSource | HuggingFaceSource | UrlSource;

const REPOSITORY = /^(?:hf:|hf-hub:)?([\w][\w.-]*\/[\w][\w.-]*)(?:@([\w][\w./-]*))?$/;
const HUGGING_FACE_PAGE =
  /^https:\/\/(?:huggingface\.co|hf\.co)\/([\w][\w.-]*\/[\w][\w.-]*)(?:\/tree\/([\w][\w./%-]*))?\/?$/;

/**
 * Reads a name: `openai:ViT-B/32` or `ViT-B/32`; `owner/name` or `owner/name@revision`; `https://…`, with
 * `#sha256=<hex>` to check what comes.
 *
 * @throws CheckpointError listing these forms on anything else.
 */
export function parseHubName(name: string): HubSource {
  const source = readHubName(name);
  if (source) return source;
  throw new CheckpointError(
    `checkpoints/pullModel: ${name}: expected the name of a model, got something else. Give a Hugging Face repository (openai/clip-vit-base-patch32, with @revision if need be), one of OpenAI's models (${OPENAI_MODELS.map((model) => model.name).join(", ")}), or an https address (with #sha256=… to check it).`,
  );
}

/** As {@link parseHubName}; undefined where it is none of these. */
export function readHubName(name: string): HubSource | undefined {
  const openai = findOpenAiModel(name.replace(/^openai:/, ""));
  if (openai) return { kind: "openai", model: openai };
  if (/^https?:\/\//i.test(name)) return readAddress(name);
  const [, repo, revision = "main"] = REPOSITORY.exec(name) ?? [];
  return repo && !name.includes("..") ? { kind: "hugging-face", repo, revision } : undefined;
}

function readAddress(name: string): HubSource | undefined {
  const [, repo, revision = "main"] = HUGGING_FACE_PAGE.exec(name) ?? [];
  if (repo) return { kind: "hugging-face", repo, revision: decodeURIComponent(revision) };
  if (!URL.canParse(name)) return undefined;
  const url = new URL(name);
  const fragment = /^#sha256=([0-9a-f]{64})$/i.exec(url.hash);
  if (url.hash !== "" && !fragment) {
    throw new CheckpointError(
      `checkpoints/pullModel: ${name}: expected #sha256= and 64 hexadecimal digits after the address, got "${url.hash}". Correct it or leave it out.`,
    );
  }
  const sha256 = fragment?.[1]?.toLowerCase();
  if (url.protocol === "http:" && !sha256 && !isLoopback(url.hostname)) {
    throw new CheckpointError(
      `checkpoints/pullModel: ${name}: expected https, got http, where anyone on the way can change the bytes. Use https, or add #sha256=… to check them.`,
    );
  }
  url.hash = "";
  const last = decodeURIComponent(url.pathname.split("/").at(-1) ?? "");
  const file = last.replace(/[^\w.@-]/g, "_").replace(/^\.+/, "");
  return { kind: "url", url: url.href, file: file || "model", ...(sha256 ? { sha256 } : {}) };
}

/** Whether traffic to `host` stays on this machine. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\./.test(host);
}
