/** What every optimizer promises, checked on the float64 reference. */
import {
  createRandom,
  decays,
  dtypeOf,
  equalShapes,
  hostTensorFrom,
  input,
  shapeOf,
  zeros,
  type Optimizer,
  type ParameterGroup,
  type ParameterSpec,
} from "@diptych/core";
import { createFloat64Tensor, evaluateValues, type Float64Tensor } from "@diptych/core/reference";
import { describe, expect } from "vitest";
import { registerChecks, type ContractCheck } from "../contract-check.js";
import { expectClose } from "../matchers.js";

export interface OptimizerContractOptions {
  readonly name: string;
  readonly create: () => Optimizer;
  /** A rate at which it settles on a well-conditioned bowl within 300 steps; 0.05 by default. */
  readonly learningRate?: number;
}

const MATRIX = specOf("visual.proj", [2, 3]);

function specOf(
  name: string,
  shape: readonly number[],
  role: ParameterSpec["role"] = "weight",
): ParameterSpec {
  return {
    name,
    shape,
    role,
    initializer: zeros,
    weightDecay: role === "weight" && shape.length > 1,
  };
}

/** State of one parameter on the host. */
interface State {
  readonly parameter: Float64Tensor;
  readonly slots: Readonly<Record<string, Float64Tensor>>;
}

function start(optimizer: Optimizer, shape: readonly number[], values: ArrayLike<number>): State {
  const filled = (value: number): Float64Tensor =>
    createFloat64Tensor(
      "float32",
      shape,
      Array.from(values, () => value),
    );
  return {
    parameter: createFloat64Tensor("float32", shape, Float64Array.from(values)),
    slots: Object.fromEntries(optimizer.slots.map(({ name, initial }) => [name, filled(initial)])),
  };
}

interface Step {
  readonly spec?: ParameterSpec;
  readonly group?: Partial<ParameterGroup>;
  readonly step?: number;
  readonly learningRate: number;
}

/** One update, evaluated. */
function advance(
  optimizer: Optimizer,
  state: State,
  gradient: ArrayLike<number>,
  options: Step,
): State {
  const { shape } = state.parameter;
  const spec = options.spec ?? { ...MATRIX, shape };
  const names = Object.keys(state.slots);
  const output = optimizer.update({
    spec,
    group: { ...optimizer.groupOf(spec), ...options.group },
    parameter: input("parameter", shape),
    gradient: input("gradient", shape),
    slots: Object.fromEntries(names.map((name) => [name, input(`slot ${name}`, shape)])),
    scalars: Object.fromEntries(
      optimizer.scalarNames.map((name) => [name, input(`scalar ${name}`, [])]),
    ),
  });
  expect(Object.keys(output.slots).sort(), "slots of an update").toEqual([...names].sort());
  for (const value of [output.parameter, ...Object.values(output.slots)]) {
    expect(equalShapes(shapeOf(value), shape), "an update keeps the parameter's shape").toBe(true);
    expect(dtypeOf(value)).toBe("float32");
  }
  const scalars = optimizer.scalars(options.step ?? 0, options.learningRate);
  const feeds = {
    parameter: state.parameter,
    gradient: createFloat64Tensor("float32", shape, Float64Array.from(gradient)),
    ...Object.fromEntries(names.map((name) => [`slot ${name}`, state.slots[name]!])),
    ...Object.fromEntries(
      optimizer.scalarNames.map((name) => [
        `scalar ${name}`,
        hostTensorFrom("float32", [], [scalars[name] ?? NaN]),
      ]),
    ),
  };
  const [parameter, ...slots] = evaluateValues(
    [output.parameter, ...names.map((name) => output.slots[name]!)],
    feeds,
  );
  return {
    parameter: parameter!,
    slots: Object.fromEntries(names.map((name, i) => [name, slots[i]!])),
  };
}

const START = [1, -2, 0.5, 3, -0.25, 2];
const GRADIENT = [0.3, -1, 2, 0.1, -0.4, 1];

const declared: readonly ContractCheck<OptimizerContractOptions>[] = [
  {
    name: "gives each of its scalars at every step, finite, and no other",
    run: ({ create }) => {
      const optimizer = create();
      for (const step of [0, 1, 10, 1_000_000]) {
        for (const rate of [0, 1e-3]) {
          const scalars = optimizer.scalars(step, rate);
          expect(Object.keys(scalars).sort()).toEqual([...optimizer.scalarNames].sort());
          for (const [name, value] of Object.entries(scalars))
            expect(Number.isFinite(value), `${name} at step ${step} is finite`).toBe(true);
        }
      }
    },
  },
  {
    name: "puts each parameter into one group with sensible settings, buffers without decay",
    run: ({ create }) => {
      const optimizer = create();
      const specs = [
        MATRIX,
        specOf("ln_final.bias", [3]),
        specOf("logit_scale", []),
        specOf("bn1.running_mean", [3], "buffer"),
      ];
      for (const spec of specs) {
        const group = optimizer.groupOf(spec);
        expect(optimizer.groupOf(spec)).toEqual(group);
        expect(group.name).not.toBe("");
        expect(group.learningRateScale).toBeGreaterThanOrEqual(0);
        expect(group.weightDecay).toBeGreaterThanOrEqual(0);
        if (!decays(spec)) expect(group.weightDecay, `weight decay of ${spec.name}`).toBe(0);
      }
    },
  },
];

