// Parameters and FLOPs of the paper's models as open_clip's model_profile.csv has them (and evaluation.md, for all nine).
import {
  buildEncoders,
  ConfigError,
  countParameters,
  createGraph,
  type BuiltModel,
} from "@diptych/core";
import { bind, countFlops } from "@diptych/core/backend";
import { describe, expect, it } from "vitest";
import {
  OPEN_CLIP_MODEL_NAMES,
  openClipConfig,
  openClipConfigs,
  type OpenClipModelName,
} from "./open-clip-configs.js";
import { createOpenClipModel } from "./open-clip-model.js";

interface Published {
  /** Millions of parameters: image tower, text tower. */
  readonly parameters: readonly [image: number, text: number];
  /** GFLOPs of one picture and of one text of 77 tokens. */
  readonly gigaflops: readonly [image: number, text: number];
}

/** model_profile.csv: image_mparams, text_mparams, image_gflops, text_gflops. */
const published: Readonly<Record<OpenClipModelName, Published>> = {
  RN50: { parameters: [38.32, 63.69], gigaflops: [12.22, 5.96] },
  RN101: { parameters: [56.26, 63.43], gigaflops: [19.54, 5.96] },
  RN50x4: { parameters: [87.14, 91.16], gigaflops: [42.56, 9.27] },
  RN50x16: { parameters: [167.33, 123.65], gigaflops: [149.39, 13.3] },
  RN50x64: { parameters: [420.38, 202.88], gigaflops: [529.11, 23.55] },
  "ViT-B-32": { parameters: [87.85, 63.43], gigaflops: [8.82, 5.96] },
  "ViT-B-16": { parameters: [86.19, 63.43], gigaflops: [35.13, 5.96] },
  "ViT-L-14": { parameters: [303.97, 123.65], gigaflops: [162.03, 13.3] },
  "ViT-L-14-336": { parameters: [304.29, 123.65], gigaflops: [381.92, 13.3] },
};

/** mparams of model_profile.csv. */
const totals: Readonly<Record<OpenClipModelName, number>> = {
  RN50: 102.01,
  RN101: 119.69,
  RN50x4: 178.3,
  RN50x16: 290.98,
  RN50x64: 623.26,
  "ViT-B-32": 151.28,
  "ViT-B-16": 149.62,
  "ViT-L-14": 427.62,
  "ViT-L-14-336": 427.94,
};

const millions = (values: number): number => Math.round(values / 1e4) / 100;

function build(name: OpenClipModelName, modality?: "image" | "text"): BuiltModel {
  return buildEncoders({
    ...createOpenClipModel(openClipConfigs[name]),
    mode: "eval",
    ...(modality ? { modalities: [modality] } : {}),
  });
}

/** GFLOPs of one sample of a tower. */
function gigaflops(model: BuiltModel, modality: "image" | "text"): number {
  const graph = createGraph(modality, { pooled: model.encoded[modality]!.pooled });
  const sizes = { imageBatch: 1, textBatch: 1, textTokens: 77 };
  return countFlops(bind(sizes).run(graph)) / 1e9;
}

/**
 * What open_clip's attention pool computes and ours does not: it asks for the mean and for every place, and keeps the
 * answer to the mean. Query and output projections, scores and sums of values of `places` more queries.
 */
function unusedQueries(name: OpenClipModelName): number {
  const { vision_cfg: vision, embed_dim: embedDim } = openClipConfigs[name];
  if (typeof vision.layers === "number") return 0;
  const channels = 32 * vision.width;
  const places = (vision.image_size / 32) ** 2;
  const perQuery = channels * channels + 2 * (places + 1) * channels + channels * embedDim;
  return (2 * places * perQuery) / 1e9;
}

describe("openClipConfigs", () => {
  it("holds the paper's nine models", () => {
    expect(OPEN_CLIP_MODEL_NAMES).toEqual(Object.keys(published));
  });

  it.each(OPEN_CLIP_MODEL_NAMES)("%s has the published parameters", (name) => {
    const { parameters } = build(name);
    expect(millions(countParameters(parameters))).toBe(totals[name]);
    (["image", "text"] as const).forEach((modality, i) => {
      // Each tower is built with the model's one scale.
      const tower = countParameters(build(name, modality).parameters) - 1;
      expect(Math.abs(tower / 1e6 - published[name].parameters[i]!), modality).toBeLessThan(0.006);
    });
  });

  it.each(OPEN_CLIP_MODEL_NAMES)("%s has the published FLOPs within 1 %%", (name) => {
    const model = build(name);
    const [image, text] = published[name].gigaflops;
    const found = gigaflops(model, "image") + unusedQueries(name);
    expect(Math.abs(found / image - 1), `image: ${found} GFLOPs`).toBeLessThan(0.01);
    expect(Math.abs(gigaflops(model, "text") / text - 1), "text").toBeLessThan(0.01);
  });

  it("asks the attention pool once and not for every place", () => {
    const found = gigaflops(build("RN50"), "image");
    expect(found).toBeLessThan(published.RN50.gigaflops[0] - 0.9 * unusedQueries("RN50"));
  });
});

describe("openClipConfig", () => {
  it("finds a model by name, or its twin with QuickGELU", () => {
    expect(openClipConfig("RN50x4")).toBe(openClipConfigs.RN50x4);
    expect(openClipConfig("ViT-B-16-quickgelu")).toEqual({
      ...openClipConfigs["ViT-B-16"],
      quick_gelu: true,
    });
  });

  it("lists what it knows", () => {
    for (const name of ["ViT-B/32", "toString", "-quickgelu"]) {
      expect(() => openClipConfig(name)).toThrow(ConfigError);
    }
    expect(() => openClipConfig("ViT-B/32")).toThrow(
      /expected one of RN50, RN101, .*got "ViT-B\/32"/,
    );
  });
});
