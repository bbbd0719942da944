/** Evaluator: measures a model through `encode` alone; it never builds graphs or sees a backend. */
import type { Random } from "../random/prng-contract.js";
import type { HostTensor } from "../tensor/host-tensor.js";
import type { Image, SizedDataset } from "./dataset.js";
import type { Tokenizer } from "./tokenizer.js";

/** Embeds pictures and texts; rows are L2-normalised float32 [n, embedDim]. */
export interface EncodeFunctions {
  images(images: readonly Image[]): Promise<HostTensor<"float32">>;
  texts(texts: readonly string[]): Promise<HostTensor<"float32">>;
}

export interface EvaluationContext {
  readonly encode: EncodeFunctions;
  readonly tokenizer: Tokenizer;
  readonly dataset: SizedDataset;
  readonly random: Random;
  readonly signal?: AbortSignal;
  /** Progress: done and total units. */
  readonly report?: (done: number, total: number) => void;
}

/** A metric with the counts behind it. */
export interface Metric {
  readonly value: number;
  /** Queries that the value is a mean over. */
  readonly queries: number;
  /** Candidates that each query chose among. */
  readonly candidates: number;
}

export interface Evaluator {
  readonly name: string;
  evaluate(context: EvaluationContext): Promise<Readonly<Record<string, Metric>>>;
}
