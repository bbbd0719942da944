import { createMultiEncoder } from "@diptych/core";
import { createModifiedResNet } from "@diptych/encoders-resnet";
import { createVitEncoder } from "@diptych/encoders-vit";
import { createTextEncoder } from "@diptych/text-transformer";
import { describe, expect, it } from "vitest";
import { measureModel, measurePaperModel, paperModelName } from "./inspect-model.js";
import type { BlockCost } from "./inspect-tower.js";
import { OPEN_CLIP_MODEL_NAMES } from "./open-clip-configs.js";

const ViT = { imageSize: 8, patchSize: 4, width: 6, layers: 2, heads: 2, mlpDim: 10 };
const TEXT = { vocab: 11, contextLength: 5, width: 4, layers: 1, heads: 2, mlpDim: 7 };
const embedDim = 3;

const tinyVit = () =>
  createMultiEncoder({
    encoders: {
      image: createVitEncoder(ViT, { embedDim }),
      text: createTextEncoder(TEXT, { embedDim }),
    },
  });

const byName = (blocks: readonly BlockCost[]): Record<string, BlockCost> =>
  Object.fromEntries(blocks.map((block) => [block.name, block]));

/** Multiply-adds of a transformer block: projections of queries, keys, values and output, attention, the MLP. */
const blockFlops = (tokens: number, width: number, mlpDim: number): number =>
  2 * (4 * tokens * width * width + 2 * tokens * tokens * width + 2 * tokens * width * mlpDim);

describe("a small ViT, by hand", () => {
  const { towers, parameters } = measureModel(tinyVit());
  const [image, text] = [towers[0]!, towers[1]!];
  const blocks = { ...byName(image.blocks), ...byName(text.blocks) };

  it("has its blocks in the order of the model", () => {
    expect(image.blocks.map(({ name }) => name)).toEqual([
      "visual.conv1",
      "visual.class_embedding",
      "visual.positional_embedding",
      "visual.ln_pre",
      "visual.transformer.resblocks.0",
      "visual.transformer.resblocks.1",
      "visual.ln_post",
      "visual.proj",
    ]);
  });

  it("counts parameters", () => {
    const block = 2 * (2 * 6) + (18 * 6 + 18) + (6 * 6 + 6) + (10 * 6 + 10) + (6 * 10 + 6);
    expect(blocks["visual.transformer.resblocks.0"]?.parameters).toBe(block);
    expect(blocks["visual.conv1"]?.parameters).toBe(6 * 3 * 4 * 4);
    expect(blocks["token_embedding"]?.parameters).toBe(11 * 4);
    expect(parameters).toBe(image.parameters + text.parameters + 1);
  });

  it("counts FLOPs of one sample, a multiply-add as two", () => {
    expect(blocks["visual.conv1"]?.flops).toBe(2 * (4 * 6) * (3 * 4 * 4));
    expect(blocks["visual.transformer.resblocks.1"]?.flops).toBe(blockFlops(5, 6, 10));
    expect(blocks["transformer.resblocks.0"]?.flops).toBe(blockFlops(5, 4, 7));
    expect(blocks["visual.proj"]?.flops).toBe(2 * 6 * 3);
    expect(image.flops).toBe(2 * 4 * 6 * 48 + 2 * blockFlops(5, 6, 10) + 2 * 6 * 3);
  });

  it("counts what the backward pass of a block reads", () => {
    const [tokens, width, mlpDim] = [5, 6, 10];
    // Both residual streams that the norms read, but the block's own input belongs to the one before; the normed rows
    // and the means and deviations of both norms; queries, keys and values; what the attention gives, by head and
    // again by token; the MLP before and after its activation.
    const values =
      tokens * width + // stream after attention
      2 * (tokens * width + 2 * tokens) + // norms
      3 * tokens * width + // q, k, v
      2 * tokens * width + // attention
      2 * tokens * mlpDim; // MLP
    const first = blocks["visual.transformer.resblocks.0"]!.activationBytes;
    // Its output is the stream that the next block's norm reads.
    expect(first).toBe(4 * (values + tokens * width));
  });

  it("scales FLOPs and activations with the batch, and nothing else", () => {
    const four = measureModel(tinyVit(), { batch: 4 });
    const one = measureModel(tinyVit());
    expect(four.flops).toBe(4 * one.flops);
    expect(four.activationBytes).toBe(4 * one.activationBytes);
    expect(four.parameters).toBe(one.parameters);
  });

  it("groups by levels of names", () => {
    const { towers: deep } = measureModel(tinyVit(), { depth: 2 });
    expect(deep[0]!.blocks.map(({ name }) => name)).toContain("visual.transformer");
    expect(deep[0]!.flops).toBe(image.flops);
    expect(deep[0]!.activationBytes).toBe(image.activationBytes);
  });
});

