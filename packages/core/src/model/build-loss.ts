/** Builds a loss on a built model: its parameters under `loss.<name>`, its auxiliary inputs declared. */
import type { BuildContext } from "../contracts/encoder.js";
import type { Loss, LossInputs, LossOutput } from "../contracts/loss.js";
import { ConfigError, ShapeError } from "../errors.js";
import { shapeOf, type Value } from "../graph/node.js";
import { input } from "../ops/primitives/leaves.js";
import type { DimBinding } from "../tensor/dim.js";
import { formatShape } from "../tensor/shape.js";
import { withDeclarations, type BuiltModel } from "./build-encoders.js";

/** A model with a loss on it. */
export interface BuiltLoss {
  /** The model, with the loss's parameters and random inputs among its own. */
  readonly model: BuiltModel;
  /** Scalar. */
  readonly loss: Value;
  /** Scalars by name. */
  readonly metrics: Readonly<Record<string, Value>>;
  /** Auxiliary inputs of the loss by name. */
  readonly auxiliary: Readonly<Record<string, Value>>;
}

export interface BuildLossOptions {
  /** Values for auxiliary inputs instead of declared ones, by name. */
  readonly auxiliary?: Readonly<Record<string, Value>>;
  /** Features to use instead of the towers' own, by modality: GradCache feeds those of the whole batch. */
  readonly normalized?: Readonly<Record<string, Value>>;
  /** Scope of its parameters after `loss.`; its own name by default. For a term of a sum, the term's name. */
  readonly name?: string;
  /** What symbols will stand for, for losses that work in chunks, e.g. `{ imageBatch: 256, textBatch: 256 }`. */
  readonly sizes?: DimBinding;
}

/** The context in which a loss's `build` runs; a sum gets the scope `loss`, in which each part takes its own name. */
export function lossContext(model: BuiltModel, loss: Loss, name: string = loss.name): BuildContext {
  const scope = model.collector.root.child("loss");
  return {
    mode: model.mode,
    scope: loss.parts ? scope : scope.child(name.replaceAll("/", ".")),
    random: model.random,
  };
}

/**
 * Builds `loss` on `model`.
 *
 * @throws ConfigError where an auxiliary input has the name of a tower's input; ShapeError where the loss is no scalar;
 * and what the loss throws.
 */
export function buildLoss(
  model: BuiltModel,
  loss: Loss,
  options: BuildLossOptions = {},
): BuiltLoss {
  const { auxiliary: given = {}, normalized = model.normalized, name: path, sizes } = options;
  const auxiliary: Record<string, Value> = {};
  for (const { name, shape, dtype } of loss.auxiliary) {
    if (model.inputs[name]) {
      throw new ConfigError(
        `core/buildLoss: ${loss.name}: expected an auxiliary input of its own name, got "${name}", which an encoder has. Ask for it by needs: ["inputs"].`,
      );
    }
    auxiliary[name] ??= given[name] ?? input(name, shape, dtype);
  }
  const inputs: LossInputs = {
    normalized,
    encoded: model.encoded,
    inputs: model.inputs,
    logitScale: model.logitScale,
    ...(model.logitBias ? { logitBias: model.logitBias } : {}),
    auxiliary: Object.freeze(auxiliary),
  };
  const context = lossContext(model, loss, path);
  const output = loss.build({ ...context, ...(sizes ? { sizes } : {}) }, inputs);
  checkScalars(loss, output);
  return Object.freeze({
    model: withDeclarations(model),
    loss: output.loss,
    metrics: output.metrics,
    auxiliary: inputs.auxiliary,
  });
}

function checkScalars(loss: Loss, { loss: value, metrics }: LossOutput): void {
  for (const [name, scalar] of [["loss", value] as const, ...Object.entries(metrics)]) {
    if (shapeOf(scalar).length === 0) continue;
    throw new ShapeError(
      `core/buildLoss: ${loss.name}: expected scalars, got ${name} of ${formatShape(shapeOf(scalar))}. Take its mean or sum.`,
    );
  }
}
