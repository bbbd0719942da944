// A golden training run on the reference evaluator with state of chosen precision: what the step means.
// In float64 throughout it follows PyTorch's float64 run; with state rounded to float32 after each step it shows what
// storing weights in float32 costs at the least.
import {
  createHostTensor,
  elementCount,
  hostValues,
  inputName,
  type Graph,
  type HostTensor,
} from "@diptych/core";
import { createFloat64Tensor, evaluateGraph, type Float64Tensor } from "@diptych/core/reference";
import {
  batchOf,
  loadTraining,
  type GoldenTraining,
  type StepRecord,
} from "./training-run.golden.test-support.js";

export interface ExactRun {
  readonly history: readonly StepRecord[];
  /** State before each step, and after the last. */
  readonly states: readonly ReadonlyMap<string, Float64Tensor>[];
}

type Fed = HostTensor | Float64Tensor;

function evaluate(graph: Graph, feeds: ReadonlyMap<string, Fed>): Map<string, Float64Tensor> {
  const wanted = graph.inputs.map(({ node }) => inputName(node));
  const given = Object.fromEntries(wanted.map((name) => [name, feeds.get(name)!]));
  return new Map(Object.entries(evaluateGraph(graph, given)));
}

function firstState({ step, weights }: GoldenTraining): Map<string, Float64Tensor> {
  return new Map(
    step.state.map(({ name, shape }) => {
      const weight = weights.get(name);
      const data = weight ? hostValues(weight) : new Float64Array(elementCount(shape));
      return [name, createFloat64Tensor("float32", shape, data)];
    }),
  );
}

/** Runs of this test file, which several backends are compared with. */
const runs = new Map<string, Promise<ExactRun>>();

/** The run of `name` with state in float64, or rounded to float32 after each step. */
export function exactTraining(name: string, state: "float64" | "float32"): Promise<ExactRun> {
  const key = `${name}/${state}`;
  const run = runs.get(key) ?? repeat(name, state);
  runs.set(key, run);
  return run;
}

async function repeat(name: string, state: "float64" | "float32"): Promise<ExactRun> {
  const training = await loadTraining(name);
  const { golden, step, schedule, tensors } = training;
  const states = [firstState(training)];
  const history: StepRecord[] = [];
  for (let i = 0; i < golden.total; i++) {
    const before = states[i]!;
    const lr = schedule.learningRate(i);
    const found = evaluate(
      step.gradient,
      new Map<string, Fed>([...before, ...Object.entries(batchOf(tensors, i))]),
    );
    const report = found.get("report")!.data;
    const values: Readonly<Record<string, number>> = {
      learningRate: lr,
      ...step.optimizer.scalars(i, lr),
    };
    const scalars = step.scalarNames.map((scalar) => values[scalar]!);
    found.set("stepScalars", createFloat64Tensor("float32", [scalars.length], scalars));
    const updated = evaluate(step.update, new Map([...before, ...found]));
    const after = new Map(
      [...before].map(([entry, value]) => {
        const next = updated.get(`new.${entry}`) ?? found.get(`buffer.${entry}`) ?? value;
        return [entry, rounded(next, state)];
      }),
    );
    history.push({
      step: i,
      lr,
      loss: report[step.reportNames.indexOf("loss")]!,
      grad_norm: report[step.reportNames.indexOf("gradNorm")]!,
      logit_scale: after.get("logit_scale")!.data[0]!,
    });
    states.push(after);
  }
  return { history, states };
}

function rounded(tensor: Float64Tensor, state: "float64" | "float32"): Float64Tensor {
  if (state === "float64") return tensor;
  return createFloat64Tensor("float32", tensor.shape, Float32Array.from(tensor.data));
}

/** A state as float32 tensors. */
export function asHostState(state: ReadonlyMap<string, Float64Tensor>): Map<string, HostTensor> {
  return new Map(
    [...state].map(([name, { shape, data }]) => [
      name,
      createHostTensor("float32", shape, Float32Array.from(data)),
    ]),
  );
}
