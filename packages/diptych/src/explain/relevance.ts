/** How much each place of a picture speaks for a text: choosing the method and its layers, running it text by text. */
import {
  ConfigError,
  createHostTensor,
  exp,
  input,
  mul,
  shapeOf,
  sum,
  type BuiltModel,
  type HostTensor,
  type Value,
} from "@diptych/core";
import type { Features } from "../encode/encoder-runtime.js";
import type { RunnableModel } from "../model-runtime.js";
import { similarityScale } from "../similarity-scale.js";
import { buildAttentionRelevance } from "./attention-relevance.js";
import type { GraphCache } from "./graph-cache.js";
import { buildGradientRelevance } from "./gradient-relevance.js";
import { holdScales } from "./held-scales.js";
import {
  type AttentionLayer,
  attentionLayers,
  spatialValues,
  tokenGrid,
  towerOutput,
} from "./inspected-tower.js";
import type { RelevancePlan } from "./relevance-plan.js";

/**
 * `attention`: gradient-weighted attention of self-attention blocks or an attention pool (Chefer et al. 2021).
 * `gradient`: gradient times feature, place by place, on a feature map or patch tokens.
 * `grad-cam`: the same with one weight a channel (Selvaraju et al. 2017).
 */
export type RelevanceMethod = "attention" | "gradient" | "grad-cam";

export const RELEVANCE_METHODS: readonly RelevanceMethod[] = Object.freeze([
  "attention",
  "gradient",
  "grad-cam",
]);

export interface RelevanceOptions {
  /** Default: `attention` for towers of self-attention without an attention pool, else `gradient`. */
  readonly method?: RelevanceMethod;
  /**
   * `attention`: the first layer that counts; default the last one, as the authors' code for CLIP; 0 for all, as the paper.
   * Others: where features are read; default the last value whose places the score depends on. A number (negative: from
   * the end) or a path name.
   */
  readonly block?: number | string;
  readonly signal?: AbortSignal;
}

export interface Relevance {
  readonly text: string;
  /** Cosine of picture and text. */
  readonly similarity: number;
  /** [gridHeight, gridWidth], at least 0, not normalised: larger speaks more for the text. */
  readonly map: HostTensor<"float32">;
  readonly method: RelevanceMethod;
  /** The inner value that it was read from: the features, or the first attention layer. */
  readonly path: string;
}

export interface RelevanceRequest {
  readonly loaded: RunnableModel;
  readonly cache: GraphCache;
  /** [1, channels, height, width] */
  readonly pixels: HostTensor;
  readonly texts: readonly string[];
  /** Their unit vectors. */
  readonly features: Features;
}

/** Texts that run together; each repeats the picture. */
const TEXTS_A_RUN = 8;
const TEXT_INPUT = "relevance_text";

/** @throws ConfigError where the method does not suit the tower, naming one that does. */
export async function computeRelevance(
  { loaded, cache, pixels, texts, features }: RelevanceRequest,
  options: RelevanceOptions,
  build: () => BuiltModel,
): Promise<readonly Relevance[]> {
  const { block, signal } = options;
  const method = options.method ?? defaultMethod(loaded, build);
  const scale = similarityScale(loaded.parameters) ?? 1;
  const imageInput = loaded.model.encoders["image"]?.inputs[0]?.name ?? "image";
  const found: Relevance[] = [];
  for (let start = 0; start < texts.length; start += TEXTS_A_RUN) {
    const part = texts.slice(start, start + TEXTS_A_RUN);
    const { plan, results } = await cache.run({
      key: `relevance ${method} ${block ?? ""}`,
      plan: () => planRelevance(loaded, build(), { method, block }),
      feeds: {
        [imageInput]: repeatRow(pixels, part.length),
        [TEXT_INPUT]: rowsOf(features, start, part.length),
      },
      signal,
    });
    part.forEach((text, row) => {
      const relevance = plan.read(results, row);
      if (!relevance) throw noDependence(method, block);
      const { gridHeight, gridWidth } = relevance.grid;
      found.push({
        text,
        similarity: (results["score"]?.data[row] ?? NaN) / scale,
        map: createHostTensor(
          "float32",
          [gridHeight, gridWidth],
          Float32Array.from(relevance.places),
        ),
        method,
        path: relevance.path,
      });
    });
  }
  return found;
}

function noDependence(method: RelevanceMethod, block: number | string | undefined): ConfigError {
  return new ConfigError(
    `diptych/explain: ${method}: expected a score that depends on the places of ${block === undefined ? "a feature map" : `block ${block}`}, got none that does: the tower reads its class token alone from there. Choose an earlier block, or the method "attention".`,
  );
}

