import { describe, expect, it } from "vitest";
import type { BuildContext, Encoder } from "../contracts/encoder.js";
import type { Loss } from "../contracts/loss.js";
import { ConfigError, ShapeError } from "../errors.js";
import { createParamCollector, type ParameterSpec } from "../graph/param-scope.js";
import { shapeOf, type Value } from "../graph/node.js";
import * as ops from "../ops/index.js";
import { fixedValues, normal, ones, uniform, zeros } from "../random/initializers.js";
import { createRandom } from "../random/prng.js";
import { evaluateValues } from "../reference/evaluate.js";
import { hostTensorFrom } from "../tensor/host-tensor.js";
import { symbolDim } from "../tensor/dim.js";
import { formatShape } from "../tensor/shape.js";
import { buildEncoders } from "./build-encoders.js";
import { buildLoss } from "./build-loss.js";
import { countParameters, initialiseParameters } from "./init-params.js";
import { lossParts, partsOfScope } from "./loss-parts.js";
import { createMultiEncoder } from "./multi-encoder.js";
import { decays } from "./param-rules.js";
import { createRandomInputs } from "./random-inputs.js";

/** x [batch, width]·w [width, embedDim]. */
function matrixEncoder(modality: string, width = 2, embedDim = 2): Encoder {
  return {
    modality,
    embedDim,
    inputs: [{ name: modality, shape: [symbolDim(`${modality}Batch`), width], dtype: "float32" }],
    facts: {},
    build: ({ scope, random, mode }: BuildContext, inputs) => {
      const x = inputs[modality]!;
      const seen = scope.buffer("seen", [], zeros);
      if (mode === "train") scope.updateBuffer("seen", ops.add(seen, 1));
      const noise =
        mode === "train"
          ? ops.mul(
              x,
              random.declare(`${scope.path}.noise`, shapeOf(x), { kind: "dropout", keep: 0.5 }),
            )
          : x;
      const w = scope.parameter("w", [width, embedDim], { initializer: normal(1) });
      return { pooled: ops.matmul(noise, w), intermediates: {} };
    },
  };
}

const encoders = {
  image: matrixEncoder("image"),
  text: matrixEncoder("text"),
  audio: matrixEncoder("audio"),
};
const names = (specs: readonly ParameterSpec[]): string[] => specs.map(({ name }) => name);

describe("createMultiEncoder", () => {
  it("takes the towers' common width", () => {
    expect(createMultiEncoder({ encoders }).embedDim).toBe(2);
  });

  it("names towers, widths and keys where widths differ", () => {
    const build = (): unknown =>
      createMultiEncoder({
        encoders: { image: matrixEncoder("image"), text: matrixEncoder("text", 2, 3) },
      });
    expect(build).toThrow(ShapeError);
    expect(build).toThrow(
      "expected one width for all towers, got image 2 (model.encoders.image), text 3 (model.encoders.text)",
    );
  });

  it("refuses none, a tower under another's name, and one input of two shapes", () => {
    expect(() => createMultiEncoder({ encoders: {} })).toThrow(/expected at least one, got none/);
    expect(() => createMultiEncoder({ encoders: { text: encoders.image } })).toThrow(
      /model.encoders.text: expected an encoder of text, got one of image/,
    );
    const other: Encoder = { ...matrixEncoder("text"), inputs: matrixEncoder("image", 3).inputs };
    expect(() => createMultiEncoder({ encoders: { image: encoders.image, text: other } })).toThrow(
      /input "image": expected one shape, got float32\[imageBatch, 2\] from image and float32\[imageBatch, 3\] from text/,
    );
  });
});

