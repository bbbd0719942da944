/** AdamW (Loshchilov and Hutter, arXiv:1711.05101) with PyTorch's numerics, in as few passes over memory as it takes. */
import {
  add,
  div,
  mul,
  sqrt,
  sub,
  type Optimizer,
  type UpdateContext,
  type Value,
} from "@diptych/core";
import { partConstructor } from "@diptych/core/plugin";
import { adamwSchema, type AdamwConfig } from "./config.js";
import { createParameterGroups } from "./parameter-groups.js";

const NAME = "adamw";

/**
 * PyTorch's AdamW: p ← p·(1 − lr·wd) − lr/(1 − β1ᵗ) · m/(√v/√(1 − β2ᵗ) + ε), with t = step + 1.
 *
 * Each node is a pass over memory, so the slots hold the decayed sums M = m/(1 − β1) = β1·M + g and
 * V = v/(1 − β2) = β2·V + g², and every constant is folded into two numbers that the host computes in float64:
 * p ← p·(1 − lr·wd) − stepSize · M/(√V + epsilon). Multiply slot `sum` by 1 − β1 and slot `squares` by 1 − β2 to get
 * PyTorch's exp_avg and exp_avg_sq.
 */
export function createAdamw(config: AdamwConfig): Optimizer {
  const [beta1, beta2] = config.betas;
  return Object.freeze({
    name: NAME,
    slots: Object.freeze([
      { name: "sum", initial: 0 },
      { name: "squares", initial: 0 },
    ]),
    scalarNames: Object.freeze(["learningRate", "stepSize", "epsilon"]),
    scalars: (step: number, learningRate: number) => {
      const correction1 = 1 - beta1 ** (step + 1);
      const correction2 = 1 - beta2 ** (step + 1);
      // √v/√c2 = √V·root, so that root can be taken out of the denominator.
      const root = Math.sqrt((1 - beta2) / correction2);
      return {
        learningRate,
        stepSize: (learningRate * (1 - beta1)) / (correction1 * root),
        epsilon: config.epsilon / root,
      };
    },
    ...createParameterGroups({ optimizer: NAME, ...config }),
    update: (context: UpdateContext) => updateAdamw(context, beta1, beta2),
  });
}

function updateAdamw(
  { parameter, gradient, slots, scalars, group }: UpdateContext,
  beta1: number,
  beta2: number,
): { parameter: Value; slots: Readonly<Record<string, Value>> } {
  const scaled = (rate: Value): Value =>
    group.learningRateScale === 1 ? rate : mul(rate, group.learningRateScale);
  const sum = add(mul(slots["sum"]!, beta1), gradient);
  const squares = add(mul(slots["squares"]!, beta2), mul(gradient, gradient));
  const direction = div(sum, add(sqrt(squares), scalars["epsilon"]!));
  const decay = sub(1, mul(scaled(scalars["learningRate"]!), group.weightDecay));
  const kept = group.weightDecay === 0 ? parameter : mul(parameter, decay);
  return {
    parameter: sub(kept, mul(direction, scaled(scalars["stepSize"]!))),
    slots: { sum, squares },
  };
}

/** The optimizer as a part of a configuration. */
export const adamw = partConstructor(NAME, adamwSchema);
