// Features, losses and gradients of whole models against open_clip's, on any evaluator of graphs.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { safetensorsFile } from "@diptych/checkpoints";
import {
  buildEncoders,
  buildLoss,
  createGraph,
  createHostTensor,
  gradients,
  hostTensorFrom,
  inputName,
  matmul,
  mul,
  exp,
  scalarHost,
  type BuiltModel,
  type Graph,
  type HostTensor,
  type Value,
} from "@diptych/core";
import { createInfoNce, createSigmoidLoss } from "@diptych/losses";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOpenClipModel } from "../open-clip-model.js";
import { EXACT_FLOAT32, type GoldenTolerances } from "./tolerances.golden.test-support.js";

/** Folder of the goldens: DIPTYCH_GOLDENS, laid out alike, or the ones kept here. */
export const goldenFolder =
  process.env["DIPTYCH_GOLDENS"] ?? path.join(import.meta.dirname, "../../fixtures");

/** Runs graphs: the outputs' values by name. */
export interface GraphRunner {
  run(
    graph: Graph,
    feeds: Readonly<Record<string, HostTensor>>,
  ): Promise<Readonly<Record<string, ArrayLike<number>>>>;
  dispose?(): Promise<void>;
}

export type Tensors = ReadonlyMap<string, HostTensor>;

export interface ModelGolden {
  readonly name: string;
  readonly config: unknown;
  readonly weights: Tensors;
  readonly golden: Tensors;
}

/** Every tensor of a safetensors file. */
export async function readTensors(file: string): Promise<Tensors> {
  const reader = await safetensorsFile.open(file);
  try {
    const tensors = new Map<string, HostTensor>();
    for (const { name } of reader.entries) tensors.set(name, await reader.read(name));
    return tensors;
  } finally {
    await reader.close();
  }
}

/** Names of the models with golden values. */
export function goldenModels(): string[] {
  const folder = path.join(goldenFolder, "models");
  return readdirSync(folder).filter((name) =>
    existsSync(path.join(folder, name, "golden.safetensors")),
  );
}

/** `model_cfg` of a golden model. */
export function modelConfig(name: string): unknown {
  const file = path.join(goldenFolder, "models", name, "open_clip_config.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { model_cfg: unknown }).model_cfg;
}

/** Values of parameters: float32, BatchNorm's counters (int64 in files) too. */
function asParameters(tensors: Tensors): Tensors {
  return new Map(
    [...tensors].map(([name, tensor]) => [
      name,
      createHostTensor("float32", tensor.shape, Float32Array.from(tensor.data, Number)),
    ]),
  );
}

/** Whether a model has relu, as ModifiedResNets do: where a unit changes sides by rounding, chance decides the rest. */
export function hasKinks(name: string): boolean {
  return (
    (modelConfig(name) as { vision_cfg: { layers: unknown } }).vision_cfg.layers instanceof Array
  );
}

export async function loadModelGolden(name: string): Promise<ModelGolden> {
  const folder = path.join(goldenFolder, "models", name);
  return {
    name,
    config: modelConfig(name),
    weights: asParameters(await readTensors(path.join(folder, "open_clip_model.safetensors"))),
    golden: await readTensors(path.join(folder, "golden.safetensors")),
  };
}

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Largest difference, NaN where anything is not a number. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= most)) most = difference;
  }
  return most;
}

/** Before the names of buffers as one training step leaves them. */
const AFTER = "buffer_after.";

const SIGLIP_SETTINGS = {
  logitScale: { initial: Math.log(10) },
  logitBias: -10,
};

function feedsOf(golden: ModelGolden): Record<string, HostTensor> {
  const image = golden.golden.get("image")!;
  const samples = Int32Array.from({ length: image.shape[0]! }, (_, i) => i);
  const sample = hostTensorFrom("int32", [samples.length], samples);
  return {
    ...Object.fromEntries(golden.weights),
    image,
    text: golden.golden.get("text")!,
    imageSample: sample,
    textSample: sample,
  };
}

/** What a graph needs of `feeds`. */
function inputsOf(
  graph: Graph,
  feeds: Readonly<Record<string, HostTensor>>,
): Record<string, HostTensor> {
  return Object.fromEntries(
    graph.inputs.map(({ node }) => {
      const name = inputName(node);
      const tensor = feeds[name];
      if (!tensor) throw new Error(`no golden feed for ${name}`);
      return [name, tensor];
    }),
  );
}

/** Buffers as one training step leaves them: statistics as kept, counters (which are not kept) one up. */
function expectedBuffers({ golden, weights }: ModelGolden): Map<string, ArrayLike<number>> {
  const expected = new Map<string, ArrayLike<number>>();
  for (const [key, { data }] of golden) {
    if (key.startsWith(AFTER)) expected.set(key.slice(AFTER.length), data);
  }
  for (const [name, { data }] of weights) {
    if (name.endsWith("num_batches_tracked")) expected.set(name, [data[0]! + 1]);
  }
  return expected;
}

function featureGraph(model: BuiltModel): Graph {
  const { image, text } = model.normalized;
  return createGraph("features", {
    image_features: model.encoded["image"]!.pooled,
    text_features: model.encoded["text"]!.pooled,
    image_features_normalized: image!,
    text_features_normalized: text!,
    logits_per_image: matmul(mul(image!, exp(model.logitScale)), text!, { transposeB: true }),
  });
}

/** The trained parameters by name. */
function weightsOf({ parameters, values }: BuiltModel): Record<string, Value> {
  const weights = parameters.filter(({ role }) => role === "weight");
  return Object.fromEntries(weights.map(({ name }) => [name, values.get(name)!]));
}