describe("buildEncoders", () => {
  const model = createMultiEncoder({ encoders, logitBias: -10 });

  it("declares inputs with symbols and parameters under open_clip's prefixes", () => {
    const built = buildEncoders({ ...model, mode: "eval" });
    expect(formatShape(shapeOf(built.inputs["image"]!))).toBe("[imageBatch, 2]");
    expect(formatShape(shapeOf(built.normalized["text"]!))).toBe("[textBatch, 2]");
    expect(names(built.parameters)).toEqual([
      "visual.seen",
      "visual.w",
      "seen",
      "w",
      "audio.seen",
      "audio.w",
      "logit_scale",
      "logit_bias",
    ]);
    expect([...built.values.keys()]).toEqual(names(built.parameters));
    expect(built.randomInputs).toEqual([]);
    expect(built.bufferUpdates.size).toBe(0);
  });

  it("puts text under its own prefix when asked", () => {
    const built = buildEncoders({
      ...createMultiEncoder({ encoders, textPrefix: "text" }),
      mode: "eval",
      modalities: ["text"],
    });
    expect(names(built.parameters)).toEqual(["text.seen", "text.w", "logit_scale"]);
    expect(Object.keys(built.inputs)).toEqual(["text"]);
  });

  it("collects random inputs and buffer updates in training", () => {
    const built = buildEncoders({ ...model, mode: "train", modalities: ["image"] });
    expect(built.randomInputs).toMatchObject([
      { name: "visual.noise", distribution: { keep: 0.5 } },
    ]);
    expect([...built.bufferUpdates.keys()]).toEqual(["visual.seen"]);
  });

  it("keeps CLIP's bounds on the scale, and none for SigLIP", () => {
    const scale = (built: { parameters: readonly ParameterSpec[] }): ParameterSpec =>
      built.parameters.find(({ name }) => name === "logit_scale")!;
    expect(scale(buildEncoders({ ...model, mode: "eval" }))).toMatchObject({
      bounds: [0, Math.log(100)],
      initializer: { value: Math.log(1 / 0.07) },
      weightDecay: false,
    });
    const siglip = createMultiEncoder({ encoders, logitScale: { initial: Math.log(10) } });
    expect(scale(buildEncoders({ ...siglip, mode: "eval" })).bounds).toBeUndefined();
  });

  it("normalises features, and leaves a zero vector finite", () => {
    const built = buildEncoders({ ...model, mode: "eval", modalities: ["image"] });
    const of = (shape: number[], data: number[]) => hostTensorFrom("float32", shape, data);
    const [found] = evaluateValues([built.normalized["image"]!], {
      image: of([2, 2], [3, 4, 0, 0]),
      "visual.w": of([2, 2], [1, 0, 0, 1]),
    });
    const [a, b, ...zero] = found!.data;
    expect([a, b]).toEqual([expect.closeTo(0.6, 12), expect.closeTo(0.8, 12)]);
    expect(zero).toEqual([0, 0]);
  });

  it("names the modalities it has, and an output of another width", () => {
    expect(() => buildEncoders({ ...model, mode: "eval", modalities: ["video"] })).toThrow(
      /expected some of image, text, audio, got "video"/,
    );
    const lying = { ...matrixEncoder("image"), embedDim: 5 };
    expect(() =>
      buildEncoders({ ...createMultiEncoder({ encoders: { image: lying } }), mode: "eval" }),
    ).toThrow(/image: expected pooled features \[batch, 5\], got \[imageBatch, 2\]/);
  });

  it("builds on given inputs, of the right type only", () => {
    const given = ops.input("image", [4, 2]);
    const built = buildEncoders({
      ...model,
      mode: "eval",
      modalities: ["image"],
      inputs: { image: given },
    });
    expect(built.inputs["image"]).toBe(given);
    expect(() =>
      buildEncoders({
        ...model,
        mode: "eval",
        inputs: { image: ops.input("image", [4, 2], "int32") },
      }),
    ).toThrow(/input "image": expected float32\[imageBatch, 2\], got int32\[4, 2\]/);
  });
});

const squares: Loss = {
  name: "squares",
  needs: ["features"],
  auxiliary: [{ name: "target", shape: [symbolDim("imageBatch"), 2], dtype: "float32" }],
  scope: "sample",
  build: ({ scope }, { normalized, auxiliary }) => {
    const w = scope.parameter("w", [2], { initializer: ones });
    const off = ops.sub(ops.mul(normalized["image"]!, w), auxiliary["target"]!);
    return { loss: ops.sum(ops.mul(off, off)), metrics: {} };
  },
};

describe("buildLoss", () => {
  const built = () => buildEncoders({ ...createMultiEncoder({ encoders }), mode: "train" });

  it("declares the loss's parameters and inputs into the model", () => {
    const { model, auxiliary, loss } = buildLoss(built(), squares);
    expect(names(model.parameters)).toContain("loss.squares.w");
    expect(model.values.has("loss.squares.w")).toBe(true);
    expect(Object.keys(auxiliary)).toEqual(["target"]);
    expect(shapeOf(loss)).toEqual([]);
    expect(names(buildLoss(built(), squares, { name: "a/b" }).model.parameters)).toContain(
      "loss.a.b.w",
    );
  });

  it("refuses a loss that is no scalar, and an input of an encoder's name", () => {
    const vector: Loss = {
      ...squares,
      build: (_, { normalized }) => ({ loss: normalized["image"]!, metrics: {} }),
    };
    expect(() => buildLoss(built(), vector)).toThrow(
      /squares: expected scalars, got loss of \[imageBatch, 2\]/,
    );
    const clash: Loss = { ...squares, auxiliary: encoders.image.inputs };
    expect(() => buildLoss(built(), clash)).toThrow(ConfigError);
  });

  it("opens sums into their terms by scope", () => {
    const batch: Loss = { ...squares, name: "pairs", scope: "batch" };
    const inner: Loss = { ...squares, parts: [{ name: "x", loss: squares, weight: 2 }] };
    const outer: Loss = {
      ...squares,
      parts: [
        { name: "in", loss: inner, weight: 3 },
        { name: "pairs", loss: batch, weight: 1 },
      ],
    };
    expect(lossParts(squares)).toMatchObject([{ name: "squares", weight: 1 }]);
    expect(lossParts(outer)).toMatchObject([
      { name: "in/x", weight: 6 },
      { name: "pairs", weight: 1 },
    ]);
    expect(partsOfScope(outer, "batch").map(({ name }) => name)).toEqual(["pairs"]);
  });
});

