/** How many pictures and texts are scored in one run, so that its memory stays bounded whatever the loss does with a pair. */
import { dimSymbols, type Backend, type Encoder, type MultiEncoder } from "@diptych/core";
import { bindGraph, estimatePeakBytes, prepareForBackend } from "@diptych/core/backend";
import type { ScorePlan } from "./plan-scores.js";

export interface ScoreBlocks {
  readonly images: number;
  readonly texts: number;
}

export interface ScoreBlockOptions {
  readonly backend: Backend;
  readonly model: MultiEncoder;
  /** Ids of the longest text. */
  readonly contextLength: number;
  /** Pictures in one run at most: those that the image tower takes at once. */
  readonly batchSize: number;
  /** Bytes that a run may hold between its inputs and its scores, as estimated. */
  readonly memory: number;
}

/** Sizes at which memory is estimated; it grows with the pairs. */
const PROBE: ScoreBlocks = { images: 4, texts: 16 };
/** Texts of one run are as long as its longest: with few of them that is about their own length. */
const MOST_TEXTS = 64;

/** Sizes of one run. One picture and one text are scored even where they take more than `memory`. */
export function chooseScoreBlocks(plan: ScorePlan, options: ScoreBlockOptions): ScoreBlocks {
  const { backend, model, contextLength, batchSize, memory } = options;
  const sizes = {
    ...inputSizes(model.encoders["image"], PROBE.images, contextLength),
    ...inputSizes(model.encoders["text"], PROBE.texts, contextLength),
  };
  const { capabilities, name } = backend;
  const probe = prepareForBackend(bindGraph(plan.scores, sizes), capabilities, name);
  const perPair = Math.max(1, estimatePeakBytes(probe) / (PROBE.images * PROBE.texts));
  const pairs = Math.max(1, Math.floor(memory / perPair));
  const images = Math.min(batchSize, pairs);
  return { images, texts: Math.min(MOST_TEXTS, Math.floor(pairs / images)) };
}

/** What the symbols of a tower's inputs stand for: the first axis for `rows`, the others for the longest text. */
function inputSizes(
  encoder: Encoder | undefined,
  rows: number,
  contextLength: number,
): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const { shape } of encoder?.inputs ?? [])
    shape.forEach((dim, axis) => {
      for (const symbol of dimSymbols(dim)) sizes[symbol] = axis === 0 ? rows : contextLength;
    });
  return sizes;
}
