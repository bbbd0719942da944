// One ViT-B block (width 768, 12 heads, 3,200 tokens) forward and backward on ONNX Runtime's CPU provider, and an AdamW
// update in place. `matmulShare`: the block's FLOP at the rate of a bare product of the same run, as part of its time;
// what is missing to 1 is spent outside of products. `updateOverCopy`: time per parameter over that of copying it.
import {
  add,
  createGraph,
  createParamCollector,
  div,
  gradients,
  hostTensorFrom,
  input,
  inputName,
  matmul,
  mul,
  parameter,
  shapeOf,
  sqrt,
  sub,
} from "@diptych/core";
import { createOnnxBackend } from "@diptych/backend-onnx";
import { buildTransformerBlock } from "@diptych/nn";

const [batch, tokens, width, heads] = [64, 50, 768, 12];
const repeats = 7;

export async function run() {
  const backend = await createOnnxBackend();
  try {
    const product = await measure(backend, productGraph());
    const block = await measure(backend, blockGraph());
    const update = await measureUpdate(backend);
    const rows = batch * tokens;
    const matmulFlops = 2 * rows * width * 4 * width;
    const rate = matmulFlops / product;
    // Forward 24·rows·width² for the four products of a block and 4·rows·tokens·width for attention; twice that backward,
    // where attention's scores are computed anew.
    const flops = 3 * 24 * rows * width ** 2 + (3 * 4 + 2) * rows * tokens * width;
    return {
      backend: backend.describe(),
      matmulGflops: rate / 1e6,
      blockMs: block,
      blockGflops: flops / block / 1e6,
      matmulShare: flops / rate / block,
      ...update,
    };
  } finally {
    await backend.dispose();
  }
}

function productGraph() {
  const x = input("x", [batch * tokens, width]);
  return createGraph("product", { y: matmul(x, input("w", [width, 4 * width])) });
}

function blockGraph() {
  const collector = createParamCollector();
  const x = input("x", [batch, tokens, width]);
  const context = { mode: "train", scope: collector.root };
  const { output } = buildTransformerBlock(context, x, { heads });
  const weights = collector.specs().map(({ name }) => collector.value(name));
  const cotangent = input("cotangent", shapeOf(output));
  const derived = gradients({ outputs: [output], cotangents: [cotangent], wrt: [x, ...weights] });
  const named = derived.gradients.map((value, i) => [`gradient${i}`, value]);
  return createGraph("block", { y: derived.outputs[0], ...Object.fromEntries(named) });
}

/** Milliseconds of a run with everything resident: the median. */
async function measure(backend, graph) {
  const executable = await backend.compile(graph);
  const feeds = {};
  for (const value of graph.inputs)
    feeds[inputName(value.node)] = await backend.upload(numbers(shapeOf(value)));
  let into = await executable.run(feeds);
  const times = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const start = performance.now();
    into = await executable.run(feeds, { into });
    times.push(performance.now() - start);
  }
  for (const tensor of [...Object.values(feeds), ...Object.values(into)]) tensor.dispose();
  await executable.dispose();
  return median(times);
}

/** AdamW of ten matrices of a ViT-B block, in place. */
async function measureUpdate(backend) {
  const shape = [width, 4 * width];
  const outputs = {};
  const donate = {};
  for (let i = 0; i < 10; i += 1) {
    const [w, m, v] = ["w", "m", "v"].map((name) => parameter(`${name}${i}`, shape));
    const g = input(`g${i}`, shape);
    const m2 = add(mul(m, 0.9), mul(g, 0.1));
    const v2 = add(mul(v, 0.98), mul(mul(g, g), 0.02));
    const step = div(m2, add(sqrt(v2), 1e-6));
    Object.assign(outputs, {
      [`w${i}`]: sub(mul(w, 0.9999), mul(step, 1e-3)),
      [`m${i}`]: m2,
      [`v${i}`]: v2,
    });
    for (const name of ["w", "m", "v"]) donate[`${name}${i}`] = `${name}${i}`;
  }
  const graph = createGraph("update", outputs);
  const executable = await backend.compile(graph, { donate });
  const feeds = {};
  for (const value of graph.inputs)
    feeds[inputName(value.node)] = await backend.upload(numbers(shape));
  const times = [];
  for (let repeat = 0; repeat < repeats + 1; repeat += 1) {
    const start = performance.now();
    Object.assign(feeds, await executable.run(feeds));
    times.push(performance.now() - start);
  }
  for (const tensor of Object.values(feeds)) tensor.dispose();
  await executable.dispose();
  const parameters = 10 * shape[0] * shape[1];
  const [source, target] = [
    new Float32Array(parameters).fill(1),
    new Float32Array(parameters).fill(2),
  ];
  const copies = Array.from({ length: repeats }, () => {
    const start = performance.now();
    target.set(source);
    return performance.now() - start;
  });
  const updateMs = median(times.slice(1));
  return {
    updateNsPerParameter: (updateMs * 1e6) / parameters,
    updateOverCopy: updateMs / median(copies),
  };
}

function numbers(shape) {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return hostTensorFrom(
    "float32",
    shape,
    Float32Array.from({ length: size }, (_, i) => ((i * 37) % 101) / 101 + 0.01),
  );
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