describe("initialiseParameters", () => {
  const specsOf = (declare: (scope: BuildContext["scope"]) => void): readonly ParameterSpec[] => {
    const collector = createParamCollector();
    declare(collector.root);
    return collector.specs();
  };
  const both = specsOf((scope) => {
    scope.parameter("a", [50, 40], { initializer: normal(0.5, 3) });
    scope.parameter("b", [2000], { initializer: uniform(-2, 1) });
    scope.buffer("c", [2], ones);
  });

  it("does not depend on order or neighbours", () => {
    const all = initialiseParameters(both, createRandom(1));
    const alone = initialiseParameters([both[1]!], createRandom(1));
    expect(alone.get("b")!.data).toEqual(all.get("b")!.data);
    expect(initialiseParameters([both[1]!], createRandom(2)).get("b")!.data).not.toEqual(
      all.get("b")!.data,
    );
  });

  it("draws what the initializers say", () => {
    const values = initialiseParameters(both, createRandom(1));
    const moments = (data: Float32Array): [number, number] => {
      const mean = data.reduce((s, v) => s + v, 0) / data.length;
      return [mean, Math.sqrt(data.reduce((s, v) => s + (v - mean) ** 2, 0) / data.length)];
    };
    const [mean, std] = moments(values.get("a")!.data);
    expect(mean).toBeCloseTo(3, 1);
    expect(std).toBeCloseTo(0.5, 1);
    const b = values.get("b")!.data;
    expect(moments(b)[0]).toBeCloseTo(-0.5, 1);
    expect(b.every((v) => v >= -2 && v < 1)).toBe(true);
    expect([...values.get("c")!.data]).toEqual([1, 1]);
  });

  it("copies given values of the right number", () => {
    const of = (size: number) =>
      initialiseParameters(
        specsOf((scope) =>
          scope.parameter("t", [2], { initializer: fixedValues(new Float32Array(size).fill(4)) }),
        ),
        createRandom(1),
      );
    expect([...of(2).get("t")!.data]).toEqual([4, 4]);
    expect(() => of(3)).toThrow(/values: expected 2 for \[2\], got 3/);
  });

  it("counts weights, not buffers", () => {
    expect(countParameters(both)).toBe(4000);
  });
});

describe("decays", () => {
  const spec = (name: string, shape: number[], weightDecay = shape.length > 1): ParameterSpec => ({
    name,
    shape,
    role: "weight",
    initializer: zeros,
    weightDecay,
  });
  it.each([
    [spec("visual.proj", [4, 2]), true, true],
    [spec("positional_embedding", [4, 2], false), false, true],
    [spec("visual.ln_pre.weight", [4]), false, false],
    [spec("logit_scale", []), false, false],
    [spec("bn1.table", [2, 2]), true, false],
  ])("%#: by declaration and by the rule of old checkpoints", (parameter, declared, legacy) => {
    expect([decays(parameter), decays(parameter, "legacy")]).toEqual([declared, legacy]);
  });
  it("never touches a buffer", () => {
    expect(decays({ ...spec("running", [2, 2]), role: "buffer" }, "legacy")).toBe(false);
  });
});

describe("createRandomInputs", () => {
  it("declares each name once, subsets as int32", () => {
    const random = createRandomInputs();
    const kept: Value = random.declare("kept", [2, 3], { kind: "subset", among: 9 });
    expect(kept.node.outputs[0]!.dtype).toBe("int32");
    expect(() => random.declare("kept", [2], { kind: "normal" })).toThrow(
      /each random input once, got "kept" twice/,
    );
    expect(random.specs()).toHaveLength(1);
  });
});
