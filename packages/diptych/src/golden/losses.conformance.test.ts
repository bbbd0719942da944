// Every contrastive loss with its gradients on the engines that are always there, against the float64 reference.
import { createOnnxBackend } from "@diptych/backend-onnx";
import { createTfjsBackend } from "@diptych/backend-tfjs";
import {
  createGraph,
  createParamCollector,
  createRandom,
  createRandomInputs,
  gradients,
  hostTensorFrom,
  hostValues,
  input,
  l2Normalize,
  symbolDim,
  type Backend,
  type Graph,
  type HostTensor,
  type Loss,
} from "@diptych/core";
import { bind, runPasses } from "@diptych/core/backend";
import { createReferenceBackend } from "@diptych/core/reference";
import {
  createDistillation,
  createHardNegatives,
  createInfoNce,
  createMatryoshka,
  createSigmoidLoss,
  createSupervisedContrastive,
  createWeightedSum,
} from "@diptych/losses";
import { describe, expect, it } from "vitest";

const WIDTH = 16;
const sizes = { imageBatch: 9, textBatch: 10 };

const losses: Readonly<Record<string, () => Loss>> = {
  "InfoNCE, duplicates masked": () =>
    createInfoNce({ duplicates: "masked", positives: "apart", labelSmoothing: 0.1 }),
  "InfoNCE, none of these": () =>
    createInfoNce({ noneOfThese: true, duplicates: "masked", labelSmoothing: 0.1 }),
  "InfoNCE, duplicates as negatives": () => createInfoNce({ duplicates: "negatives" }),
  "sigmoid, duplicates masked": () => createSigmoidLoss({ duplicates: "masked" }),
  "sigmoid in chunks": () => createSigmoidLoss({ chunkSize: 4 }),
  "hard negatives": () => createHardNegatives(),
  "hard negatives, corrected": () => createHardNegatives({ beta: 1, tauPlus: 0.1, alpha: 0.5 }),
  "distillation of similarities": () => createDistillation({ teacher: "t", teacherDim: 12 }),
  "distillation of features": () =>
    createDistillation({ teacher: "t", match: "features", teacherDim: WIDTH }),
  "Matryoshka of a sum": () =>
    createMatryoshka({
      loss: createWeightedSum([
        { loss: createSigmoidLoss({ chunkSize: 4 }) },
        { loss: createSupervisedContrastive(), weight: 0.5 },
      ]),
      dims: [4, 16],
    }),
};

/** Loss, metrics and gradients by what the towers would give, scale and bias. */
function gradientGraph(loss: Loss): Graph {
  const image = input("image", [symbolDim("imageBatch"), WIDTH]);
  const text = input("text", [symbolDim("textBatch"), WIDTH]);
  const [logitScale, logitBias] = [input("logitScale", []), input("logitBias", [])];
  const auxiliary = Object.fromEntries(
    loss.auxiliary.map(({ name, shape, dtype }) => [name, input(name, shape, dtype)]),
  );
  const built = loss.build(
    { mode: "train", scope: createParamCollector().root, random: createRandomInputs(), sizes },
    {
      normalized: { image: l2Normalize(image), text: l2Normalize(text) },
      encoded: {},
      inputs: {},
      logitScale,
      logitBias,
      auxiliary,
    },
  );
  const result = gradients({
    outputs: [built.loss],
    wrt: [image, text, logitScale, logitBias],
    carry: Object.values(built.metrics),
  });
  const outputs = {
    loss: result.outputs[0]!,
    ...Object.fromEntries(
      Object.keys(built.metrics).map((name, i) => [`metric ${name}`, result.carried[i]!]),
    ),
    ...Object.fromEntries(
      ["image", "text", "scale", "bias"].map((name, i) => [
        `gradient ${name}`,
        result.gradients[i]!,
      ]),
    ),
  };
  return runPasses(createGraph("loss", outputs), [bind(sizes)]);
}

