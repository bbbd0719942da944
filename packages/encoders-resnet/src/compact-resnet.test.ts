import {
  buildEncoders,
  countParameters,
  createMultiEncoder,
  createRandom,
  formatShape,
  hostTensorFrom,
  initialiseParameters,
  shapeOf,
  type BuiltModel,
  type HostTensor,
  type Mode,
} from "@diptych/core";
import { evaluateValues } from "@diptych/core/reference";
import { describe, expect, it } from "vitest";
import { createCompactResNet } from "./compact-resnet-encoder.js";
import { compactResNet, resolveCompactResNet, type CompactResNetOptions } from "./config.js";

const tiny: CompactResNetOptions = { imageSize: 8, stemWidth: 4, widths: [4, 6], dropout: 0 };
const embedDim = 5;

function build(options: CompactResNetOptions, mode: Mode = "train"): BuiltModel {
  const image = createCompactResNet(options, { embedDim });
  return buildEncoders({ ...createMultiEncoder({ encoders: { image } }), mode });
}

const pictures = hostTensorFrom(
  "float32",
  [2, 3, 8, 8],
  Float32Array.from({ length: 384 }, (_, i) => Math.sin(i * i * 0.01)),
);

function run(model: BuiltModel, given: Readonly<Record<string, HostTensor>> = {}): number[] {
  const [found] = evaluateValues([model.encoded["image"]!.pooled], {
    ...Object.fromEntries(initialiseParameters(model.parameters, createRandom(2))),
    image: pictures,
    ...given,
  });
  return [...found!.data];
}

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

describe("createCompactResNet", () => {
  it("has 0.58 M weights at the sizes of the recipe", () => {
    const image = createCompactResNet({}, { embedDim: 128 });
    const model = buildEncoders({ ...createMultiEncoder({ encoders: { image } }), mode: "train" });
    const stem = 9 * (3 * 16 + 16 * 16 + 16 * 32) + 2 * (16 + 16 + 32);
    const first = 9 * 2 * 32 * 32 + 2 * 2 * 32;
    const second = 9 * (32 * 64 + 64 * 64) + 32 * 64 + 2 * 3 * 64;
    const third = 9 * (64 * 128 + 128 * 128) + 64 * 128 + 2 * 3 * 128;
    const head = 128 * 16 * 128 + 128;
    const logitScale = 1;
    expect(countParameters(model.parameters)).toBe(
      stem + first + second + third + head + logitScale,
    );
  });

  it("has torchvision's names", () => {
    const convolutions = build(tiny)
      .parameters.filter(({ shape }) => shape.length > 1)
      .map(({ name, shape }) => `${name} ${formatShape(shape)}`);
    expect(convolutions).toEqual([
      "visual.conv1.weight [2, 3, 3, 3]",
      "visual.conv2.weight [2, 2, 3, 3]",
      "visual.conv3.weight [4, 2, 3, 3]",
      "visual.layer1.0.conv1.weight [4, 4, 3, 3]",
      "visual.layer1.0.conv2.weight [4, 4, 3, 3]",
      "visual.layer2.0.conv1.weight [6, 4, 3, 3]",
      "visual.layer2.0.conv2.weight [6, 6, 3, 3]",
      "visual.layer2.0.downsample.0.weight [6, 4, 1, 1]",
      "visual.fc.weight [5, 24]",
    ]);
    const norms = build(tiny)
      .parameters.map(({ name }) => name)
      .filter((name) => name.includes("downsample.1"));
    expect(norms.map((name) => name.split(".").at(-1))).toEqual([
      "weight",
      "bias",
      "running_mean",
      "running_var",
      "num_batches_tracked",
    ]);
  });

  it("starts each residual branch at zero", () => {
    const { parameters } = build(tiny);
    const zero = parameters
      .filter(({ name, initializer }) => name.endsWith("weight") && initializer.kind === "zeros")
      .map(({ name }) => name);
    expect(zero).toEqual(["visual.layer1.0.bn2.weight", "visual.layer2.0.bn2.weight"]);
    const noise = hostTensorFrom(
      "float32",
      [4, 4, 3, 3],
      Float32Array.from({ length: 144 }, (_, i) => Math.cos(i)),
    );
    const model = build(tiny);
    expect(run(model, { "visual.layer1.0.conv2.weight": noise })).toEqual(run(model));
  });

  it("updates every norm's buffers in training, none in evaluation", () => {
    expect(build(tiny).bufferUpdates.size).toBe(3 * 8);
    expect(build(tiny, "eval").bufferUpdates.size).toBe(0);
    expect(distance(run(build(tiny)), run(build(tiny, "eval")))).toBeGreaterThan(1e-3);
  });

  it("flattens the map or takes its mean", () => {
    const mean = build({ ...tiny, head: "mean" });
    expect(mean.parameters.find(({ name }) => name === "visual.fc.weight")!.shape).toEqual([5, 6]);
    const inner = build(tiny).encoded["image"]!.intermediates;
    expect(
      Object.entries(inner).map(([name, value]) => `${name} ${formatShape(shapeOf(value))}`),
    ).toEqual([
      "image/stem [imageBatch, 4, 4, 4]",
      "image/stage0 [imageBatch, 4, 4, 4]",
      "image/stage1 [imageBatch, 6, 2, 2]",
    ]);
  });

  it("halves by strides or by pooling first, with the same parameters", () => {
    const [strided, pooled] = [build(tiny), build({ ...tiny, downsample: "pool" })];
    expect(pooled.parameters.map(({ name }) => name)).toEqual(
      strided.parameters.map(({ name }) => name),
    );
    expect(formatShape(shapeOf(pooled.encoded["image"]!.intermediates["image/stage1"]!))).toBe(
      "[imageBatch, 6, 2, 2]",
    );
    expect(distance(run(pooled), run(strided))).toBeGreaterThan(1e-3);
  });

  it("drops inputs of the head in training", () => {
    expect(build({ ...tiny, dropout: 0.1 }).randomInputs).toMatchObject([
      { name: "visual.fc.dropout", distribution: { kind: "dropout", keep: 0.9 } },
    ]);
    expect(build({ ...tiny, dropout: 0.1 }, "eval").randomInputs).toEqual([]);
  });
});

describe("configuration", () => {
  it("takes blocks and strides for all stages or for each", () => {
    expect(resolveCompactResNet({ blocks: [1, 2, 3] }).stages).toEqual([
      { width: 32, blocks: 1, stride: 1 },
      { width: 64, blocks: 2, stride: 2 },
      { width: 128, blocks: 3, stride: 2 },
    ]);
    expect(compactResNet({ dropout: 0 })).toEqual({ type: "compact-resnet", dropout: 0 });
  });

  it("reports every problem with what would fit", () => {
    const resolve = (): unknown =>
      resolveCompactResNet({ imageSize: [30, 64], blocks: [1], strides: [1, 2], stemWidth: 5 });
    expect(resolve).toThrow("blocks: expected one entry for each of 3 stages, got 1");
    expect(resolve).toThrow("strides: expected one entry for each of 3 stages, got 2");
    expect(resolve).toThrow("stemWidth: expected an even number, got 5");
    expect(resolve).toThrow(
      "imageSize: expected a multiple of 8 (the stem and the strides halve it), got 30×64. Nearest: 32×64",
    );
  });
});