const computed: readonly ContractCheck<OptimizerContractOptions>[] = [
  {
    name: "updates scalars, vectors and matrices, with slots of their shape",
    run: ({ create }) => {
      for (const shape of [[], [5], [2, 3], [2, 1, 3, 3]]) {
        const size = shape.reduce((a, b) => a * b, 1);
        const values = Array.from({ length: size }, (_, i) => Math.sin(i + 1));
        const optimizer = create();
        const { parameter } = advance(optimizer, start(optimizer, shape, values), values, {
          learningRate: 0.01,
        });
        expect(parameter.data.every(Number.isFinite)).toBe(true);
        expect(
          parameter.data.some((value, i) => value !== values[i]),
          `an update of [${shape.join(", ")}] moves it`,
        ).toBe(true);
      }
    },
  },
  {
    name: "goes against the gradient in its first step",
    run: ({ create }) => {
      const optimizer = create();
      const state = start(optimizer, [2, 3], START);
      const { parameter } = advance(optimizer, state, GRADIENT, {
        learningRate: 1e-3,
        group: { weightDecay: 0 },
      });
      const descent = parameter.data.reduce(
        (total, value, i) => total + (value - START[i]!) * GRADIENT[i]!,
        0,
      );
      expect(descent).toBeLessThan(0);
    },
  },
  {
    name: "leaves the parameter where the learning rate or the group's scale is 0",
    run: ({ create }) => {
      const optimizer = create();
      const state = start(optimizer, [2, 3], START);
      for (const options of [
        { learningRate: 0 },
        { learningRate: 0.1, group: { learningRateScale: 0 } },
      ]) {
        const { parameter } = advance(optimizer, state, GRADIENT, options);
        expectClose(parameter, state.parameter, {
          relativeToLargest: 1e-12,
          what: JSON.stringify(options),
        });
      }
    },
  },
  {
    name: "shrinks what decays and nothing else where there is no gradient",
    run: ({ create }) => {
      const optimizer = create();
      const state = start(optimizer, [2, 3], START);
      const none = START.map(() => 0);
      const decayed = advance(optimizer, state, none, {
        learningRate: 0.1,
        group: { weightDecay: 0.5 },
      });
      decayed.parameter.data.forEach((value, i) =>
        expect(Math.abs(value)).toBeLessThan(Math.abs(START[i]!)),
      );
      const kept = advance(optimizer, state, none, {
        learningRate: 0.1,
        group: { weightDecay: 0 },
      });
      expectClose(kept.parameter, state.parameter, { relativeToLargest: 1e-12 });
    },
  },
  {
    name: "stays finite for gradients of 0, ±60, ±1e4 and 1e-20",
    run: ({ create }) => {
      const optimizer = create();
      let state = start(optimizer, [2, 3], START);
      for (let step = 0; step < 3; step++)
        state = advance(optimizer, state, [0, 60, -60, 1e4, -1e4, 1e-20], {
          step,
          learningRate: 1e-3,
        });
      for (const tensor of [state.parameter, ...Object.values(state.slots)])
        expect(tensor.data.every(Number.isFinite)).toBe(true);
    },
  },
  {
    name: "finds the bottom of a bowl",
    run: ({ create, learningRate = 0.05 }) => {
      const optimizer = create();
      const random = createRandom(1);
      let state = start(
        optimizer,
        [2, 3],
        START.map((value) => value + random.normal()),
      );
      const curvature = [1, 2, 3, 1, 2, 3];
      const height = ({ parameter }: State): number =>
        parameter.data.reduce((total, value, i) => total + 0.5 * curvature[i]! * value ** 2, 0);
      const before = height(state);
      for (let step = 0; step < 300; step++) {
        const slope = state.parameter.data.map((value, i) => curvature[i]! * value);
        // Toward the end the rate falls, so that methods with steps of fixed size settle too.
        state = advance(optimizer, state, slope, {
          step,
          learningRate: learningRate * (1 - step / 300),
          group: { weightDecay: 0 },
        });
      }
      expect(height(state)).toBeLessThan(1e-2 * before);
    },
  },
];

/** The optimizer contract as checks, for tests of the suite itself. */
export const optimizerChecks: readonly ContractCheck<OptimizerContractOptions>[] = [
  ...declared,
  ...computed,
];

/**
 * Registers the optimizer contract's tests.
 *
 * @example
 * describeOptimizerContract({ name: "sgd", create: () => createSgd({ momentum: 0.9 }) });
 */
export function describeOptimizerContract(options: OptimizerContractOptions): void {
  describe(`optimizer contract: ${options.name}`, () =>
    registerChecks(optimizerChecks, () => options));
}
