/** Plugins are declarations: what they provide, with a schema and a factory each. Nothing happens until they are installed. */
import type { z } from "zod";
import type { Backend } from "../contracts/backend.js";
import type { CheckpointFormat } from "../contracts/checkpoint-format.js";
import type { Dataset, ImageTransform } from "../contracts/dataset.js";
import type { Encoder } from "../contracts/encoder.js";
import type { Evaluator } from "../contracts/evaluator.js";
import type { Loss } from "../contracts/loss.js";
import type { Optimizer, Schedule } from "../contracts/optimizer.js";
import type { Tokenizer, TokenizerState } from "../contracts/tokenizer.js";

/** Version of the contracts that this copy of core speaks. */
export const CONTRACT_VERSION = 1;

/** A configured part: `type` names the declaration, the rest is its own configuration. */
export interface Part {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** What a kind's factory gives and the named dependencies that it receives. */
export interface PluginKinds {
  encoder: {
    result: Encoder;
    dependencies: {
      readonly modality: string;
      /** Width of the joint space. */
      readonly embedDim: number;
      /** The run's tokenizer, for encoders of text. */
      readonly tokenizer?: Tokenizer;
    };
  };
  loss: {
    result: Loss;
    dependencies: {
      readonly modalities: readonly string[];
      readonly embedDim: number;
      /** The run's encoders by modality, for losses that go by their facts. */
      readonly encoders?: Readonly<Record<string, Encoder>>;
      /** The run's tokenizer, for losses that predict text. */
      readonly tokenizer?: Tokenizer;
      /** Makes an inner loss of a part, for sums. */
      readonly createLoss: (part: Part) => Loss;
    };
  };
  optimizer: { result: Optimizer; dependencies: Readonly<Record<never, never>> };
  schedule: { result: Schedule; dependencies: { readonly totalSteps: number } };
  dataset: {
    result: Dataset;
    dependencies: {
      /** Folder that relative paths start from: the config's. */
      readonly baseDir: string;
      /** Folder for derived data that may be deleted. */
      readonly cacheDir: string;
      readonly report: (what: string, done: number, total: number) => void;
      readonly signal?: AbortSignal;
    };
  };
  tokenizer: {
    result: Tokenizer;
    dependencies: {
      /** Every caption that training may show. */
      readonly captions: () => Iterable<string>;
      /** State of a tokenizer of this type, to restore it as it was. */
      readonly state?: TokenizerState;
    };
  };
  transform: {
    result: ImageTransform;
    dependencies: { readonly imageHeight: number; readonly imageWidth: number };
  };
  evaluator: {
    result: Evaluator;
    /** `baseDir`: folder that relative paths (files of class names, of templates) start from: the config's. */
    dependencies: { readonly baseDir: string };
  };
  backend: { result: Backend; dependencies: { readonly log: (line: string) => void } };
  checkpointFormat: { result: CheckpointFormat; dependencies: Readonly<Record<never, never>> };
}

export type PluginKind = keyof PluginKinds;

/** What a backend found of one of its engines or providers on this machine. */
export interface BackendFinding {
  /** How it is chosen in a configuration: `{ type: "tfjs", engine: "wasm" }`. */
  readonly part: Part;
  /** `missing`: not installed, or no such device; `broken`: there, and does not work. */
  readonly status: "ready" | "missing" | "broken";
  /** One line: versions, device, threads; or what is missing and the command that brings it. */
  readonly detail: string;
  /**
   * Correct, and far slower than the machine: a software renderer, plain JavaScript. Measured with small sizes, and left out
   * of comparisons unless it is named.
   */
  readonly slow?: boolean;
}

/**
 * Looks at what a backend would run on, without running it: one finding per engine or provider. It reports what does not
 * work rather than throwing, and leaves nothing loaded that would keep the process alive.
 */
export type DiagnoseBackend = () => Promise<readonly BackendFinding[]>;

/** One thing that a plugin provides. `schema` is strict and does not contain `type`. */
export interface Declaration<K extends PluginKind = PluginKind> {
  readonly kind: K;
  readonly type: string;
  /** For encoders: the modality they encode; undefined encodes any. */
  readonly modality?: string;
  /** One line for `diptych plugins`. */
  readonly summary: string;
  readonly schema: z.ZodType;
  readonly create: (
    config: never,
    dependencies: PluginKinds[K]["dependencies"],
  ) => PluginKinds[K]["result"] | Promise<PluginKinds[K]["result"]>;
  /** For backends: what they find on this machine, for `diptych doctor`. */
  readonly diagnose?: K extends "backend" ? DiagnoseBackend : never;
}

export interface Plugin {
  readonly name: string;
  readonly contract: number;
  readonly provides: readonly Declaration[];
}

/** How a declaration is written: the factory's config is typed by the schema's output. Encoders and losses are made synchronously. */
export interface DeclarationBody<K extends PluginKind, S extends z.ZodType> {
  readonly schema: S;
  readonly summary: string;
  readonly create: (
    config: z.output<S>,
    dependencies: PluginKinds[K]["dependencies"],
  ) => K extends "dataset" | "tokenizer" | "backend"
    ? PluginKinds[K]["result"] | Promise<PluginKinds[K]["result"]>
    : PluginKinds[K]["result"];
}

/** How a backend is declared. */
export interface BackendBody<S extends z.ZodType> extends DeclarationBody<"backend", S> {
  readonly diagnose?: DiagnoseBackend;
}

function declare<K extends PluginKind, S extends z.ZodType>(
  kind: K,
  type: string,
  body: DeclarationBody<K, S>,
  modality?: string,
): Declaration {
  return Object.freeze({
    kind,
    type,
    ...body,
    ...(modality === undefined ? {} : { modality }),
  });
}

/** Declares an encoder of any modality, or of the one named. */
export const encoder = <S extends z.ZodType>(
  type: string,
  body: DeclarationBody<"encoder", S>,
  modality?: string,
): Declaration => declare("encoder", type, body, modality);

export const imageEncoder = <S extends z.ZodType>(
  type: string,
  body: DeclarationBody<"encoder", S>,
): Declaration => declare("encoder", type, body, "image");

export const textEncoder = <S extends z.ZodType>(
  type: string,
  body: DeclarationBody<"encoder", S>,
): Declaration => declare("encoder", type, body, "text");

export const loss = <S extends z.ZodType>(
  type: string,
  body: DeclarationBody<"loss", S>,
): Declaration => declare("loss", type, body);

export const optimizer = <S extends z.ZodType>(
  type: string,
  body: DeclarationBody<"optimizer", S>,
): Declaration => declare("optimizer", type, body);

export const schedule = <S extends z.ZodType>(
  type: string,
  body: DeclarationBody<"schedule", S>,
): Declaration => declare("schedule", type, body);

export const dataset = <S extends z.ZodType>(
  type: string,
  body: DeclarationBody<"dataset", S>,
): Declaration => declare("dataset", type, body);

export const tokenizer = <S extends z.ZodType>(
  type: string,
  body: DeclarationBody<"tokenizer", S>,
): Declaration => declare("tokenizer", type, body);

export const transform = <S extends z.ZodType>(
  type: string,
  body: DeclarationBody<"transform", S>,
): Declaration => declare("transform", type, body);

export const evaluator = <S extends z.ZodType>(
  type: string,
  body: DeclarationBody<"evaluator", S>,
): Declaration => declare("evaluator", type, body);

export const backend = <S extends z.ZodType>(type: string, body: BackendBody<S>): Declaration =>
  declare("backend", type, body);

export const checkpointFormat = <S extends z.ZodType>(
  type: string,
  body: DeclarationBody<"checkpointFormat", S>,
): Declaration => declare("checkpointFormat", type, body);

const PLUGIN_BRAND = Symbol.for("diptych.plugin");

/**
 * Declares a plugin.
 *
 * @example
 * export const myPlugin = definePlugin({
 *   name: "my-plugin",
 *   contract: 1,
 *   provides: [imageEncoder("my-tower", { summary: "one linear layer", schema, create })],
 * });
 */
export function definePlugin(plugin: Plugin): Plugin {
  return Object.freeze({
    ...plugin,
    provides: Object.freeze([...plugin.provides]),
    [PLUGIN_BRAND]: true,
  });
}

/** Whether `value` came from `definePlugin`, of this or another copy of core. */
export function isPlugin(value: unknown): value is Plugin {
  return typeof value === "object" && value !== null && PLUGIN_BRAND in value;
}

/** A typed constructor of a part: `const vit = partConstructor("vit", schema)`, then `vit({ width: 192 })`. */
export function partConstructor<T extends string, S extends z.ZodType>(
  type: T,
  _schema: S,
): (config?: z.input<S>) => { readonly type: T } & z.input<S> {
  return (config) =>
    Object.freeze({ type, ...(config as object | undefined) }) as { readonly type: T } & z.input<S>;
}
