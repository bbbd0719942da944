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
import {
  modifiedResNet,
  resolveModifiedResNet,
  type ModifiedResNetOptions,
} from "./modified-resnet-config.js";
import { createModifiedResNet } from "./modified-resnet-encoder.js";

const tiny: ModifiedResNetOptions = { imageSize: 64, width: 2, layers: [1, 2, 1, 1], heads: 2 };
const embedDim = 3;

function build(options: ModifiedResNetOptions = tiny, mode: Mode = "train"): BuiltModel {
  const image = createModifiedResNet(options, { embedDim });
  return buildEncoders({ ...createMultiEncoder({ encoders: { image } }), mode });
}

const pictures = hostTensorFrom(
  "float32",
  [3, 3, 64, 64],
  Float32Array.from({ length: 3 * 3 * 64 * 64 }, (_, i) => Math.sin(i * i * 0.01)),
);

/** Parameters as they start, but running statistics away from 0 and 1. */
function values(model: BuiltModel): Record<string, HostTensor> {
  const initial = initialiseParameters(model.parameters, createRandom(2));
  return Object.fromEntries(
    [...initial].map(([name, tensor]) => [
      name,
      name.endsWith("running_var")
        ? { ...tensor, data: tensor.data.map((value, i) => value + 0.1 * (i % 3)) }
        : tensor,
    ]),
  );
}

function features(model: BuiltModel, image: HostTensor = pictures): number[] {
  const [found] = evaluateValues([model.encoded["image"]!.pooled], { ...values(model), image });
  return [...found!.data];
}

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

