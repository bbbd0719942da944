// open_clip's CoCaLoss and MultimodalTransformer (scripts/make_coca.py), in float64.
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { createCaptioning } from "./captioning.js";
import { captioningSchema } from "./generative-config.js";
import { runTextLoss } from "./generative.test-support.js";
import { createInfoNce } from "./info-nce.js";
import { createWeightedSum } from "./weighted-sum.js";

interface Tensor {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

const golden = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../fixtures/coca.json"), "utf8"),
) as {
  readonly sizes: Readonly<Record<"width" | "layers" | "heads" | "vocab" | "mlpDim", number>>;
  readonly weights: Readonly<Record<"contrastive" | "captioning", number>>;
  readonly ids: readonly (readonly number[])[];
  readonly inputs: Readonly<Record<"imageTokens" | "textTokens" | "image" | "text", Tensor>>;
  readonly logitScale: number;
  readonly parameters: Readonly<Record<string, Tensor & { readonly gradient: readonly number[] }>>;
  readonly losses: Readonly<Record<"contrastive_loss" | "caption_loss", number>>;
  readonly gradients: Readonly<
    Record<"imageTokens" | "textTokens" | "image" | "text", readonly number[]>
  > & { readonly logitScale: number };
};

/** What float32 constants of our graph (GELU, the norms) leave. */
const DIGITS = 7;

function rowsOf({ shape, values }: Tensor): number[][] {
  const width = shape.at(-1)!;
  return Array.from({ length: values.length / width }, (_, i) =>
    values.slice(i * width, (i + 1) * width),
  );
}

function cubeOf(tensor: Tensor): number[][][] {
  const [count = 1, rows = 1] = tensor.shape;
  const all = rowsOf(tensor);
  return Array.from({ length: count }, (_, i) => all.slice(i * rows, (i + 1) * rows));
}

const expectClose = (found: readonly number[], expected: readonly number[], what: string): void => {
  expect(found, what).toHaveLength(expected.length);
  found.forEach((value, i) => expect(value, `${what}[${i}]`).toBeCloseTo(expected[i]!, DIGITS));
};

describe("CoCa as open_clip computes it", () => {
  const { vocab, ...sizes } = golden.sizes;
  const { layers, heads, mlpDim } = sizes;
  const loss = createWeightedSum([
    { loss: createInfoNce(), weight: golden.weights.contrastive, name: "contrastive" },
    {
      loss: createCaptioning(captioningSchema.parse({ layers, heads, mlpDim, over: "tokens" }), {
        vocab,
        contextLength: golden.ids[0]!.length,
        pad: 0,
        start: 5,
        end: 6,
      }),
      weight: golden.weights.captioning,
    },
  ]);
  const at = {
    tokens: cubeOf(golden.inputs.imageTokens),
    textTokens: cubeOf(golden.inputs.textTokens),
    features: { image: rowsOf(golden.inputs.image), text: rowsOf(golden.inputs.text) },
    ids: golden.ids,
    logitScale: golden.logitScale,
  };
  const scope = "captioning.text_decoder.";
  const given = Object.fromEntries(
    Object.entries(golden.parameters).map(([name, tensor]) => [`${scope}${name}`, tensor]),
  );
  const found = runTextLoss(loss, at, given);

  it("declares the decoder's parameters under open_clip's names and in its shapes", () => {
    const shapes = (
      all: Readonly<Record<string, { readonly shape: readonly number[] }>>,
    ): unknown =>
      Object.fromEntries(Object.entries(all).map(([name, { shape }]) => [name, [...shape]]));
    expect(shapes(found.weights)).toEqual(shapes(given));
  });

  it("has the value of each term and of the sum", () => {
    const { contrastive_loss: contrastive, caption_loss: captioning } = golden.losses;
    const { weights } = golden;
    expect(found.metrics["contrastive/loss"]! * weights.contrastive).toBeCloseTo(
      contrastive,
      DIGITS,
    );
    expect(found.metrics["captioning/loss"]! * weights.captioning).toBeCloseTo(captioning, DIGITS);
    expect(found.loss).toBeCloseTo(contrastive + captioning, DIGITS);
  });

  it("has the gradients of inputs and parameters", () => {
    const { gradients } = golden;
    expectClose(found.gradients["tokens"]!, gradients.imageTokens, "image tokens");
    expectClose(found.gradients["textTokens"]!, gradients.textTokens, "text tokens");
    expectClose(found.gradients["image features"]!, gradients.image, "image features");
    expectClose(found.gradients["text features"]!, gradients.text, "text features");
    expectClose(found.gradients["logitScale"]!, [gradients.logitScale], "logit scale");
    for (const [name, { gradient }] of Object.entries(golden.parameters))
      expectClose(found.gradients[`${scope}${name}`]!, gradient, name);
  });
});
