// Pooling by attention, and what can be asked for inside a tower: attention maps and patches.
import {
  buildEncoders,
  ConfigError,
  countParameters,
  createMultiEncoder,
  createRandom,
  formatShape,
  hostTensorFrom,
  initialiseParameters,
  shapeOf,
  type BuiltModel,
  type Value,
} from "@diptych/core";
import { evaluateValues, type Float64Tensor } from "@diptych/core/reference";
import { describe, expect, it } from "vitest";
import { resolveVit, type VitOptions } from "./config.js";
import { createVitEncoder } from "./vit-encoder.js";

const tiny: VitOptions = { imageSize: 8, patchSize: 4, width: 8, heads: 2, layers: 2 };
const embedDim = 6;
const asking: VitOptions = {
  ...tiny,
  pooling: "attention",
  attentionPool: { queries: 3, heads: 2 },
};

function build(options: VitOptions): BuiltModel {
  const image = createVitEncoder(options, { embedDim });
  return buildEncoders({ ...createMultiEncoder({ encoders: { image } }), mode: "eval" });
}

const pictures = hostTensorFrom(
  "float32",
  [2, 3, 8, 8],
  Float32Array.from({ length: 384 }, (_, i) => Math.sin(i * 0.37)),
);

function evaluate(model: BuiltModel, values: readonly Value[]): Float64Tensor[] {
  return evaluateValues([...values], {
    ...Object.fromEntries(initialiseParameters(model.parameters, createRandom(3))),
    image: pictures,
  });
}

const inner = (model: BuiltModel, name: string): Value =>
  model.encoded["image"]!.intermediates[name]!;

const row = ({ shape, data }: Float64Tensor, i: number): number[] => {
  const size = data.length / shape[0]!;
  return [...data.slice(i * size, (i + 1) * size)];
};

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

describe("pooling by attention", () => {
  it("has open_clip's names: one fused matrix, or three where the widths differ", () => {
    const names = (options: VitOptions): string[] =>
      build(options)
        .parameters.filter(({ name }) => /attn_pool|ln_post|visual.proj/.test(name))
        .map(({ name, shape }) => `${name.replace("visual.", "")} ${formatShape(shape)}`);
    const rest = ["attn_pool.attn.out_proj.weight [6, 6]", "attn_pool.attn.out_proj.bias [6]"];
    const head = ["ln_post.weight [6]", "ln_post.bias [6]", "proj [6, 6]"];
    const norms = (width: number): string[] => [
      "attn_pool.ln_q.weight [6]",
      "attn_pool.ln_q.bias [6]",
      `attn_pool.ln_k.weight [${width}]`,
      `attn_pool.ln_k.bias [${width}]`,
    ];
    expect(names(asking).sort()).toEqual(
      [
        "attn_pool.query [3, 6]",
        ...norms(8),
        "attn_pool.attn.q_proj_weight [6, 6]",
        "attn_pool.attn.k_proj_weight [6, 8]",
        "attn_pool.attn.v_proj_weight [6, 8]",
        "attn_pool.attn.in_proj_bias [18]",
        ...rest,
        ...head,
      ].sort(),
    );
    expect(names({ ...asking, width: 6 }).sort()).toEqual(
      [
        "attn_pool.query [3, 6]",
        ...norms(6),
        "attn_pool.attn.in_proj_weight [18, 6]",
        "attn_pool.attn.in_proj_bias [18]",
        ...rest,
        ...head,
      ].sort(),
    );
  });

  it("starts as open_clip's: queries N(0, 1), the projection by the tower's width", () => {
    const find = (name: string) =>
      build(asking).parameters.find((spec) => spec.name === `visual.${name}`)!;
    expect(find("attn_pool.query")).toMatchObject({ initializer: { kind: "normal", std: 1 } });
    // No rule of open_clip's exempts them from decay.
    expect(find("attn_pool.query").weightDecay).toBe(true);
    expect(find("proj").initializer).toMatchObject({ std: 8 ** -0.5 });
    expect(find("attn_pool.attn.k_proj_weight").initializer).toMatchObject({
      high: Math.sqrt(6 / 14),
    });
  });

  it("takes the first query's answer, or the mean of the others", () => {
    for (const take of ["tok", "avg"] as const) {
      const model = build({ ...asking, attentionPool: { queries: 3, heads: 2, take } });
      const { pooled, tokens } = model.encoded["image"]!;
      const [found, answers] = evaluate(model, [pooled, tokens!]);
      expect(answers!.shape).toEqual([2, 3, 6]);
      const proj = initialiseParameters(model.parameters, createRandom(3)).get("visual.proj")!;
      for (const sample of [0, 1]) {
        const rows = row(answers!, sample);
        const summary = [0, 1, 2, 3, 4, 5].map((c) =>
          take === "tok" ? rows[c]! : (rows[6 + c]! + rows[12 + c]!) / 2,
        );
        const expected = [0, 1, 2, 3, 4, 5].map((o) =>
          summary.reduce((sum, value, i) => sum + value * proj.data[i * 6 + o]!, 0),
        );
        expect(distance(row(found!, sample), expected)).toBeLessThan(1e-12);
      }
    }
  });

  it("reports settings that do not fit together", () => {
    expect(() =>
      createVitEncoder({ ...asking, attentionPool: { heads: 4 } }, { embedDim }),
    ).toThrow(ConfigError);
    expect(() => resolveVit({ ...tiny, attentionPool: { queries: 2 } })).toThrow(
      /attentionPool: expected only with pooling "attention", got "tok"/,
    );
    expect(() => resolveVit({ ...asking, attentionPool: { take: "avg" } })).toThrow(
      /at least 2 queries to take the mean of all but the first, got 1/,
    );
    expect(() => resolveVit({ ...asking, normAfterPool: true })).toThrow(
      /normAfterPool: has no meaning with pooling by attention/,
    );
  });
});