describe("createModifiedResNet", () => {
  it("has open_clip's names and shapes", () => {
    const matrices = build()
      .parameters.filter(({ shape, name }) => shape.length > 1 && name.startsWith("visual."))
      .map(({ name, shape }) => `${name.replace("visual.", "")} ${formatShape(shape)}`);
    expect(matrices).toEqual([
      "conv1.weight [1, 3, 3, 3]",
      "conv2.weight [1, 1, 3, 3]",
      "conv3.weight [2, 1, 3, 3]",
      "layer1.0.conv1.weight [2, 2, 1, 1]",
      "layer1.0.conv2.weight [2, 2, 3, 3]",
      "layer1.0.conv3.weight [8, 2, 1, 1]",
      "layer1.0.downsample.0.weight [8, 2, 1, 1]",
      "layer2.0.conv1.weight [4, 8, 1, 1]",
      "layer2.0.conv2.weight [4, 4, 3, 3]",
      "layer2.0.conv3.weight [16, 4, 1, 1]",
      "layer2.0.downsample.0.weight [16, 8, 1, 1]",
      "layer2.1.conv1.weight [4, 16, 1, 1]",
      "layer2.1.conv2.weight [4, 4, 3, 3]",
      "layer2.1.conv3.weight [16, 4, 1, 1]",
      "layer3.0.conv1.weight [8, 16, 1, 1]",
      "layer3.0.conv2.weight [8, 8, 3, 3]",
      "layer3.0.conv3.weight [32, 8, 1, 1]",
      "layer3.0.downsample.0.weight [32, 16, 1, 1]",
      "layer4.0.conv1.weight [16, 32, 1, 1]",
      "layer4.0.conv2.weight [16, 16, 3, 3]",
      "layer4.0.conv3.weight [64, 16, 1, 1]",
      "layer4.0.downsample.0.weight [64, 32, 1, 1]",
      "attnpool.positional_embedding [5, 64]",
      "attnpool.q_proj.weight [64, 64]",
      "attnpool.k_proj.weight [64, 64]",
      "attnpool.v_proj.weight [64, 64]",
      "attnpool.c_proj.weight [3, 64]",
    ]);
    const norms = build().parameters.filter(({ name }) => name.includes("layer2.0.downsample.1."));
    expect(norms.map(({ name }) => name.split(".").at(-1))).toEqual([
      "weight",
      "bias",
      "running_mean",
      "running_var",
      "num_batches_tracked",
    ]);
  });

  it("starts as OpenAI's: blocks as their shortcuts, the stem's norms at 1, the pool by its width", () => {
    const { parameters } = build();
    const closed = parameters
      .filter(({ name, initializer }) => name.endsWith("weight") && initializer.kind === "zeros")
      .map(({ name }) => name);
    expect(closed).toEqual(
      ["1.0", "2.0", "2.1", "3.0", "4.0"].map((block) => `visual.layer${block}.bn3.weight`),
    );
    const find = (name: string) => parameters.find((spec) => spec.name === `visual.${name}`)!;
    expect(find("bn3.weight").initializer.kind).toBe("ones");
    for (const name of ["q_proj.weight", "c_proj.weight", "positional_embedding"]) {
      expect(find(`attnpool.${name}`).initializer).toMatchObject({ kind: "normal", std: 1 / 8 });
    }
    expect(find("attnpool.q_proj.bias").initializer).toMatchObject({ high: 1 / 8 });
    expect(find("layer1.0.conv2.weight").initializer).toMatchObject({
      kind: "uniform",
      high: 1 / Math.sqrt(18),
    });
    // open_clip's ModifiedResNet declares no exemption, so its positions decay.
    expect(find("attnpool.positional_embedding").weightDecay).toBe(true);
  });

  it("knows its inputs and facts", () => {
    const encoder = createModifiedResNet({ ...tiny, imageSize: [64, 96] }, { embedDim });
    expect(formatShape(encoder.inputs[0]!.shape)).toBe("[imageBatch, 3, 64, 96]");
    expect(encoder.facts).toEqual({
      imageHeight: 64,
      imageWidth: 96,
      channels: 3,
      patchSize: 32,
      gridHeight: 2,
      gridWidth: 3,
    });
  });

  it("gives places as tokens and inner values by path", () => {
    const { tokens, intermediates } = build().encoded["image"]!;
    expect(formatShape(shapeOf(tokens!))).toBe("[imageBatch, 4, 64]");
    expect(
      Object.entries(intermediates).map(
        ([name, value]) => `${name} ${formatShape(shapeOf(value))}`,
      ),
    ).toEqual([
      "image/stem [imageBatch, 2, 16, 16]",
      "image/layer1/block0 [imageBatch, 8, 16, 16]",
      "image/layer1 [imageBatch, 8, 16, 16]",
      "image/layer2/block0 [imageBatch, 16, 8, 8]",
      "image/layer2/block1 [imageBatch, 16, 8, 8]",
      "image/layer2 [imageBatch, 16, 8, 8]",
      "image/layer3/block0 [imageBatch, 32, 4, 4]",
      "image/layer3 [imageBatch, 32, 4, 4]",
      "image/layer4/block0 [imageBatch, 64, 2, 2]",
      "image/layer4 [imageBatch, 64, 2, 2]",
      "image/patches [imageBatch, 4, 64]",
      "image/patches/joint [imageBatch, 4, 3]",
      "image/attnpool/attention [imageBatch, 2, 1, 5]",
    ]);
  });

  it("reads places row by row, and its attention sums to 1", () => {
    const model = build(tiny, "eval");
    const { tokens, intermediates } = model.encoded["image"]!;
    const [places, map, attention] = evaluateValues(
      [tokens!, intermediates["image/layer4"]!, intermediates["image/attnpool/attention"]!],
      { ...values(model), image: pictures },
    );
    const at = (channel: number, y: number, x: number): number =>
      map!.data[channel * 4 + y * 2 + x]!;
    expect([0, 1, 2, 3].map((place) => places!.data[place * 64 + 5])).toEqual([
      at(5, 0, 0),
      at(5, 0, 1),
      at(5, 1, 0),
      at(5, 1, 1),
    ]);
    for (let i = 0; i < attention!.data.length; i += 5) {
      const total = attention!.data.slice(i, i + 5).reduce((a, b) => a + b, 0);
      expect(Math.abs(total - 1)).toBeLessThan(1e-12);
    }
  });
});

