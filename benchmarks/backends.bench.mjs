// One model on every backend, in turns in one run: ViT-B/32, RN50 and the quickstart's model on ONNX Runtime, on
// TensorFlow.js's engine `node` in float32 and with bfloat16 products, and PyTorch where its Python is set up; ViT-B/32
// inference and the quickstart's step on `wasm`; a golden model's size on `cpu` and both WebGPU paths, which without a
// GPU are a software renderer. Each side is a process of its own; engines that are not set up are left out by name.
import { fileURLToPath } from "node:url";
import { openClipConfigs } from "diptych";
import { benchPython } from "./support/python.mjs";
import { startSide } from "./support/side.mjs";
import { median, spread } from "./support/statistics.mjs";

const turns = Number(process.env.BENCH_TURNS ?? 5);
const here = (file) => fileURLToPath(new URL(`backends/${file}`, import.meta.url));

const onnx = { type: "onnx" };
const node = { type: "tfjs", engine: "node" };
const sides = {
  onnx: { part: onnx },
  "tfjs node": { part: node },
  "tfjs node, mixed-bf16": { part: node, precision: "mixed-bf16" },
  "tfjs wasm": { part: { type: "tfjs", engine: "wasm" } },
  "tfjs cpu": { part: { type: "tfjs", engine: "cpu" } },
  "tfjs webgpu": { part: { type: "tfjs", engine: "webgpu" } },
  "onnx webgpu": { part: { type: "onnx", provider: "webgpu" } },
};

/** A model of the golden fixtures' size. */
const tiny = {
  embed_dim: 24,
  vision_cfg: { layers: 3, width: 48, head_width: 16, patch_size: 16, image_size: 48 },
  text_cfg: { context_length: 16, vocab_size: 256, width: 32, heads: 2, layers: 2 },
};
const { "ViT-B-32": vit, RN50: rn50 } = openClipConfigs;
const native = ["onnx", "tfjs node"];
const cases = {
  "ViT-B/32 step, batch 32": {
    open: { kind: "training", config: vit, batch: 32 },
    on: [...native, "tfjs node, mixed-bf16"],
  },
  // Apart from the rest: five such steps at once would not fit into 24 GB.
  "ViT-B/32 beside PyTorch, step, batch 32": {
    open: { kind: "training", config: vit, batch: 32 },
    on: ["tfjs node, mixed-bf16"],
    python: true,
  },
  "RN50 step, batch 16": {
    open: { kind: "training", config: rn50, batch: 16 },
    on: [...native, "tfjs node, mixed-bf16"],
  },
  "quickstart step": {
    open: { kind: "quickstart" },
    on: [...native, "tfjs node, mixed-bf16", "tfjs wasm"],
  },
  "ViT-B/32 inference, batch 32": {
    open: { kind: "inference", config: vit, batch: 32 },
    on: native,
  },
  "ViT-B/32 inference, batch 8": {
    open: { kind: "inference", config: vit, batch: 8 },
    on: ["onnx", "tfjs wasm"],
  },
  "RN50 inference, batch 32": { open: { kind: "inference", config: rn50, batch: 32 }, on: native },
  "golden-sized step, batch 6": {
    open: { kind: "training", config: tiny, batch: 6 },
    on: ["onnx", "tfjs node", "tfjs wasm", "tfjs cpu", "tfjs webgpu", "onnx webgpu"],
  },
};

export async function run() {
  const wanted = (process.env.BENCH_CASES ?? "").split(",").filter(Boolean);
  const missing = {};
  const results = {};
  for (const [name, benchCase] of Object.entries(cases)) {
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
    results[name] = await measureCase(benchCase, missing);
    console.log(`${name}: ${summary(results[name])}`);
  }
  return { results, missing };
}

async function measureCase({ open, on, python }, missing) {
  const started = await startSides({ open, on, python }, missing);
  try {
    const times = Object.fromEntries(Object.keys(started).map((key) => [key, []]));
    const products = Object.fromEntries(Object.keys(started).map((key) => [key, []]));
    const values = {};
    for (let turn = -1; turn < turns; turn += 1) {
      for (const [key, { side, ours }] of Object.entries(started)) {
        const { ms, value } = await side.ask({ run: true });
        values[key] ??= value;
        if (turn < 0) continue;
        times[key].push(ms);
        if (ours) products[key].push((await side.ask({ product: true })).flopsPerMs);
      }
    }
    return describe(started, { times, products, values });
  } finally {
    for (const { side } of Object.values(started)) await side.close();
  }
}

/** Sides that have opened the case; one that cannot is left out and says why. */
async function startSides({ open, on, python }, missing) {
  const started = {};
  for (const key of on) {
    const { part, precision } = sides[key];
    const wanted = { ...open, ...(precision ? { precision } : {}) };
    try {
      const side = await startSide(process.execPath, [
        "--expose-gc",
        here("diptych.side.mjs"),
        JSON.stringify(part),
      ]);
      started[key] = { side, ours: true, opened: await side.ask({ open: wanted }) };
    } catch (error) {
      missing[key] = error.message;
    }
  }
  const interpreter = python ? benchPython() : undefined;
  for (const precision of interpreter ? ["fp32", "mixed-bf16"] : []) {
    const args = [here("open-clip.side.py"), JSON.stringify(open.config), open.batch, precision];
    started[`PyTorch, ${precision}`] = { side: await startSide(interpreter, args.map(String)) };
  }
  return started;
}

function describe(started, { times, products, values }) {
  const [first] = Object.keys(started);
  return Object.fromEntries(
    Object.entries(started).map(([key, { side, opened }]) => [
      key,
      {
        name: side.ready.name,
        ms: spread(times[key]),
        toFirst: median(times[key].map((ms, i) => ms / times[first][i])),
        value: values[key],
        ...(opened
          ? {
              flops: opened.flops,
              shareOfOwnProducts:
                opened.flops / median(times[key]) / Math.max(median(products[key]), 1e-9),
              openMs: opened.openMs,
              peakBytes: opened.peakBytes,
            }
          : {}),
      },
    ]),
  );
}

const summary = (result) =>
  Object.entries(result)
    .map(([key, { ms, toFirst }]) => `${key} ${ms.median.toFixed(0)} ms (${toFirst.toFixed(2)})`)
    .join(", ");
