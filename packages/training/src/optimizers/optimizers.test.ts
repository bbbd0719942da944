import {
  createGraph,
  hostTensorFrom,
  input,
  inputName,
  isDiptychError,
  ones,
  type HostTensor,
  type Optimizer,
  type ParameterSpec,
} from "@diptych/core";
import { evaluateGraph } from "@diptych/core/reference";
import { describe, expect, test } from "vitest";
import { createAdamw } from "./adamw.js";
import { adamwSchema, sgdSchema } from "./config.js";
import { createSgd } from "./sgd.js";

function spec(
  name: string,
  shape: readonly number[],
  weightDecay = shape.length > 1,
): ParameterSpec {
  return { name, shape, role: "weight", initializer: ones, weightDecay };
}

const SIZE = 5;
const STEPS = 12;
const FIRST = [0.3, -1.2, 2.5, 0, -0.01];
const learningRate = (step: number): number => 0.05 / (step + 1);
/** Gradients of very different sizes, and zeros at times. */
const gradientAt = (step: number): number[] =>
  FIRST.map((_, i) => (step % 3 === i % 3 ? 0 : Math.sin(step + i) * 10 ** (i - 3)));

/** Runs the optimizer's graph over STEPS steps, in float64 but for the float32 step scalars. */
function runOptimizer(optimizer: Optimizer, parameterSpec: ParameterSpec): number[] {
  const shape = parameterSpec.shape;
  const slots = Object.fromEntries(optimizer.slots.map(({ name }) => [name, input(name, shape)]));
  const scalars = Object.fromEntries(
    optimizer.scalarNames.map((name) => [name, input(`scalar.${name}`, [])]),
  );
  const output = optimizer.update({
    spec: parameterSpec,
    group: optimizer.groupOf(parameterSpec),
    parameter: input("p", shape),
    gradient: input("g", shape),
    slots,
    scalars,
  });
  const graph = createGraph("update", {
    p: output.parameter,
    ...Object.fromEntries(Object.entries(output.slots)),
  });
  let state: Record<string, HostTensor> = {
    p: hostTensorFrom("float32", shape, FIRST),
    ...Object.fromEntries(
      optimizer.slots.map(({ name, initial }) => [
        name,
        hostTensorFrom(
          "float32",
          shape,
          FIRST.map(() => initial),
        ),
      ]),
    ),
  };
  for (let step = 0; step < STEPS; step++) {
    const values = optimizer.scalars(step, learningRate(step));
    const feeds: Record<string, HostTensor> = {
      ...state,
      g: hostTensorFrom("float32", shape, gradientAt(step)),
      ...Object.fromEntries(
        Object.entries(values).map(([name, value]) => [
          `scalar.${name}`,
          hostTensorFrom("float32", [], [value]),
        ]),
      ),
    };
    const read = Object.fromEntries(
      graph.inputs.map(({ node }) => {
        const name = inputName(node);
        return [name, feeds[name]!];
      }),
    );
    const result = evaluateGraph(graph, read);
    state = Object.fromEntries(
      Object.entries(result).map(([name, { data }]) => [
        name,
        hostTensorFrom("float32", shape, data),
      ]),
    );
  }
  return Array.from(state["p"]!.data);
}

/** torch.optim.AdamW, statement by statement. */
function torchAdamw(
  weightDecay: number,
  scale: number,
  config: ReturnType<typeof adamwSchema.parse>,
) {
  const [beta1, beta2] = config.betas;
  const p = [...FIRST];
  const m = p.map(() => 0);
  const v = p.map(() => 0);
  for (let step = 1; step <= STEPS; step++) {
    const lr = learningRate(step - 1) * scale;
    const g = gradientAt(step - 1);
    const correction1 = 1 - beta1 ** step;
    const correction2 = 1 - beta2 ** step;
    for (let i = 0; i < p.length; i++) {
      p[i] = p[i]! * (1 - lr * weightDecay);
      m[i] = m[i]! + (1 - beta1) * (g[i]! - m[i]!);
      v[i] = v[i]! * beta2 + (1 - beta2) * g[i]! * g[i]!;
      const denominator = Math.sqrt(v[i]!) / Math.sqrt(correction2) + config.epsilon;
      p[i] = p[i]! - (lr / correction1) * (m[i]! / denominator);
    }
  }
  return p;
}

