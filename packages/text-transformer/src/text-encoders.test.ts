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
  type Encoder,
} from "@diptych/core";
import { evaluateValues } from "@diptych/core/reference";
import { describe, expect, it } from "vitest";
import { createBagOfWordsEncoder } from "./bag-of-words-encoder.js";
import {
  bagOfWords,
  resolveTextTransformer,
  textTransformer,
  type TextTransformerOptions,
} from "./config.js";
import { createTextEncoder } from "./text-encoder.js";

const embedDim = 6;
const tiny: TextTransformerOptions = { width: 8, heads: 2, layers: 2, vocab: 20, contextLength: 6 };

const build = (encoder: Encoder): BuiltModel =>
  buildEncoders({ ...createMultiEncoder({ encoders: { text: encoder } }), mode: "train" });

/** Pooled features of `texts` (rows of ids) from seeded parameters. */
function features(encoder: Encoder, texts: readonly (readonly number[])[]): number[][] {
  const model = build(encoder);
  const [found] = evaluateValues([model.encoded["text"]!.pooled], {
    ...Object.fromEntries(initialiseParameters(model.parameters, createRandom(5))),
    text: hostTensorFrom("int32", [texts.length, texts[0]!.length], texts.flat()),
  });
  return texts.map((_, i) => [...found!.data.slice(i * embedDim, (i + 1) * embedDim)]);
}

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

const text = (options: TextTransformerOptions = {}): Encoder =>
  createTextEncoder({ ...tiny, ...options }, { embedDim });