describe("norms", () => {
  const norms = 3 + 5 * 3 + 4;

  it("move their buffers in training and not in evaluation", () => {
    expect(build().bufferUpdates.size).toBe(3 * norms);
    expect(build(tiny, "eval").bufferUpdates.size).toBe(0);
    expect(distance(features(build()), features(build(tiny, "eval")))).toBeGreaterThan(1e-3);
  });

  it("train as they evaluate when frozen, whatever else is in the batch", () => {
    const evaluated = features(build(tiny, "eval"));
    for (const mode of ["frozenStatistics", "frozen"] as const) {
      const model = build({ ...tiny, norms: mode });
      expect(model.bufferUpdates.size).toBe(0);
      // Frozen scales start open, so features compare within a mode of norms.
      const expected =
        mode === "frozen" ? features(build({ ...tiny, norms: mode }, "eval")) : evaluated;
      expect(distance(features(model), expected)).toBe(0);
      const first = {
        ...pictures,
        shape: [1, 3, 64, 64],
        data: pictures.data.slice(0, 3 * 64 * 64),
      };
      expect(distance(features(model, first), expected.slice(0, embedDim))).toBeLessThan(1e-12);
    }
  });

  it("leave the affine parameters trained or not", () => {
    const trained = (mode: "batch" | "frozenStatistics" | "frozen"): string[] =>
      build({ ...tiny, norms: mode })
        .parameters.filter(
          ({ role, name }) => role === "weight" && /(bn\d|downsample.1)/.test(name),
        )
        .map(({ name }) => name);
    expect(trained("batch")).toHaveLength(2 * norms);
    expect(trained("frozenStatistics")).toEqual(trained("batch"));
    expect(trained("frozen")).toEqual([]);
    const names = (mode: "batch" | "frozen"): string[] =>
      build({ ...tiny, norms: mode }).parameters.map(({ name }) => name);
    expect(names("frozen")).toEqual(names("batch"));
  });
});

describe("configuration", () => {
  it.each([
    // Towers of open_clip's model_profile.csv, in millions.
    ["RN50", 1024, 38.32],
    ["RN101", 512, 56.26],
    ["RN50x4", 640, 87.14],
    ["RN50x16", 768, 167.33],
    ["RN50x64", 1024, 420.38],
  ] as const)("%s has the published parameters", (variant, width, published) => {
    const image = createModifiedResNet({ variant }, { embedDim: width });
    const model = buildEncoders({ ...createMultiEncoder({ encoders: { image } }), mode: "eval" });
    const tower = countParameters(model.parameters) - 1;
    expect(Math.abs(tower / 1e6 - published)).toBeLessThan(0.006);
  });

  it("takes sizes from the variant and single keys", () => {
    expect(resolveModifiedResNet({ variant: "RN50x4" })).toEqual({
      imageHeight: 288,
      imageWidth: 288,
      channels: 3,
      layers: [4, 6, 10, 6],
      width: 80,
      heads: 40,
      norms: "batch",
    });
    expect(resolveModifiedResNet({ width: 8, imageSize: 64 })).toMatchObject({
      layers: [3, 4, 6, 3],
      heads: 4,
    });
    expect(modifiedResNet({ variant: "RN50x4" })).toEqual({
      type: "modified-resnet",
      variant: "RN50x4",
    });
  });

  it("reports every problem with what would fit", () => {
    const resolve = (): unknown =>
      resolveModifiedResNet({ imageSize: [30, 100], width: 3, heads: 7 });
    expect(resolve).toThrow(
      "imageSize: expected a multiple of 32 (the stem and the stages halve it five times), got 30×100. Nearest: 32×96",
    );
    expect(resolve).toThrow("width: expected an even number, got 3");
    expect(resolve).toThrow(
      "heads: expected a divisor of the last map's 96 channels (32·width), got 7",
    );
    expect(() => resolveModifiedResNet({ layer: [1, 1, 1, 1] } as ModifiedResNetOptions)).toThrow(
      /layer: unknown key. Did you mean "layers"\?/,
    );
  });
});
