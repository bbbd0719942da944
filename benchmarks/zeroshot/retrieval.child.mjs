// The measurement of retrieval.part.mjs. Arguments: turns, `full` or `part`.
import { createGraph, createHostTensor, createRandom, input, matmul } from "@diptych/core";
import { createCompute } from "@diptych/core/backend";
import { rankPairs } from "@diptych/zeroshot";
import { createBackend } from "../support/backend.mjs";
import { giveResult, peakBytes } from "../support/child-process.mjs";
import { median, spread } from "../support/statistics.mjs";

const rows = 100_000;
const width = 512;
const partRows = 8192;
const [turns, extent] = process.argv.slice(2);

const backend = await createBackend({ type: "onnx" });
const compute = createCompute(backend);
const images = drawSide("images");
const texts = noisy(images, 1.5);
const rate = await createRate();

const shares = [];
await search(partRows);
for (let turn = 0; turn < Number(turns); turn += 1) {
  const before = await rate.flopsPerMs();
  const { ms } = await search(partRows);
  const after = await rate.flopsPerMs();
  shares.push((2 * partRows * rows * width) / ms / ((before + after) / 2));
}
let full;
if (extent === "full") {
  const before = await rate.flopsPerMs();
  const { ms, recallAt1 } = await search(rows);
  const after = await rate.flopsPerMs();
  full = {
    ms,
    recallAt1,
    shareOfMatmulRate: (2 * rows * rows * width) / ms / ((before + after) / 2),
    peakBytes: peakBytes(),
    givenBytes: images.data.byteLength + texts.data.byteLength,
  };
}
giveResult({
  backend: backend.describe(),
  rows,
  width,
  partRows,
  shareOfMatmulRate: spread(shares),
  ...(full ? { full } : {}),
});
await rate.dispose();
await backend.dispose();

/** The first `count` pictures against all texts, and back. */
async function search(count) {
  const first = createHostTensor("float32", [count, width], images.data.subarray(0, count * width));
  const concepts = Array.from({ length: rows }, (_, i) => String(i));
  const start = performance.now();
  const { a } = await rankPairs(
    { embeddings: first, concepts: concepts.slice(0, count) },
    { embeddings: texts, concepts },
    { compute, decide: [1, 5, 10] },
  );
  const ms = performance.now() - start;
  return { ms, recallAt1: a.filter((rank) => rank < 1).length / count };
}

function drawSide(name) {
  const data = new Float32Array(rows * width);
  fillNumbers(data, name);
  return unit(data);
}

/** Even numbers of variance 1 from a seeded xorshift: a hundred million of core's own would take minutes. */
function fillNumbers(data, name) {
  let state = createRandom(1).split(name).nextUint32() | 1;
  for (let i = 0; i < data.length; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[i] = (state / 2 ** 31) * Math.sqrt(3);
  }
}

/** Directions around those of `side`, so that some are found and some are not. */
function noisy(side, scale) {
  const data = new Float32Array(rows * width);
  fillNumbers(data, "noise");
  const length = (scale / Math.sqrt(width)) * 2;
  for (let i = 0; i < data.length; i += 1) data[i] = side.data[i] + length * data[i];
  return unit(data);
}

function unit(data) {
  for (let row = 0; row < rows; row += 1) {
    const part = data.subarray(row * width, (row + 1) * width);
    let square = 0;
    for (const value of part) square += value * value;
    const length = Math.sqrt(square);
    for (let i = 0; i < width; i += 1) part[i] /= length;
  }
  return createHostTensor("float32", [rows, width], data);
}

async function createRate() {
  const [m, k, n] = [4096, width, 4096];
  const graph = createGraph("rate", { y: matmul(input("x", [m, k]), input("w", [k, n])) });
  const executable = await backend.compile(graph);
  const numbers = (shape) =>
    createHostTensor("float32", shape, images.data.slice(0, shape[0] * shape[1]));
  const feeds = {
    x: await backend.upload(numbers([m, k])),
    w: await backend.upload(numbers([k, n])),
  };
  const into = await executable.run(feeds);
  return {
    async flopsPerMs() {
      const taken = [];
      for (let i = 0; i < 5; i += 1) {
        const start = performance.now();
        await executable.run(feeds, { into });
        taken.push(performance.now() - start);
      }
      return (2 * m * k * n) / median(taken);
    },
    async dispose() {
      for (const tensor of [...Object.values(feeds), ...Object.values(into)]) tensor.dispose();
      await executable.dispose();
    },
  };
}