/** torch.optim.SGD, statement by statement. */
function torchSgd(momentum: number, nesterov: boolean, weightDecay: number) {
  const p = [...FIRST];
  const buffer = p.map(() => 0);
  for (let step = 0; step < STEPS; step++) {
    const g = gradientAt(step);
    for (let i = 0; i < p.length; i++) {
      let d = g[i]! + weightDecay * p[i]!;
      if (momentum > 0) {
        buffer[i] = momentum * buffer[i]! + d;
        d = nesterov ? d + momentum * buffer[i]! : buffer[i]!;
      }
      p[i] = p[i]! - learningRate(step) * d;
    }
  }
  return p;
}

function expectNear(values: readonly number[], truth: readonly number[]): void {
  truth.forEach((value, i) => {
    expect(Math.abs(values[i]! - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)));
  });
}

describe("AdamW", () => {
  test.each([
    ["the defaults", {}],
    ["PyTorch's β and a large ε", { betas: [0.9, 0.999] as [number, number], epsilon: 1e-2 }],
    ["no momentum", { betas: [0, 0.5] as [number, number], weightDecay: 0 }],
  ])("steps as PyTorch's with %s", (_, input) => {
    const config = adamwSchema.parse(input);
    const decayed = runOptimizer(createAdamw(config), spec("weight", [1, SIZE]));
    expectNear(decayed, torchAdamw(config.weightDecay, 1, config));
    const exempt = runOptimizer(createAdamw(config), spec("bias", [SIZE]));
    expectNear(exempt, torchAdamw(0, 1, config));
  });

  test("groups scale the learning rate and set the decay", () => {
    const config = adamwSchema.parse({
      groups: [{ pattern: "visual.*", learningRateScale: 0.25, weightDecay: 0.5 }],
    });
    const values = runOptimizer(createAdamw(config), spec("visual.proj", [1, SIZE]));
    expectNear(values, torchAdamw(0.5, 0.25, config));
  });
});

describe("SGD", () => {
  test.each([
    [0, false, 0],
    [0.9, false, 0],
    [0.9, true, 0.1],
    [0.5, false, 0.1],
  ])(
    "steps as PyTorch's with momentum %d, nesterov %s, decay %d",
    (momentum, nesterov, weightDecay) => {
      const optimizer = createSgd(sgdSchema.parse({ momentum, nesterov, weightDecay }));
      expect(optimizer.slots.length).toBe(momentum === 0 ? 0 : 1);
      const values = runOptimizer(optimizer, spec("weight", [1, SIZE]));
      expectNear(values, torchSgd(momentum, nesterov, weightDecay));
    },
  );

  test("nesterov needs momentum", () => {
    expect(sgdSchema.safeParse({ nesterov: true, momentum: 0 }).error?.message).toMatch(/momentum/);
  });
});

describe("parameter groups", () => {
  const specs = [
    spec("visual.proj", [4, 4]),
    spec("visual.conv1.weight", [4, 3]),
    spec("ln_final.weight", [4]),
    spec("positional_embedding", [8, 4], false),
  ];

  test("each parameter has one group; exemptions hold in all of them", () => {
    const optimizer = createAdamw(
      adamwSchema.parse({ groups: [{ pattern: "visual.*", weightDecay: 0.3 }] }),
    );
    optimizer.checkParameters?.(specs);
    expect(specs.map((each) => optimizer.groupOf(each).weightDecay)).toEqual([0.3, 0.3, 0, 0]);
  });

  test("the legacy rule decays positional embeddings and exempts by name", () => {
    const optimizer = createAdamw(adamwSchema.parse({ decayRule: "legacy" }));
    const decay = (each: ParameterSpec): number => optimizer.groupOf(each).weightDecay;
    expect(decay(spec("positional_embedding", [8, 4], false))).toBe(0.2);
    expect(decay(spec("visual.ln_pre.weight", [4, 4]))).toBe(0);
    expect(decay(spec("visual.bn1.weight", [4, 4]))).toBe(0);
    expect(decay(spec("logit_scale", []))).toBe(0);
  });

  test("names patterns that match nothing and parameters that match twice, all at once", () => {
    const optimizer = createAdamw(
      adamwSchema.parse({
        groups: [
          { pattern: "visual.*" },
          { pattern: "*.proj" },
          { pattern: "visaul.conv1.weight" },
        ],
      }),
    );
    const check = (): void => optimizer.checkParameters?.(specs);
    expect(check).toThrow(
      /"visaul\.conv1\.weight" matches no parameter; nearest name "visual\.conv1\.weight"/,
    );
    expect(check).toThrow(/"visual\.proj" matches "visual\.\*" and "\*\.proj"/);
    try {
      check();
    } catch (error) {
      expect(isDiptychError(error, "CONFIG")).toBe(true);
    }
    expect(() => optimizer.groupOf(specs[0]!)).toThrow(/one pattern per parameter/);
  });
});
