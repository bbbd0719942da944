/** Loss: a scalar with named metrics, built from what it says it needs. */
import type { Value } from "../graph/node.js";
import type { BuildContext, EncoderOutput, InputSpec } from "./encoder.js";

/**
 * What a loss may ask for: `features`: pooled vectors, as they are and normalised; `tokens`: token sequences;
 * `inputs`: what the encoders were fed.
 */
export type LossNeed = "features" | "tokens" | "inputs";

/** What a loss sees. */
export interface LossInputs {
  /** L2-normalised pooled vectors by modality: [samples of that modality, embedDim]. */
  readonly normalized: Readonly<Record<string, Value>>;
  /** The towers' outputs by modality. */
  readonly encoded: Readonly<Record<string, EncoderOutput>>;
  /** The towers' inputs by name. */
  readonly inputs: Readonly<Record<string, Value>>;
  /** log of the similarity scale; scalar. */
  readonly logitScale: Value;
  /** Bias of the similarities where the model has one; scalar. */
  readonly logitBias?: Value;
  /** Values of the auxiliary inputs by name. */
  readonly auxiliary: Readonly<Record<string, Value>>;
}

export interface LossOutput {
  readonly loss: Value;
  /** Scalars to log, by name. */
  readonly metrics: Readonly<Record<string, Value>>;
}

/** A term of a weighted sum. */
export interface LossPart {
  /** Unique within the sum; prefix of its metrics and, after `loss.`, of its parameters. */
  readonly name: string;
  readonly loss: Loss;
  readonly weight: number;
}

/** A loss by modality names, e.g. between `image` and `text`. */
export interface Loss {
  readonly name: string;
  readonly needs: readonly LossNeed[];
  /**
   * Further inputs of the step. The loader feeds `imageSample` [imageBatch] and `textSample` [textBatch] int32: rows
   * with equal numbers show the same concept; and `imageItem`, `textItem` likewise: rows with equal numbers come from the
   * same sample. Others come from the run (a teacher's features).
   */
  readonly auxiliary: readonly InputSpec[];
  /** `batch`: sees all features of the global batch. `sample`: a mean over samples, computed per micro-batch. */
  readonly scope: "batch" | "sample";
  /** The terms of a weighted sum, so that a trainer can build those of each scope apart (see `lossParts`). */
  readonly parts?: readonly LossPart[];
  /** Models whose features this loss is taught by; the run computes them for each batch and feeds them. */
  readonly teachers?: readonly Teacher[];
  build(context: BuildContext, inputs: LossInputs): LossOutput;
  /**
   * How well each picture and each text fit, [images, texts], larger where better: what this loss teaches beside (or
   * instead of) the similarity of features, e.g. the logarithm of a caption's probability. Uses parameters that `build`
   * declares, under the same names, and of a pair nothing but the pair, so that many can be scored in parts. Absent: the
   * cosines.
   */
  buildScores?(context: BuildContext, inputs: LossInputs): Value;
}

/** A trained model that a loss learns from. */
export interface Teacher {
  /** Path or name of the model, as `loadClip` takes it. */
  readonly model: string;
  /** Auxiliary inputs that its normalised features are fed as, by modality: [imageBatch, width], [textBatch, width]. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Auxiliary input that its similarity scale, exp(logit_scale), is fed as; scalar. */
  readonly scale?: string;
}