/** Loss and the gradient by each of `wrt`, as `grad.<name>`. */
function gradientGraph(name: string, loss: Value, wrt: Readonly<Record<string, Value>>): Graph {
  const names = Object.keys(wrt);
  const result = gradients({ outputs: [loss], wrt: Object.values(wrt) });
  return createGraph(name, {
    loss: result.outputs[0]!,
    ...Object.fromEntries(names.map((key, i) => [`grad.${key}`, result.gradients[i]!])),
  });
}

/** The suite: every golden model on the runner that `create` makes. */
export function describeModelGoldens(
  label: string,
  create: () => Promise<GraphRunner>,
  {
    tolerances = EXACT_FLOAT32,
    models = goldenModels(),
  }: { readonly tolerances?: GoldenTolerances; readonly models?: readonly string[] } = {},
): void {
  if (models.length === 0) return;
  describe(`model goldens on ${label}`, () => {
    let runner: GraphRunner;
    beforeAll(async () => {
      runner = await create();
    });
    afterAll(async () => {
      await runner.dispose?.();
    });

    test("there are models to compare", () => {
      expect(models.length).toBeGreaterThan(0);
    });

    describe.each(models)("%s", (name) => {
      const allowed = hasKinks(name) ? tolerances.gradientsWithKinks : tolerances.gradients;
      let golden: ModelGolden;
      beforeAll(async () => {
        golden = await loadModelGolden(name);
      });
      const run = async (graph: Graph, feeds = feedsOf(golden)) =>
        runner.run(graph, inputsOf(graph, feeds));

      test("parameters have open_clip's names and shapes", () => {
        const model = buildEncoders({ ...createOpenClipModel(golden.config), mode: "train" });
        const declared = model.parameters.map((spec) => `${spec.name} [${spec.shape.join(", ")}]`);
        const stored = [...golden.weights].map(
          ([key, { shape }]) => `${key} [${shape.join(", ")}]`,
        );
        expect(declared.sort()).toEqual(stored.sort());
      });

      test(`features and logits are within ${tolerances.features} of the largest entry`, async () => {
        const model = buildEncoders({ ...createOpenClipModel(golden.config), mode: "eval" });
        const outputs = await run(featureGraph(model));
        for (const [key, values] of Object.entries(outputs)) {
          const expected = golden.golden.get(key)!.data;
          const off = distance(values, expected) / largest(expected);
          expect(off, `${key} is off by ${off} of its largest entry`).toBeLessThanOrEqual(
            tolerances.features,
          );
        }
      });

      test(`loss within ${tolerances.loss}, gradients within ${allowed} of their largest entry`, async () => {
        const model = buildEncoders({ ...createOpenClipModel(golden.config), mode: "train" });
        const built = buildLoss(model, createInfoNce());
        const graph = gradientGraph("info-nce", built.loss, weightsOf(model));
        const { loss, ...found } = await run(graph);
        const expectedLoss = golden.golden.get("loss")!.data[0]!;
        expect(Math.abs(loss![0]! / expectedLoss - 1)).toBeLessThanOrEqual(tolerances.loss);
        const keys = [...golden.golden.keys()].filter((key) => key.startsWith("grad."));
        expect(Object.keys(found).sort()).toEqual(keys.sort());
        const floor =
          tolerances.gradientFloor *
          Math.max(...keys.map((key) => largest(golden.golden.get(key)!.data)));
        for (const key of keys) {
          const expected = golden.golden.get(key)!.data;
          const off = distance(found[key]!, expected);
          const limit = Math.max(allowed * largest(expected), floor);
          expect(off, `${key} is off by ${off}, allowed ${limit}`).toBeLessThanOrEqual(limit);
        }
      });

      test(`buffers after one step are within ${tolerances.features} of their largest entry`, async () => {
        const model = buildEncoders({ ...createOpenClipModel(golden.config), mode: "train" });
        const expected = expectedBuffers(golden);
        expect([...model.bufferUpdates.keys()].sort()).toEqual([...expected.keys()].sort());
        if (expected.size === 0) return;
        const found = await run(createGraph("buffers", Object.fromEntries(model.bufferUpdates)));
        for (const [key, values] of expected) {
          const off = distance(found[key]!, values) / largest(values);
          expect(off, `${key} is off by ${off} of its largest entry`).toBeLessThanOrEqual(
            tolerances.features,
          );
        }
      });

      test("the sigmoid loss and its gradients alike", async () => {
        const model = buildEncoders({
          ...createOpenClipModel(golden.config),
          ...SIGLIP_SETTINGS,
          mode: "train",
        });
        const built = buildLoss(model, createSigmoidLoss());
        const graph = gradientGraph("sigmoid", built.loss, {
          image: model.normalized["image"]!,
          text: model.normalized["text"]!,
          log_scale: model.logitScale,
          bias: model.logitBias!,
        });
        const { loss, ...found } = await run(graph, {
          ...feedsOf(golden),
          logit_scale: scalarHost("float32", SIGLIP_SETTINGS.logitScale.initial),
          logit_bias: scalarHost("float32", SIGLIP_SETTINGS.logitBias),
        });
        const expectedLoss = golden.golden.get("siglip_loss")!.data[0]!;
        expect(Math.abs(loss![0]! / expectedLoss - 1)).toBeLessThanOrEqual(tolerances.loss);
        for (const [key, values] of Object.entries(found)) {
          const expected = golden.golden.get(key.replace("grad.", "siglip_grad_"))!.data;
          const off = distance(values, expected) / largest(expected);
          expect(off, `${key} is off by ${off} of its largest entry`).toBeLessThanOrEqual(
            tolerances.gradients,
          );
        }
      });
    });
  });
}