/** Where an attention pool reads the patches themselves, following attention back leaves most of what it reads out. */
function defaultMethod({ model }: RunnableModel, build: () => BuiltModel): RelevanceMethod {
  const facts = model.encoders["image"]?.facts ?? {};
  const last = attentionLayers(towerOutput(build(), "image")).at(-1);
  const shape = last ? shapeOf(last.probabilities) : [];
  const keys = shape[3];
  const known = typeof keys === "number" && tokenGrid(keys, facts) !== undefined;
  return known && isSquare(shape) ? "attention" : "gradient";
}

interface Choice {
  readonly method: RelevanceMethod;
  readonly block: number | string | undefined;
}

/**
 * The score exp(logit_scale)·cosine, as the loss sees it, and what its method reads of it. The length of the picture's
 * vector and the deviations of layer norms are held constant (docs/decisions/0012; the papers differentiate through
 * them): on models trained to look at one half of a picture, 99 % and not 83 % of the relevance by attention lies there.
 */
function planRelevance(
  { model }: RunnableModel,
  built: BuiltModel,
  { method, block }: Choice,
): RelevancePlan {
  const output = towerOutput(built, "image");
  const image = built.normalized["image"] ?? output.pooled;
  const text = input(TEXT_INPUT, shapeOf(image));
  const score = mul(sum(mul(image, text), { axes: [1] }), exp(built.logitScale));
  const facts = model.encoders["image"]?.facts ?? {};
  if (method === "attention") {
    const layers = attentionLayers(output);
    // An attention pool comes after the blocks: the last of those and what follows.
    const blocks = layers.filter(({ probabilities }) => isSquare(shapeOf(probabilities)));
    const fallback = Math.max(0, (blocks.length || layers.length) - 1);
    const from = block === undefined ? fallback : choose(layers, block);
    const used = layers.slice(from);
    const now = holdScales([score, ...used.flatMap(valuesOf)], "norms");
    return buildAttentionRelevance(
      now(score),
      used.map((layer) => rewritten(layer, now)),
      facts,
    );
  }
  const candidates = spatialValues(output, facts);
  if (candidates.length === 0) {
    throw new ConfigError(
      `diptych/explain: ${method}: expected a feature map or patch tokens among the tower's inner values, got ${Object.keys(output.intermediates).join(", ") || "none"}. Return them as intermediates of the encoder.`,
    );
  }
  const chosen =
    block === undefined ? candidates.slice(-2) : [candidates[choose(candidates, block)]!];
  const now = holdScales([score, ...chosen.map(({ value }) => value)], "attention");
  const then = chosen.map((candidate) => ({ ...candidate, value: now(candidate.value) }));
  return buildGradientRelevance(now(score), then, method === "grad-cam" ? "mean" : "place");
}

function valuesOf({ probabilities, differentiated, values, output }: AttentionLayer): Value[] {
  return [probabilities, differentiated, values, output].filter((value) => value !== undefined);
}

function rewritten(layer: AttentionLayer, now: (value: Value) => Value): AttentionLayer {
  const { path, values, output } = layer;
  return {
    path,
    probabilities: now(layer.probabilities),
    differentiated: now(layer.differentiated),
    ...(values ? { values: now(values) } : {}),
    ...(output ? { output: now(output) } : {}),
  };
}

function isSquare([, , queries, keys]: readonly unknown[]): boolean {
  return queries === keys;
}

/** Position of `block`: a path, the N of `…/blockN`, or a place in the list, negative from the end. */
function choose(values: readonly { readonly path: string }[], block: number | string): number {
  const paths = values.map(({ path }) => path.replace(/\/attention$/, ""));
  const matches = (path: string): boolean =>
    typeof block === "string"
      ? path === block.replace(/\/attention$/, "")
      : path.endsWith(`/block${block}`);
  const named = paths.flatMap((path, i) => (matches(path) ? [i] : []));
  if (named.length === 1) return named[0]!;
  const at = typeof block === "number" ? (block < 0 ? values.length + block : block) : -1;
  if (values[at]) return at;
  throw new ConfigError(
    `diptych/explain: block: expected one of ${paths.map((path, i) => `${i} (${path})`).join(", ")}, got ${block}. Give a number, negative from the end, or a path.`,
  );
}

function repeatRow({ data, shape }: HostTensor, count: number): HostTensor {
  const repeated = new Float32Array(data.length * count);
  for (let i = 0; i < count; i++) repeated.set(data, i * data.length);
  return createHostTensor("float32", [count, ...shape.slice(1)], repeated);
}

function rowsOf(
  { data, shape: [, width = 0] }: Features,
  start: number,
  count: number,
): HostTensor {
  return createHostTensor(
    "float32",
    [count, width],
    data.subarray(start * width, (start + count) * width),
  );
}