describe("inside a tower", () => {
  it("gives attention probabilities by path: rows that sum to 1 over all tokens", () => {
    const model = build(asking);
    const names = ["image/block0/attention", "image/block1/attention", "image/attn_pool/attention"];
    const maps = evaluate(
      model,
      names.map((name) => inner(model, name)),
    );
    expect(maps.map(({ shape }) => shape)).toEqual([
      [2, 2, 5, 5],
      [2, 2, 5, 5],
      [2, 2, 3, 5],
    ]);
    for (const { data } of maps) {
      for (let i = 0; i < data.length; i += 5) {
        const total = data.slice(i, i + 5).reduce((a, b) => a + b, 0);
        expect(Math.abs(total - 1)).toBeLessThan(1e-12);
      }
      expect(data.every((share) => share > 0)).toBe(true);
    }
  });

  it("gives the patches, and where they lie in the joint space", () => {
    const model = build({ ...tiny, pooling: "avg" });
    const [patches, joint, pooled] = evaluate(model, [
      inner(model, "image/patches"),
      inner(model, "image/patches/joint"),
      model.encoded["image"]!.pooled,
    ]);
    expect(patches!.shape).toEqual([2, 4, 8]);
    expect(joint!.shape).toEqual([2, 4, 6]);
    // The picture's vector is the mean of its patches' where the mean is what it pools.
    const places = row(joint!, 1);
    const mean = [0, 1, 2, 3, 4, 5].map(
      (c) => [0, 1, 2, 3].reduce((sum, place) => sum + places[place * 6 + c]!, 0) / 4,
    );
    expect(distance(row(pooled!, 1), mean)).toBeLessThan(1e-12);
  });

  it("leaves out the norm before the blocks by option", () => {
    const names = build({ ...tiny, normBefore: false }).parameters.map(({ name }) => name);
    expect(names.filter((name) => name.includes("ln_pre"))).toEqual([]);
    expect(formatShape(shapeOf(inner(build(tiny), "image/block0")))).toBe("[imageBatch, 5, 8]");
  });
});

describe("variants", () => {
  it.each([
    // Towers of open_clip's model_profile.csv, in millions.
    ["S/32", 384, 22.64],
    ["S/16", 384, 21.81],
    ["B/16", 512, 86.19],
    ["L/14", 768, 303.97],
    ["L/14@336", 768, 304.29],
  ] as const)("%s has the published parameters", (variant, width, published) => {
    const image = createVitEncoder({ variant }, { embedDim: width });
    const model = buildEncoders({ ...createMultiEncoder({ encoders: { image } }), mode: "eval" });
    const tower = countParameters(model.parameters) - 1;
    expect(Math.abs(tower / 1e6 - published)).toBeLessThan(0.006);
  });

  it("brings its picture size, which a key replaces", () => {
    expect(resolveVit({ variant: "L/14@336" })).toMatchObject({ imageHeight: 336, patchSize: 14 });
    expect(resolveVit({ variant: "Ti/4" })).toMatchObject({ imageHeight: 32, patchSize: 4 });
    expect(resolveVit({ variant: "L/14", imageSize: 280 })).toMatchObject({ imageWidth: 280 });
  });
});
