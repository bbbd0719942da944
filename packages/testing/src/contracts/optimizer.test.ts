import { add, mul, sub, type Optimizer, type Value } from "@diptych/core";
import { describe, expect, it } from "vitest";
import { expectFaultsFound, failingChecks } from "../failing-checks.test-support.js";
import { describeOptimizerContract, optimizerChecks } from "./optimizer.js";

/** Gradient descent with momentum. */
const sgd: Optimizer = {
  name: "sgd",
  slots: [{ name: "velocity", initial: 0 }],
  scalarNames: ["rate"],
  scalars: (_, learningRate) => ({ rate: learningRate }),
  groupOf: (spec) => ({
    name: "all",
    learningRateScale: 1,
    weightDecay: spec.weightDecay ? 0.1 : 0,
  }),
  update: ({ parameter, gradient, slots, scalars, group }) => {
    const velocity = add(
      mul(slots["velocity"]!, 0.9),
      add(gradient, mul(parameter, group.weightDecay)),
    );
    const step = mul(velocity, mul(scalars["rate"]!, group.learningRateScale));
    return { parameter: sub(parameter, step), slots: { velocity } };
  },
};

describeOptimizerContract({ name: "sgd", create: () => sgd, learningRate: 0.02 });

describe("the suite", () => {
  const broken = (change: Partial<Optimizer>) => ({
    name: "broken",
    create: () => ({ ...sgd, ...change }),
    learningRate: 0.02,
  });
  const updating = (change: (next: Value, before: Value) => Value) =>
    broken({
      update: (context) => {
        const { parameter, slots } = sgd.update(context);
        return { parameter: change(parameter, context.parameter), slots };
      },
    });

  it("finds every fault", async () => {
    await expectFaultsFound(optimizerChecks, [
      ["a scalar that is missing", broken({ scalars: () => ({}) }), /each of its scalars/],
      [
        "a scalar that is not finite",
        broken({ scalars: (_, rate) => ({ rate: 1 / rate }) }),
        /each of its scalars/,
      ],
      [
        "decay of buffers",
        broken({ groupOf: () => ({ name: "all", learningRateScale: 1, weightDecay: 0.1 }) }),
        /one group/,
      ],
      [
        "a step uphill",
        updating((next, before) => sub(mul(before, 2), next)),
        /against the gradient/,
      ],
      ["a step that ignores the rate", updating((next) => mul(next, 0.99)), /leaves the parameter/],
      ["no step at all", updating((_, before) => before), /scalars, vectors and matrices/],
      [
        "a step that is too small",
        updating((next, before) => add(before, mul(sub(next, before), 1e-6))),
        /bottom of a bowl/,
      ],
      [
        "a slot that is lost",
        broken({ update: (context) => ({ ...sgd.update(context), slots: {} }) }),
        /scalars, vectors and matrices/,
      ],
      [
        "decay that is ignored",
        broken({
          update: (context) =>
            sgd.update({ ...context, group: { ...context.group, weightDecay: 0 } }),
        }),
        /shrinks what decays/,
      ],
      [
        "an update that overflows",
        updating((next) => mul(mul(next, 1e300), 1e300)),
        /stays finite/,
      ],
    ]);
  });

  it("passes a correct one", async () => {
    expect(
      await failingChecks(optimizerChecks, { name: "sgd", create: () => sgd, learningRate: 0.02 }),
    ).toEqual(new Map());
  });
});
