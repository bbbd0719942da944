// Whole training steps of the towers that have no golden values: loss, gradients and buffers on ONNX Runtime against the
// float64 reference. Whole models meet what single ops do not: buffers shared or written over between layers.
import { createOnnxBackend } from "@diptych/backend-onnx";
import {
  buildEncoders,
  buildLoss,
  createMultiEncoder,
  createRandom,
  hostTensorFrom,
  hostValues,
  initialiseParameters,
  type Backend,
  type Encoder,
  type HostTensor,
  type Loss,
} from "@diptych/core";
import { createReferenceBackend } from "@diptych/core/reference";
import { createCompactResNet } from "@diptych/encoders-resnet";
import { createVitEncoder } from "@diptych/encoders-vit";
import {
  createInfoNce,
  createSigmoidLoss,
  createSupervisedContrastive,
  createWeightedSum,
} from "@diptych/losses";
import { createBagOfWordsEncoder, createTextEncoder } from "@diptych/text-transformer";
import {
  buildTrainStep,
  createAdamw,
  adamwSchema,
  drawRandomInputs,
  type TrainStep,
} from "@diptych/training";
import { expect, it } from "vitest";

const SAMPLES = 3;
const IMAGES = 2 * SAMPLES;
const TOKENS = 5;
const embedDim = 8;
const dependencies = { embedDim };

interface Case {
  readonly image: Encoder;
  readonly text: Encoder;
  readonly loss: Loss;
  readonly logitBias?: number;
}

const cases: Readonly<Record<string, () => Case>> = {
  // Channels of 16 and 32 take the blocked convolutions where the machine has them.
  "compact ResNet and bag of words, InfoNCE and supervised contrastive": () => ({
    image: createCompactResNet({ imageSize: 16, stemWidth: 32, widths: [32, 48] }, dependencies),
    text: createBagOfWordsEncoder({ vocab: 20, contextLength: TOKENS, width: 12 }, dependencies),
    loss: createWeightedSum([
      { loss: createInfoNce(), weight: 1 },
      { loss: createSupervisedContrastive({ modality: "image", temperature: 0.1 }), weight: 0.5 },
    ]),
  }),
  "compact ResNet with pooled strides and mean head": () => ({
    image: createCompactResNet(
      { imageSize: 16, stemWidth: 8, widths: [8, 12], downsample: "pool", head: "mean", blocks: 2 },
      dependencies,
    ),
    text: createBagOfWordsEncoder({ vocab: 20, contextLength: TOKENS, width: 12 }, dependencies),
    loss: createInfoNce(),
  }),
  "ViT with patch dropout and LayerScale, causal transformer, sigmoid loss": () => ({
    image: createVitEncoder(
      {
        imageSize: 16,
        patchSize: 4,
        width: 16,
        layers: 2,
        heads: 2,
        patchDropout: 0.5,
        layerScale: 0.1,
      },
      dependencies,
    ),
    text: createTextEncoder(
      { vocab: 20, contextLength: TOKENS, width: 16, heads: 2, layers: 2 },
      dependencies,
    ),
    loss: createSigmoidLoss(),
    logitBias: -10,
  }),
  "ViT pooled by attention, bidirectional transformer pooled by its mean": () => ({
    image: createVitEncoder(
      {
        imageSize: 16,
        patchSize: 4,
        width: 16,
        layers: 2,
        heads: 2,
        normBefore: false,
        pooling: "attention",
        attentionPool: { queries: 3, heads: 2, take: "avg" },
      },
      dependencies,
    ),
    text: createTextEncoder(
      {
        vocab: 20,
        contextLength: TOKENS,
        width: 16,
        heads: 2,
        layers: 2,
        attention: "bidirectional",
        pooling: "mean",
        projection: "linearBias",
      },
      dependencies,
    ),
    loss: createInfoNce(),
  }),
};

function buildStep({ image, text, loss, logitBias }: Case): TrainStep {
  const model = createMultiEncoder({
    encoders: { image, text },
    ...(logitBias === undefined ? {} : { logitBias }),
  });
  return buildTrainStep({
    built: buildLoss(buildEncoders({ ...model, mode: "train" }), loss),
    optimizer: createAdamw(adamwSchema.parse({})),
    binding: { imageBatch: IMAGES, textBatch: SAMPLES, textTokens: TOKENS },
  });
}

/** Reproducible parameters (norms and gates away from 0 and 1), batch and random inputs. */
function feedsOf(step: TrainStep): Record<string, HostTensor> {
  const random = createRandom(3);
  const shaken = [...initialiseParameters(step.parameters, random)].map(([name, tensor]) => {
    const stream = random.split("shake").split(name);
    const data = tensor.data.map((value) => value + 0.05 * stream.next());
    return [name, { ...tensor, data }] as const;
  });
  const pixels = Float32Array.from({ length: IMAGES * 3 * 256 }, () => random.normal());
  const rows = (n: number, of: (i: number) => number): HostTensor =>
    hostTensorFrom(
      "int32",
      [n],
      Array.from({ length: n }, (_, i) => of(i)),
    );
  return {
    ...Object.fromEntries(shaken),
    ...drawRandomInputs(step.randomInputs, 0, 0),
    image: { dtype: "float32", shape: [IMAGES, 3, 16, 16], data: pixels },
    text: hostTensorFrom(
      "int32",
      [SAMPLES, TOKENS],
      Array.from({ length: SAMPLES * TOKENS }, (_, i) =>
        i % TOKENS === 4 ? 19 : random.integer(19),
      ),
    ),
    imageSample: rows(IMAGES, (i) => Math.floor(i / 2)),
    textSample: rows(SAMPLES, (i) => i),
  };
}

async function run(backend: Backend, step: TrainStep): Promise<Map<string, Float64Array>> {
  const feeds = feedsOf(step);
  const executable = await backend.compile(step.gradient);
  const chosen = executable.inputNames.map((name) => [name, feeds[name] as HostTensor] as const);
  const outputs = await executable.run(Object.fromEntries(chosen));
  const values = new Map<string, Float64Array>();
  for (const [name, tensor] of Object.entries(outputs))
    values.set(name, hostValues(await tensor.read()));
  await executable.dispose();
  await backend.dispose();
  return values;
}

const largest = (values: Float64Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

it.each(Object.entries(cases))("%s", async (_, make) => {
  const step = buildStep(make());
  const expected = await run(createReferenceBackend(), step);
  const actual = await run(await createOnnxBackend(), step);
  const top = Math.max(
    ...[...expected].filter(([name]) => name.startsWith("grad.")).map(([, v]) => largest(v)),
  );
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, values] of expected) {
    const got = actual.get(name) as Float64Array;
    const error = largest(values.map((value, i) => value - (got[i] as number)));
    // As the golden gradients: 2e-5 of the tensor's largest entry, or 1e-6 of the model's largest gradient.
    expect(error, name).toBeLessThanOrEqual(Math.max(2e-5 * largest(values), 1e-6 * top));
  }
});
