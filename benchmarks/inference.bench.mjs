// Embedding with ViT-B/32 and RN50: this project in float32 and int8, PyTorch's open_clip and transformers.js, in turns in
// one run on the same weights, captions and files. Also: the share of the machine's rate of products, and the time and
// memory from a file to the first result. PyTorch needs its own Python: `npm run bench:python` makes it.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "diptych";
import { captions, cases, pictureFiles } from "./inference/cases.mjs";
import { prepareModels } from "./inference/models.mjs";
import { startSide } from "./support/side.mjs";
import { measureApart } from "./support/child-process.mjs";
import { benchPython } from "./support/python.mjs";
import { median, spread } from "./support/statistics.mjs";

const turns = Number(process.env.BENCH_TURNS ?? 7);
const here = (file) => fileURLToPath(new URL(`inference/${file}`, import.meta.url));
/** Multiply-adds of an image tower for one picture, times two. */
const imageFlops = { vit: 8.73e9, rn50: 12.2e9 };

export async function run() {
  const folders = await prepareModels();
  const python = benchPython();
  if (!python) {
    console.log(
      "inference: PyTorch is left out: `npm run bench:python` installs it for benchmarks.",
    );
  }
  const results = {};
  for (const model of ["vit", "rn50"]) results[model] = await compare(model, folders, python);
  const load = {};
  for (const prepack of ["prepacked", "not prepacked"])
    load[prepack] = await measureApart("../inference/load.child.mjs", folders.vit, prepack);
  return { ...results, load };
}

async function compare(model, folders, python) {
  const sides = await startSides(model, folders, python);
  try {
    const wanted = Object.entries(cases).filter(
      ([, { kind }]) => model === "vit" || kind === "images",
    );
    const found = {};
    await checkAgreement(sides);
    for (const [name, request] of wanted) found[name] = await measureCase(model, sides, request);
    return { sides: names(sides), cases: found };
  } finally {
    for (const side of Object.values(sides)) await side.close();
  }
}

async function startSides(model, folders, python) {
  const node = (file, ...args) => startSide(process.execPath, [here(file), ...args]);
  const sides = { fp32: await node("diptych.side.mjs", folders[model], "fp32") };
  if (model === "vit") {
    sides.int8 = await node("diptych.side.mjs", folders[model], "int8");
    sides.transformersJs = await node("transformers-js.side.mjs", folders.transformersJs, "fp32");
    sides.transformersJsInt8 = await node(
      "transformers-js.side.mjs",
      folders.transformersJs,
      "int8",
    );
  }
  if (python)
    sides.pytorch = await startSide(python, [
      here("open-clip.side.py"),
      folders[model],
      await inputsFile(),
    ]);
  return sides;
}

async function inputsFile() {
  const file = path.join(cacheFolder(), "bench", "inputs.json");
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ texts: captions(256), files: await pictureFiles(32) }));
  if (!existsSync(file)) throw new Error(`bench: ${file}: expected it written.`);
  return file;
}

const names = (sides) =>
  Object.fromEntries(Object.entries(sides).map(([key, { ready }]) => [key, ready.name]));

/** The sides compute the same: the first numbers of a feature are within 1e-4 (8 bits: not compared). */
async function checkAgreement(sides) {
  const request = { kind: "images", batch: 1, count: 1, first: true };
  const { first: expected } = await sides.fp32.ask(request);
  for (const key of ["pytorch", "transformersJs"]) {
    if (!sides[key]) continue;
    const { first } = await sides[key].ask(request);
    const distance = Math.max(...first.map((value, i) => Math.abs(value - expected[i])));
    if (!(distance < 1e-4))
      throw new Error(`bench: ${key}: expected the same features, got ${first}, not ${expected}.`);
  }
}

/** All sides in turns; samples a second of each, and what one is of another. */
async function measureCase(model, sides, request) {
  const milliseconds = Object.fromEntries(Object.keys(sides).map((key) => [key, []]));
  const products = [];
  for (let turn = -1; turn < turns; turn += 1) {
    for (const [key, side] of Object.entries(sides)) {
      const { ms } = await side.ask(request);
      if (turn >= 0) milliseconds[key].push(ms);
    }
    if (turn >= 0) products.push((await sides.fp32.ask({ product: true })).flopsPerMs);
  }
  const rates = Object.fromEntries(
    Object.entries(milliseconds).map(([key, times]) => [
      key,
      spread(times.map((ms) => (request.count / ms) * 1000)),
    ]),
  );
  const ratio = (ours, theirs) =>
    rates[ours] && rates[theirs] && rates[ours].median / rates[theirs].median;
  const flops = request.count * imageFlops[model];
  return {
    samplesPerSecond: rates,
    fp32ToPyTorch: ratio("fp32", "pytorch"),
    int8ToFp32: ratio("int8", "fp32"),
    int8ToPyTorch: ratio("int8", "pytorch"),
    fp32ToTransformersJs: ratio("fp32", "transformersJs"),
    int8ToTransformersJs: ratio("int8", "transformersJsInt8"),
    ...(request.kind === "images"
      ? { shareOfProducts: flops / median(milliseconds.fp32) / median(products) }
      : {}),
  };
}