describe("a small ResNet", () => {
  const encoder = createModifiedResNet(
    { imageSize: 32, width: 4, layers: [1, 2, 1, 1], heads: 2 },
    { embedDim: 5 },
  );
  const [tower] = measureModel(createMultiEncoder({ encoders: { image: encoder } })).towers;
  const blocks = byName(tower!.blocks);

  it("has the stem, the residual blocks and the pool", () => {
    expect(Object.keys(blocks)).toEqual([
      ...[1, 2, 3].flatMap((i) => [`visual.conv${i}`, `visual.bn${i}`]),
      "visual.layer1.0",
      "visual.layer2.0",
      "visual.layer2.1",
      "visual.layer3.0",
      "visual.layer4.0",
      "visual.attnpool",
    ]);
  });

  it("counts convolutions, and buffers apart from parameters", () => {
    expect(blocks["visual.conv1"]).toMatchObject({
      parameters: 2 * 3 * 9,
      flops: 2 * 2 * 256 * 27,
    });
    expect(blocks["visual.bn1"]).toMatchObject({ parameters: 4, flops: 0 });
    expect(blocks["visual.bn1"]!.buffers).toBeGreaterThanOrEqual(4);
    // 1×1, 3×3, 1×1 on a map of 8×8, and the projection of the residual.
    const terms = 64 * (4 * 4 + 4 * 36 + 16 * 4 + 16 * 4);
    expect(blocks["visual.layer1.0"]?.flops).toBe(2 * terms);
  });

  it("keeps of the stem the maps before and after each activation", () => {
    // conv1's output, which the norm's derivative reads, and the activation, which conv2's filter gradient reads.
    const stem = blocks["visual.conv1"]!.activationBytes + blocks["visual.bn1"]!.activationBytes;
    const map = 4 * (2 * 16 * 16);
    expect(stem).toBeGreaterThanOrEqual(2 * map);
    expect(stem).toBeLessThanOrEqual(3 * map + 64);
  });
});

describe("the paper's models", () => {
  it.each(OPEN_CLIP_MODEL_NAMES)("%s costs what is published", (name) => {
    const { published, towers, ...total } = measurePaperModel(name);
    const found = (cost: { parameters: number }): number => Math.round(cost.parameters / 1e4) / 100;
    expect(found(total)).toBe(published!.total.megaParameters);
    const [image, text] = [towers[0]!, towers[1]!];
    const withPool = (image.flops + published!.unusedPoolFlops) / 1e9;
    expect(Math.abs(withPool / published!.image.gigaFlops - 1)).toBeLessThan(0.01);
    expect(Math.abs(text.flops / 1e9 / published!.text.gigaFlops - 1)).toBeLessThan(0.01);
    for (const { blocks } of towers) {
      for (const block of blocks) expect(block.name).toMatch(/^[\w.]+$/);
    }
  });

  it("are found by the paper's names and open_clip's", () => {
    expect(paperModelName("ViT-L/14@336px")).toBe("ViT-L-14-336");
    expect(paperModelName("vit-b-32")).toBe("ViT-B-32");
    expect(paperModelName("RN50x16")).toBe("RN50x16");
    expect(paperModelName("configs/a.ts")).toBeUndefined();
  });
});