describe("createTextEncoder", () => {
  it("has CLIP's names, without a prefix", () => {
    const { parameters } = build(text());
    const outside = parameters.filter(({ name }) => !name.includes("resblocks"));
    expect(outside.map(({ name, shape }) => `${name} ${formatShape(shape)}`)).toEqual([
      "token_embedding.weight [20, 8]",
      "positional_embedding [6, 8]",
      "ln_final.weight [8]",
      "ln_final.bias [8]",
      "text_projection [8, 6]",
      "logit_scale []",
    ]);
  });

  it("counts the parameters of ViT-B/32's text tower", () => {
    const encoder = createTextEncoder({ vocab: 49408, contextLength: 77 }, { embedDim: 512 });
    // 151,277,313 of the whole model (openai/CLIP's ViT-B/32) less 87,849,216 of its image tower.
    expect(countParameters(build(encoder).parameters)).toBe(151_277_313 - 87_849_216);
  });

  it("starts as OpenAI's initialize_parameters", () => {
    const { parameters } = build(text());
    const init = (name: string): unknown =>
      parameters.find((spec) => spec.name === name)!.initializer;
    const block = "transformer.resblocks.1";
    const std = (value: number): unknown => ({
      kind: "normal",
      mean: 0,
      std: expect.closeTo(value, 12) as number,
    });
    expect(init("token_embedding.weight")).toEqual(std(0.02));
    expect(init("positional_embedding")).toEqual(std(0.01));
    expect(init(`${block}.attn.in_proj_weight`)).toEqual(std(8 ** -0.5));
    expect(init(`${block}.attn.out_proj.weight`)).toEqual(std(8 ** -0.5 * 4 ** -0.5));
    expect(init(`${block}.mlp.c_fc.weight`)).toEqual(std(16 ** -0.5));
    expect(init(`${block}.mlp.c_proj.weight`)).toEqual(std(8 ** -0.5 * 4 ** -0.5));
    expect(init("text_projection")).toEqual(std(8 ** -0.5));
    expect(init(`${block}.mlp.c_fc.bias`)).toMatchObject({
      kind: "uniform",
      high: 1 / Math.sqrt(8),
    });
    expect(init(`${block}.attn.in_proj_bias`)).toEqual({ kind: "zeros" });
    const decaying = parameters.filter(({ weightDecay }) => weightDecay).map(({ name }) => name);
    expect(decaying).toContain("token_embedding.weight");
    expect(decaying).not.toContain("positional_embedding");
  });

  it("reads a text at its first end-of-text, whatever comes after and however long the batch is", () => {
    const encoder = text();
    const [padded] = features(encoder, [[18, 3, 4, 19, 0, 0]]);
    const [noise] = features(encoder, [[18, 3, 4, 19, 7, 19]]);
    const [cut] = features(encoder, [[18, 3, 4, 19]]);
    const [other] = features(encoder, [[18, 4, 3, 19]]);
    expect(distance(padded!, noise!)).toBeLessThan(1e-14);
    expect(distance(padded!, cut!)).toBeLessThan(1e-14);
    expect(distance(padded!, other!)).toBeGreaterThan(1e-6);
  });

  it("masks padding when bidirectional: by the end-of-text, or by the pad id", () => {
    for (const [options, end] of [
      [{}, 19],
      [{ padId: 0 }, 5],
    ] as const) {
      const encoder = text({ attention: "bidirectional", pooling: "mean", ...options });
      const [padded] = features(encoder, [[18, 3, 4, end, 0, 0]]);
      const [cut] = features(encoder, [[18, 3, 4, end]]);
      expect(distance(padded!, cut!)).toBeLessThan(1e-14);
      const [causal] = features(text({ pooling: "mean", ...options }), [[18, 3, 4, end]]);
      expect(distance(cut!, causal!)).toBeGreaterThan(1e-6);
    }
  });

  it("pools the last position over a context of fixed length", () => {
    const encoder = text({ pooling: "last" });
    expect(formatShape(encoder.inputs[0]!.shape)).toBe("[textBatch, 6]");
    const [a, b] = features(encoder, [
      [18, 3, 4, 19, 0, 0],
      [18, 3, 4, 19, 0, 1],
    ]);
    expect(distance(a!, b!)).toBeGreaterThan(1e-6);
  });

  it("pools the first position", () => {
    const encoder = text({ pooling: "first" });
    const [a] = features(encoder, [[18, 3, 4, 19, 0, 0]]);
    const [b] = features(encoder, [[18, 7, 19, 0, 0, 0]]);
    const [c] = features(encoder, [[17, 3, 4, 19, 0, 0]]);
    // The first token of a causal tower sees itself alone.
    expect(distance(a!, b!)).toBeLessThan(1e-14);
    expect(distance(a!, c!)).toBeGreaterThan(1e-6);
  });

  it("reads a text at a given end-of-text id, not at its largest id", () => {
    const encoder = text({ eosId: 5 });
    const [a] = features(encoder, [[18, 3, 5, 19, 2, 5]]);
    const [b] = features(encoder, [[18, 3, 5, 1, 1, 1]]);
    const [none] = features(encoder, [[18, 3, 4, 1, 1, 1]]);
    const [start] = features(encoder, [[18, 5, 4, 1, 1, 1]]);
    expect(distance(a!, b!)).toBeLessThan(1e-14);
    expect(distance(none!, start!)).toBeGreaterThan(1e-6);
    expect(distance(none!, features(text({ pooling: "first" }), [[18, 9, 9]])[0]!)).toBeLessThan(
      1e-14,
    );
  });

  it("sees padding where it is told to, over a context of fixed length", () => {
    const encoder = text({ attention: "bidirectional", maskPadding: false });
    expect(formatShape(encoder.inputs[0]!.shape)).toBe("[textBatch, 6]");
    const [a] = features(encoder, [[18, 3, 4, 19, 0, 0]]);
    const [b] = features(encoder, [[18, 3, 4, 19, 1, 0]]);
    expect(distance(a!, b!)).toBeGreaterThan(1e-6);
    expect(formatShape(text({ attention: "bidirectional" }).inputs[0]!.shape)).toBe(
      "[textBatch, textTokens]",
    );
  });

  it("projects with a bias, or not at all", () => {
    const names = (encoder: Encoder): string[] =>
      build(encoder)
        .parameters.filter(({ name }) => name.startsWith("text_projection"))
        .map(({ name, shape }) => `${name} ${formatShape(shape)}`);
    expect(names(text({ projection: "linearBias" }))).toEqual([
      "text_projection.weight [6, 8]",
      "text_projection.bias [6]",
    ]);
    const bare = createTextEncoder({ ...tiny, width: 6, projection: "none" }, { embedDim });
    expect(names(bare)).toEqual([]);
    expect(() => text({ projection: "none" })).toThrow(
      /width: expected embedDim 6 where projection is "none", got 8/,
    );
  });

  it.each([
    // Widths of the paper's text towers and text_mparams of open_clip's model_profile.csv.
    ["base", 512, 63.43],
    ["x4", 640, 91.16],
    ["large", 768, 123.65],
    ["x64", 1024, 202.88],
  ] as const)("%s has the published parameters", (variant, embed, published) => {
    const encoder = createTextEncoder(
      { variant, vocab: 49408, contextLength: 77 },
      { embedDim: embed },
    );
    const tower = countParameters(build(encoder).parameters) - 1;
    expect(Math.abs(tower / 1e6 - published)).toBeLessThan(0.006);
  });

  it("gives tokens and inner values by path, in symbols", () => {
    const { tokens, intermediates } = build(text()).encoded["text"]!;
    expect(formatShape(shapeOf(tokens!))).toBe("[textBatch, textTokens, 8]");
    expect(formatShape(shapeOf(intermediates["text/block1/attention"]!))).toBe(
      "[textBatch, 2, textTokens, textTokens]",
    );
  });

  it("takes vocabulary and context from the tokenizer, and refuses a smaller table", () => {
    const { vocab: _vocab, contextLength: _context, ...sizes } = tiny;
    const tokenizer = { vocabSize: 30, contextLength: 9 };
    expect(createTextEncoder(sizes, { embedDim, tokenizer }).facts).toEqual({
      vocab: 30,
      contextLength: 9,
      attention: "causal",
    });
    expect(() => createTextEncoder(sizes, { embedDim })).toThrow(
      /vocab: expected a size .* got neither/,
    );
    expect(() => createTextEncoder(tiny, { embedDim, tokenizer })).toThrow(
      /vocab: expected at least the tokenizer's 30, got 20/,
    );
    expect(() => createTextEncoder({ ...tiny, vocab: 30 }, { embedDim, tokenizer })).toThrow(
      /contextLength: expected at least the tokenizer's 9, got 6/,
    );
  });

  it("refuses longer texts than its context", () => {
    expect(() => features(text(), [[18, 1, 2, 3, 4, 5, 19]])).toThrow(
      /window: expected a window inside \[6, 8\]/,
    );
  });

  it("decides sizes and reports what does not fit", () => {
    expect(resolveTextTransformer({ variant: "large" })).toMatchObject({
      width: 768,
      layers: 12,
      heads: 12,
      mlpDim: 3072,
    });
    expect(textTransformer({ width: 64 })).toEqual({ type: "text-transformer", width: 64 });
    expect(() => resolveTextTransformer({ width: 10, heads: 3 })).toThrow(
      /heads: expected a divisor of the width 10, got 3/,
    );
  });
});