/** Features near to and far from each other, two pictures and captions of one concept and two of one sample. */
function feedsOf(logScale: number): Record<string, HostTensor> {
  const random = createRandom(5);
  const normals = (rows: number, name: string): HostTensor => {
    const stream = random.split(name);
    const shared = random.split("both");
    const values = Float64Array.from({ length: rows * WIDTH }, () => shared.normal());
    return hostTensorFrom(
      "float32",
      [rows, WIDTH],
      values.map((value) => value + 0.5 * stream.normal()),
    );
  };
  const numbers = (values: readonly number[]): HostTensor =>
    hostTensorFrom("int32", [values.length], values);
  const unit = (rows: number, width: number, name: string): HostTensor => {
    const stream = random.split(name);
    const values = Array.from({ length: rows }, () => {
      const row = Array.from({ length: width }, () => stream.normal());
      return row.map((value) => value / Math.hypot(...row));
    });
    return hostTensorFrom("float32", [rows, width], values.flat());
  };
  return {
    "teacher.t.image.12": unit(sizes.imageBatch, 12, "teacher image"),
    "teacher.t.text.12": unit(sizes.textBatch, 12, "teacher text"),
    "teacher.t.scale": hostTensorFrom("float32", [], [20]),
    [`teacher.t.image.${WIDTH}`]: unit(sizes.imageBatch, WIDTH, "teacher image"),
    [`teacher.t.text.${WIDTH}`]: unit(sizes.textBatch, WIDTH, "teacher text"),
    image: normals(sizes.imageBatch, "image"),
    text: normals(sizes.textBatch, "text"),
    logitScale: hostTensorFrom("float32", [], [logScale]),
    logitBias: hostTensorFrom("float32", [], [-4]),
    imageSample: numbers([0, 0, 2, 3, 2, 5, 6, 7, 8]),
    textSample: numbers([0, 1, 2, 3, 2, 5, 6, 7, 8, 9]),
    imageItem: numbers([0, 0, 2, 3, 4, 5, 6, 7, 8]),
    textItem: numbers([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
  };
}

async function run(
  backend: Backend,
  graph: Graph,
  feeds: Readonly<Record<string, HostTensor>>,
): Promise<Map<string, Float64Array>> {
  const executable = await backend.compile(graph);
  const chosen = executable.inputNames.map((name) => [name, feeds[name]!] as const);
  const outputs = await executable.run(Object.fromEntries(chosen));
  const values = new Map<string, Float64Array>();
  for (const [name, tensor] of Object.entries(outputs))
    values.set(name, hostValues(await tensor.read()));
  await executable.dispose();
  return values;
}

const largest = (values: Float64Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

const engines: Readonly<Record<string, () => Backend | Promise<Backend>>> = {
  "ONNX Runtime": () => createOnnxBackend(),
  "TensorFlow.js, cpu": () => createTfjsBackend({ engine: "cpu" }),
  "TensorFlow.js, wasm": () => createTfjsBackend({ engine: "wasm" }),
};

describe.each(Object.entries(engines))("%s", (_, create) => {
  it.each(Object.entries(losses))("%s", async (_name, make) => {
    const graph = gradientGraph(make());
    const backend = await create();
    const feeds = feedsOf(Math.log(10));
    const expected = await run(createReferenceBackend(), graph, feeds);
    const actual = await run(backend, graph, feeds);
    const top = Math.max(
      ...[...expected].filter(([name]) => name.startsWith("gradient")).map(([, v]) => largest(v)),
    );
    expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, values] of expected) {
      const got = actual.get(name)!;
      const error = largest(values.map((value, i) => value - got[i]!));
      // As the golden gradients: 2e-5 of the tensor's largest entry, or 1e-6 of the largest gradient.
      expect(error, name).toBeLessThanOrEqual(Math.max(2e-5 * largest(values), 1e-6 * top));
    }
    // At a scale far beyond training float32 is finite as well.
    for (const [name, values] of await run(backend, graph, feedsOf(Math.log(1e4))))
      expect(values.every(Number.isFinite), `${name} at 10,000`).toBe(true);
    await backend.dispose();
  });
});
