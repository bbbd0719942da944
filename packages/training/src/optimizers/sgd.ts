/** Stochastic gradient descent with momentum, as torch.optim.SGD (dampening 0). */
import { add, mul, sub, type Optimizer, type UpdateContext, type Value } from "@diptych/core";
import { partConstructor } from "@diptych/core/plugin";
import { sgdSchema, type SgdConfig } from "./config.js";
import { createParameterGroups } from "./parameter-groups.js";

const NAME = "sgd";

/**
 * PyTorch's SGD: d = g + wd·p; b ← μ·b + d; p ← p − lr·b, or p − lr·(d + μ·b) with Nesterov's momentum.
 * Weight decay is part of the gradient here (L2), unlike AdamW's.
 */
export function createSgd(config: SgdConfig): Optimizer {
  const { momentum } = config;
  return Object.freeze({
    name: NAME,
    slots: Object.freeze(momentum === 0 ? [] : [{ name: "momentum", initial: 0 }]),
    scalarNames: Object.freeze(["learningRate"]),
    scalars: (_step: number, learningRate: number) => ({ learningRate }),
    ...createParameterGroups({ optimizer: NAME, ...config }),
    update: (context: UpdateContext) => updateSgd(context, config),
  });
}

function updateSgd(
  { parameter, gradient, slots, scalars, group }: UpdateContext,
  { momentum, nesterov }: SgdConfig,
): { parameter: Value; slots: Readonly<Record<string, Value>> } {
  const direction =
    group.weightDecay === 0 ? gradient : add(gradient, mul(parameter, group.weightDecay));
  const before = slots["momentum"];
  const velocity = before && add(mul(before, momentum), direction);
  const step =
    velocity === undefined
      ? direction
      : nesterov
        ? add(direction, mul(velocity, momentum))
        : velocity;
  const learningRate = scalars["learningRate"]!;
  const rate =
    group.learningRateScale === 1 ? learningRate : mul(learningRate, group.learningRateScale);
  return {
    parameter: sub(parameter, mul(step, rate)),
    slots: velocity ? { momentum: velocity } : {},
  };
}

/** The optimizer as a part of a configuration. */
export const sgd = partConstructor(NAME, sgdSchema);
