/** Builds a model's nodes: declares inputs, runs each encoder in its scope, normalises what it pools. */
import type { Encoder, EncoderOutput, Mode } from "../contracts/encoder.js";
import type { RandomInputSpec } from "../contracts/random-inputs.js";
import { ConfigError, ShapeError } from "../errors.js";
import { dtypeOf, shapeOf, type Value } from "../graph/node.js";
import {
  createParamCollector,
  type ParamCollector,
  type ParameterSpec,
} from "../graph/param-scope.js";
import { l2Normalize } from "../ops/index.js";
import { input } from "../ops/primitives/leaves.js";
import { constantInit } from "../random/initializers.js";
import { equalShapes, formatShape } from "../tensor/shape.js";
import { encoderScope } from "./encoder-scopes.js";
import type { MultiEncoder } from "./multi-encoder.js";
import { createRandomInputs, type RandomInputCollector } from "./random-inputs.js";

/** ε of the normalisation of features, as PyTorch's F.normalize. */
export const NORMALIZE_EPSILON = 1e-12;

export interface BuildEncodersOptions extends MultiEncoder {
  readonly mode: Mode;
  /** Which towers to build; all by default. */
  readonly modalities?: readonly string[];
  /** Values to build on instead of declared inputs, by input name. */
  readonly inputs?: Readonly<Record<string, Value>>;
}

/** A built model: frozen nodes and the declarations behind them. */
export interface BuiltModel {
  readonly mode: Mode;
  /** The towers' inputs by name. */
  readonly inputs: Readonly<Record<string, Value>>;
  /** The towers' outputs by modality. */
  readonly encoded: Readonly<Record<string, EncoderOutput>>;
  /** Pooled vectors of length 1 by modality: [batch of that modality, embedDim]. */
  readonly normalized: Readonly<Record<string, Value>>;
  /** log of the similarity scale; scalar. */
  readonly logitScale: Value;
  readonly logitBias?: Value;
  /** Every weight and buffer in order of declaration. */
  readonly parameters: readonly ParameterSpec[];
  /** Their values by state-dict name. */
  readonly values: ReadonlyMap<string, Value>;
  readonly randomInputs: readonly RandomInputSpec[];
  /** What buffers become after the step, by state-dict name (training mode). */
  readonly bufferUpdates: ReadonlyMap<string, Value>;
  /** The collectors, to build more (a loss) into the same model; then take {@link withDeclarations} of it. */
  readonly collector: ParamCollector;
  readonly random: RandomInputCollector;
}

/**
 * Builds the towers of a model.
 *
 * @throws ConfigError on an unknown modality, ShapeError where a given input does not fit or an encoder's output is
 * not [batch, embedDim], and what the encoders throw.
 * @example
 * const built = buildEncoders({ ...createMultiEncoder({ encoders: { image, text } }), mode: "eval" });
 * const graph = createGraph("image", { features: built.normalized.image });
 */
export function buildEncoders(options: BuildEncodersOptions): BuiltModel {
  const { encoders, mode, logitScale, logitBias, textPrefix } = options;
  const collector = createParamCollector();
  const random = createRandomInputs();
  const chosen = (options.modalities ?? Object.keys(encoders)).map(
    (modality) => [modality, encoderOf(encoders, modality)] as const,
  );
  const inputs = declareInputs(chosen, options.inputs ?? {});
  const encoded: Record<string, EncoderOutput> = {};
  const normalized: Record<string, Value> = {};
  for (const [modality, encoder] of chosen) {
    const output = collector.root.within(encoderScope(modality, textPrefix), (scope) =>
      encoder.build({ mode, scope, random }, inputs),
    );
    checkPooled(modality, encoder, output.pooled);
    encoded[modality] = output;
    normalized[modality] = l2Normalize(output.pooled, { axis: -1, epsilon: NORMALIZE_EPSILON });
  }
  const scale = collector.root.parameter("logit_scale", [], {
    initializer: constantInit(logitScale.initial),
    ...(logitScale.bounds ? { bounds: logitScale.bounds } : {}),
  });
  const bias =
    logitBias === undefined
      ? {}
      : {
          logitBias: collector.root.parameter("logit_bias", [], {
            initializer: constantInit(logitBias),
          }),
        };
  return withDeclarations({
    mode,
    inputs: Object.freeze(inputs),
    encoded: Object.freeze(encoded),
    normalized: Object.freeze(normalized),
    logitScale: scale,
    ...bias,
    collector,
    random,
  });
}

type BuiltNodes = Omit<BuiltModel, "parameters" | "values" | "randomInputs" | "bufferUpdates">;

/** The model with everything that its collectors hold by now. */
export function withDeclarations(nodes: BuiltNodes): BuiltModel {
  const parameters = nodes.collector.specs();
  const values = new Map(
    parameters.flatMap(({ name }) => {
      const value = nodes.collector.value(name);
      return value ? [[name, value] as const] : [];
    }),
  );
  return Object.freeze({
    ...nodes,
    parameters: Object.freeze([...parameters]),
    values,
    randomInputs: Object.freeze([...nodes.random.specs()]),
    bufferUpdates: new Map(nodes.collector.bufferUpdates()),
  });
}

function encoderOf(encoders: Readonly<Record<string, Encoder>>, modality: string): Encoder {
  const encoder = encoders[modality];
  if (encoder) return encoder;
  throw new ConfigError(
    `core/buildEncoders: modalities: expected some of ${Object.keys(encoders).join(", ")}, got "${modality}". Add an encoder for it under model.encoders.`,
  );
}

function declareInputs(
  encoders: readonly (readonly [string, Encoder])[],
  given: Readonly<Record<string, Value>>,
): Record<string, Value> {
  const inputs: Record<string, Value> = {};
  for (const [, encoder] of encoders) {
    for (const { name, shape, dtype } of encoder.inputs) {
      const value = given[name];
      if (value && (dtypeOf(value) !== dtype || shapeOf(value).length !== shape.length)) {
        throw new ShapeError(
          `core/buildEncoders: input "${name}": expected ${dtype}${formatShape(shape)}, got ${dtypeOf(value)}${formatShape(shapeOf(value))}.`,
        );
      }
      inputs[name] ??= value ?? input(name, shape, dtype);
    }
  }
  return inputs;
}

function checkPooled(modality: string, encoder: Encoder, pooled: Value): void {
  const shape = shapeOf(pooled);
  const batch = shape[0] ?? 1;
  if (shape.length === 2 && equalShapes(shape, [batch, encoder.embedDim])) return;
  throw new ShapeError(
    `core/buildEncoders: ${modality}: expected pooled features [batch, ${encoder.embedDim}], got ${formatShape(shape)}. The encoder's embedDim and what it builds must agree.`,
  );
}
