/** Evaluator: measures a model through what its context offers; it never sees a backend, its weights or its towers. */
import type { Graph } from "../graph/graph.js";
import type { Random } from "../random/prng-contract.js";
import type { HostTensor } from "../tensor/host-tensor.js";
import type { Image, SizedDataset } from "./dataset.js";
import type { Tokenizer } from "./tokenizer.js";

export interface EncodeFunctionOptions {
  /** Whether rows are scaled to length 1; true by default. */
  readonly normalize?: boolean;
  readonly signal?: AbortSignal;
}

/** Embeds pictures and texts; rows are float32 [n, embedDim], of length 1 unless asked otherwise. */
export interface EncodeFunctions {
  images(images: readonly Image[], options?: EncodeFunctionOptions): Promise<HostTensor<"float32">>;
  texts(texts: readonly string[], options?: EncodeFunctionOptions): Promise<HostTensor<"float32">>;
}

/** A graph of core's ops that an evaluator wrote, ready to run; `dispose` gives its memory back. */
export interface Computation {
  /** By input name; outputs by name, as copies on the host. Symbols take their sizes from the feeds of each run. */
  run(feeds: Readonly<Record<string, HostTensor>>): Promise<Readonly<Record<string, HostTensor>>>;
  dispose(): Promise<void>;
}

/** Where large products go: a backend at its own speed, without the evaluator knowing which. */
export interface Compute {
  /** `constants`: values of inputs that are the same in every run, e.g. candidates of a search. */
  compile(
    graph: Graph,
    options?: { readonly constants?: ReadonlyMap<string, HostTensor> },
  ): Promise<Computation>;
}

/** Features that were computed before, by what they were computed from. */
export interface FeatureCache {
  /** What was stored under the key, or undefined; a damaged entry is as good as none. */
  read(key: FeatureKey): Promise<ReadonlyMap<string, HostTensor> | undefined>;
  write(key: FeatureKey, features: ReadonlyMap<string, HostTensor>): Promise<void>;
}

/** What features depend on beside model, precision and preparation of pictures, which the cache adds itself. */
export interface FeatureKey {
  /** What was embedded, e.g. `images`, `prompts`. */
  readonly what: string;
  /** Fingerprint of the content: of a dataset ({@link SizedDataset.fingerprint}), of a list of prompts. */
  readonly content: string;
}

export interface EvaluationContext {
  readonly encode: EncodeFunctions;
  /**
   * What the model's loss taught it to score: [images, texts], larger where they fit better. Absent where the loss was
   * not saved with the model or says nothing else than the similarity of the features.
   */
  readonly score?: (
    images: readonly Image[],
    texts: readonly string[],
  ) => Promise<HostTensor<"float32">>;
  /** exp of the learned log scale: what the model multiplies similarities with before a softmax. Absent where it has none. */
  readonly similarityScale?: number;
  readonly tokenizer: Tokenizer;
  readonly dataset: SizedDataset;
  /** Samples to learn from (linear probe, few shots, nearest neighbours), where the configuration names them. */
  readonly trainDataset?: SizedDataset;
  readonly compute: Compute;
  readonly cache?: FeatureCache;
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

/** What each test item came to, so that two models can be compared item by item. */
export interface ItemOutcomes {
  /** Stable names; equal names in two results are the same question. */
  readonly ids: readonly string[];
  /** By name of the metric that is the mean over them: one number an item. NaN: the item has no answer. */
  readonly values: Readonly<Record<string, readonly number[]>>;
}

/** Right and wrong answers by class. */
export interface ClassOutcomes {
  readonly names: readonly string[];
  /** Items of each class, and the share of them that was answered right; NaN for a class without items. */
  readonly queries: readonly number[];
  readonly recall: readonly number[];
  /** Where items may have several classes: average precision of each; NaN for a class without items. */
  readonly averagePrecision?: readonly number[];
  /** Counts by true and guessed class, those that are not 0: [class, guess, count]. */
  readonly confusion?: readonly (readonly [number, number, number])[];
}

/** One item to look at. */
export interface ItemExample {
  /** `mistake`: answered wrong, most confident first; `success`; `neighbours`: what lies nearest. */
  readonly kind: "mistake" | "success" | "neighbours";
  readonly id: string;
  /** Position of the picture's sample in the dataset; absent where the query is a text. */
  readonly sample?: number;
  /** The query where it is a text. */
  readonly text?: string;
  /** Right answer, where there is one name for it. */
  readonly expected?: string;
  /** Answers, best first, each a name or caption, or the position of a sample whose picture it is. */
  readonly answers: readonly {
    readonly text?: string;
    readonly sample?: number;
    readonly score: number;
    readonly right?: boolean;
  }[];
}

/** What an evaluator finds. */
export interface Evaluation {
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly items?: ItemOutcomes;
  readonly classes?: ClassOutcomes;
  /** Metrics by group (`labels` of samples): label → value of the label → metrics. */
  readonly groups?: Readonly<
    Record<string, Readonly<Record<string, Readonly<Record<string, Metric>>>>>
  >;
  readonly examples?: readonly ItemExample[];
  /** What a reader of the metrics must know: classes without items, items that were left out. Whole sentences. */
  readonly notes?: readonly string[];
}

export interface Evaluator {
  readonly name: string;
  /** Name of the metric that stands for the others in a table; the first one by default. */
  readonly mainMetric?: string;
  evaluate(context: EvaluationContext): Promise<Evaluation>;
}