describe("createBagOfWordsEncoder", () => {
  const bag = createBagOfWordsEncoder({ width: 4, vocab: 9, contextLength: 6 }, { embedDim });

  it("has a word table, a norm and a linear layer", () => {
    expect(build(bag).parameters.map(({ name, shape }) => `${name} ${formatShape(shape)}`)).toEqual(
      [
        "token_embedding.weight [9, 4]",
        "ln_final.weight [4]",
        "ln_final.bias [4]",
        "text_projection.weight [6, 4]",
        "text_projection.bias [6]",
        "logit_scale []",
      ],
    );
    expect(bagOfWords({ width: 4 })).toEqual({ type: "bag-of-words", width: 4 });
  });

  it("is the normed mean of the words, projected", () => {
    const model = build(bag);
    const values = initialiseParameters(model.parameters, createRandom(5));
    const table = values.get("token_embedding.weight")!.data;
    const w = values.get("text_projection.weight")!.data;
    const b = values.get("text_projection.bias")!.data;
    const average = [0, 1, 2, 3].map((i) => (table[3 * 4 + i]! + 2 * table[7 * 4 + i]!) / 3);
    const mean = average.reduce((s, v) => s + v, 0) / 4;
    const variance = average.reduce((s, v) => s + (v - mean) ** 2, 0) / 4;
    const normed = average.map((v) => (v - mean) / Math.sqrt(variance + Math.fround(1e-5)));
    const expected = Array.from(b, (bias, o) =>
      normed.reduce((s, v, i) => s + v * w[o * 4 + i]!, bias),
    );
    const [found] = features(bag, [[7, 3, 7, 0, 0]]);
    expect(distance(found!, expected)).toBeLessThan(1e-13);
  });

  it("forgets order and padding", () => {
    const [a] = features(bag, [[1, 2, 3, 0]]);
    const [b] = features(bag, [[0, 3, 1, 2]]);
    expect(distance(a!, b!)).toBeLessThan(1e-14);
  });

  it("gives texts without words one finite feature: the projection's bias", () => {
    const [empty] = features(bag, [[0, 0, 0]]);
    const bias = initialiseParameters(build(bag).parameters, createRandom(5)).get(
      "text_projection.bias",
    )!.data;
    expect(distance(empty!, [...bias])).toBe(0);
  });
});
