// ViT-B/32 on an NVIDIA GPU: the training step at batch 256 and both towers' inference at batch 512, in float32, with TF32
// and in mixed precision, beside PyTorch, eager and compiled, on the same card, in turns. It also shows what crosses the
// bus in a step. Without the provider it says what is missing and measures nothing.
import { fileURLToPath } from "node:url";
import { openClipConfigs } from "diptych";
import { createBackend } from "./support/backend.mjs";
import { benchPython } from "./support/python.mjs";
import { startSide } from "./support/side.mjs";
import { median, spread } from "./support/statistics.mjs";

const turns = Number(process.env.BENCH_TURNS ?? 10);
const here = (file) => fileURLToPath(new URL(`backends/${file}`, import.meta.url));

const config = openClipConfigs["ViT-B-32"];
const cases = {
  "ViT-B/32 step, batch 256": { kind: "training", config, batch: 256 },
  "ViT-B/32 inference, batch 512": { kind: "inference", config, batch: 512 },
};
const precisions = {
  fp32: {},
  TF32: { tf32: true },
  "mixed-fp16": { tf32: true, precision: "mixed-fp16" },
  "mixed-bf16": { tf32: true, precision: "mixed-bf16" },
};

export async function run() {
  const refused = await whyNot();
  if (refused !== undefined) {
    console.log(`cuda: nothing measured: ${refused}`);
    return { refused };
  }
  const results = {};
  for (const [name, wanted] of Object.entries(cases)) {
    results[name] = {};
    for (const precision of Object.keys(precisions)) {
      results[name][precision] = await measure(wanted, precision);
      console.log(`${name}, ${precision}: ${summary(results[name][precision])}`);
    }
  }
  return { results };
}

/** Why the provider cannot be used here, undefined where it can. */
async function whyNot() {
  try {
    const backend = await createBackend({ type: "onnx", provider: "cuda" });
    await backend.dispose();
    return undefined;
  } catch (error) {
    return error.message;
  }
}

async function measure(wanted, precision) {
  const sides = await openSides(wanted, precision);
  try {
    const measured = Object.fromEntries(
      Object.keys(sides).map((key) => [key, { times: [], bus: [] }]),
    );
    // The first turns compile, choose algorithms and fill the arenas.
    for (let turn = -3; turn < turns; turn += 1) {
      for (const [key, side] of Object.entries(sides)) {
        const { ms, value, bus } = await side.ask({ run: true });
        measured[key].value ??= value;
        if (turn < 0) continue;
        measured[key].times.push(ms);
        if (bus) measured[key].bus.push(bus);
      }
    }
    return Object.fromEntries(
      Object.entries(measured).map(([key, { times, bus, value }]) => [
        key,
        {
          name: sides[key].ready.name,
          ms: spread(times),
          samplesPerSecond: (1000 * wanted.batch) / median(times),
          value,
          ...(bus.length > 0
            ? {
                bytesToDevice: median(bus.map(({ toDevice }) => toDevice)),
                bytesToHost: median(bus.map(({ toHost }) => toHost)),
              }
            : {}),
        },
      ]),
    );
  } finally {
    for (const side of Object.values(sides)) await side.close();
  }
}

/** Ours and, where its Python is set up, PyTorch's two, one card for all. */
async function openSides(wanted, name) {
  const { tf32 = false, precision } = precisions[name];
  const part = { type: "onnx", provider: "cuda", tf32 };
  const args = ["--expose-gc", here("diptych.side.mjs"), JSON.stringify(part)];
  const ours = await startSide(process.execPath, args);
  await ours.ask({ open: { ...wanted, ...(precision ? { precision } : {}) } });
  const sides = { diptych: ours };
  const interpreter = benchPython();
  for (const mode of interpreter ? ["eager", "compiled"] : []) {
    const request = JSON.stringify({ ...wanted, precision: name, mode });
    sides[`PyTorch, ${mode}`] = await startSide(interpreter, [
      here("open-clip-cuda.side.py"),
      request,
    ]);
  }
  return sides;
}

const summary = (result) =>
  Object.entries(result)
    .map(([key, { ms, samplesPerSecond, bytesToDevice, bytesToHost }]) => {
      const bus =
        bytesToDevice === undefined
          ? ""
          : `, ${(bytesToDevice / 1e6).toFixed(1)} MB up and ${(bytesToHost / 1e3).toFixed(1)} kB down`;
      return `${key} ${ms.median.toFixed(1)} ms (${samplesPerSecond.toFixed(0)}/s${bus})`;
    })
    .join("; ");
