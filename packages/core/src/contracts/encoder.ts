/** Encoder: builds the nodes of one tower, from its inputs to one pooled vector a sample. */
import type { ParamScope } from "../graph/param-scope.js";
import type { Value } from "../graph/node.js";
import type { DimBinding } from "../tensor/dim.js";
import type { DType } from "../tensor/dtype.js";
import type { Shape } from "../tensor/shape.js";
import type { RandomInputs } from "./random-inputs.js";

export type Mode = "train" | "eval";

/** What a builder is given. */
export interface BuildContext {
  readonly mode: Mode;
  readonly scope: ParamScope;
  /** Declares random inputs (dropout masks, kept patches), fed by the trainer. */
  readonly random: RandomInputs;
  /**
   * What symbols will stand for, where it is known when building, e.g. `{ imageBatch: 256, textBatch: 256 }`: for what has
   * to be unrolled. Shapes stay symbolic all the same.
   */
  readonly sizes?: DimBinding;
}

/** An input that the caller feeds; the first axis is the batch. */
export interface InputSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface EncoderOutput {
  /** [batch, embedDim], not normalised. */
  readonly pooled: Value;
  /** [batch, tokens, width] where the tower has tokens. */
  readonly tokens?: Value;
  /** Inner values under path names, e.g. `image/block3/attention`. */
  readonly intermediates: Readonly<Record<string, Value>>;
}

export interface Encoder {
  readonly modality: string;
  /** Width of `pooled`. */
  readonly embedDim: number;
  /** Inputs with a symbolic first axis, e.g. `image` [imageBatch, 3, 224, 224] float32, `text` [textBatch, textTokens] int32. */
  readonly inputs: readonly InputSpec[];
  /** Facts for cross-checks and transforms, e.g. imageHeight, imageWidth, channels, contextLength, vocab. */
  readonly facts: Readonly<Record<string, number | string>>;
  build(context: BuildContext, inputs: Readonly<Record<string, Value>>): EncoderOutput;
}
