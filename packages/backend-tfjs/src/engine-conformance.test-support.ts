// The conformance suite on one engine; where the engine is not there, a skip that says why.
import {
  add,
  conv2d,
  createGraph,
  createRandom,
  elementCount,
  gradients,
  hostTensorFrom,
  input,
  inputName,
  matmul,
  mean,
  mul,
  parameter,
  relu,
  scalarValue,
  shapeOf,
  softmax,
  staticShape,
  sub,
  symbolDim,
  type DeviceTensor,
  type Graph,
  type HostTensor,
  type Value,
} from "@diptych/core";
import { describeBackendConformance, describeWhereAvailable } from "@diptych/testing";
import { expect, it } from "vitest";
import type { EngineName } from "./engines/engine.js";
import { createTfjsBackend } from "./tfjs-backend.js";

/** Runs `suite` where the engine is there, else registers a skipped test that says what is missing. */
export const describeEngine = (engine: EngineName, suite: () => void): Promise<void> =>
  describeWhereAvailable(`tfjs, ${engine}`, () => createTfjsBackend({ engine }), suite);

export interface EngineSuiteOptions {
  /** Whether to run the large cases of the conformance suite; true by default. */
  readonly large?: boolean;
  /** Steps of the training loop that must leave nothing behind; 1,000 by default. */
  readonly leakSteps?: number;
}

export async function describeEngineConformance(
  engine: EngineName,
  { leakSteps = 1000, ...options }: EngineSuiteOptions = {},
): Promise<void> {
  await describeEngine(engine, () => {
    describeBackendConformance({
      name: `tfjs, ${engine}`,
      create: () => createTfjsBackend({ engine }),
      ...options,
    });
    describeLeaks(engine, leakSteps);
  });
}

/** Momentum on a convolution, pooling and a product: what a step keeps is given back to it by donation. */
function stepGraph(): Graph {
  const pictures = input("pictures", [symbolDim("batch"), 2, 6, 6]);
  const target = input("target", [symbolDim("batch"), 3]);
  const filter = parameter("filter", [4, 2, 3, 3]);
  const matrix = parameter("matrix", [4, 3]);
  const hidden = relu(conv2d(pictures, filter, { strides: [2, 2], padding: [1, 0, 1, 0] }));
  const error = sub(softmax(matmul(mean(hidden, { axes: [2, 3] }), matrix)), target);
  const wrt = [filter, matrix];
  const found = gradients({ outputs: [mean(mul(error, error))], wrt });
  const outputs: Record<string, Value> = { loss: found.outputs[0]! };
  wrt.forEach((value, i) => {
    const name = inputName(value.node);
    const velocity = parameter(`${name}.velocity`, shapeOf(value));
    const next = add(mul(velocity, 0.9), found.gradients[i]!);
    outputs[`${name}.velocity`] = next;
    outputs[name] = sub(value, mul(next, 0.05));
  });
  return createGraph("step", outputs);
}

function drawn(shape: readonly number[], seed: number): HostTensor {
  const data = new Float32Array(elementCount(shape));
  createRandom(seed).fillNormal(data);
  return hostTensorFrom("float32", shape, data);
}

/** A training loop of `steps` (a multiple of 10, 100 at least) leaves no tensor behind, by the engine's own count. */
export function describeLeaks(engine: EngineName, steps: number): void {
  it(`tfjs, ${engine}: ${steps} training steps leak no tensor`, async () => {
    const backend = await createTfjsBackend({ engine });
    const before = backend.engineUsage();
    const graph = stepGraph();
    const kept = graph.inputs.filter(({ node }) => node.op === "parameter");
    const donate = Object.fromEntries(
      kept.map(({ node }) => [inputName(node), inputName(node)] as const),
    );
    const executable = await backend.compile(graph, { donate });
    const state: Record<string, DeviceTensor> = {};
    for (const [i, value] of kept.entries()) {
      const shape = staticShape(shapeOf(value), "leaks");
      state[inputName(value.node)] = await backend.upload(drawn(shape, i));
    }
    const losses: number[] = [];
    const usages: unknown[] = [];
    for (let step = 0; step < steps; step++) {
      // Two sizes in turn, as a last batch is smaller.
      const batch = step % 10 === 9 ? 3 : 4;
      const feeds = { pictures: drawn([batch, 2, 6, 6], 50), target: drawn([batch, 3], 51) };
      const { loss, ...next } = await executable.run({ ...feeds, ...state });
      Object.assign(state, next);
      if (step % (steps / 10) === steps / 10 - 2) {
        losses.push(scalarValue(await loss!.read()));
        usages.push({ ...backend.engineUsage(), alive: backend.memory() });
      }
      loss!.dispose();
    }
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
    // The first steps of each size make the constants that lowerings keep.
    for (const usage of usages.slice(2)) expect(usage).toEqual(usages[1]);
    for (const tensor of Object.values(state)) tensor.dispose();
    await executable.dispose();
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    await backend.dispose();
    expect(backend.engineUsage()).toEqual(before);
  });
}
