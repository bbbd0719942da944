import {
  add,
  attention,
  createGraph,
  createHostTensor,
  exp,
  hostValues,
  input,
  matmul,
  mul,
  reshape,
  sliceAxis,
  softmax,
  sub,
  sum,
  type HostTensor,
  type Value,
} from "@diptych/core";
import { createReferenceBackend } from "@diptych/core/reference";
import { expect, it } from "vitest";
import { buildAttentionRelevance } from "./attention-relevance.js";
import { attentionLayers, spatialValues } from "./inspected-tower.js";
import { buildGradientRelevance } from "./gradient-relevance.js";
import type { RelevancePlan } from "./relevance-plan.js";

/** A class token and two places side by side. */
const FACTS = { gridHeight: 1, gridWidth: 2 };

const tensor = (shape: readonly number[], values: readonly number[]): HostTensor =>
  createHostTensor("float32", shape, Float32Array.from(values));

async function evaluate(
  plan: RelevancePlan,
  feeds: Readonly<Record<string, HostTensor>>,
): Promise<Readonly<Record<string, HostTensor>>> {
  const backend = createReferenceBackend();
  const executable = await backend.compile(createGraph("test", plan.outputs));
  const outputs = await executable.run(feeds);
  const results: Record<string, HostTensor> = {};
  for (const [name, output] of Object.entries(outputs)) results[name] = await output.read();
  return results;
}

const places = (plan: RelevancePlan, results: Readonly<Record<string, HostTensor>>): number[] => [
  ...(plan.read(results, 0)?.places ?? []),
];

it("follows two layers of attention back by the paper's rule, as computed by hand", async () => {
  // x [tokens, 1] → y = P1·x → z = P2·y, score = z of the class token.
  const shape = [1, 1, 3, 3];
  const [first, second] = [input("first", shape), input("second", shape)];
  const x = input("x", [1, 1, 3, 1]);
  const y = matmul(first, x);
  const z = reshape(matmul(second, y), [1, 3, 1]);
  const score = reshape(sliceAxis(z, 1, 0, 1), [1]);
  const output = {
    pooled: reshape(score, [1, 1]),
    intermediates: {
      "image/block0": reshape(y, [1, 3, 1]),
      "image/block0/attention": first,
      "image/block1": z,
      "image/block1/attention": second,
    },
  };
  const layers = attentionLayers(output);
  expect(layers.map(({ path }) => path)).toEqual([
    "image/block0/attention",
    "image/block1/attention",
  ]);
  const feeds = {
    first: tensor(shape, [0.5, 0.25, 0.25, 0, 1, 0, 0.5, 0, 0.5]),
    second: tensor(shape, [0.25, 0.25, 0.5, 1, 0, 0, 0, 1, 0]),
    x: tensor([1, 1, 3, 1], [1, 2, -1]),
  };
  // y = [0.75, 2, 0]. ∂/∂P2: row 0 = y. Ā2 = (y ∘ P2 row 0)⁺ = [0.1875, 0.5, 0] in row 0.
  // ∂/∂P1[q, k] = P2[0, q]·x_k. Ā1 row 0 = .25·[.5, .5, (−.25)⁺] = [.125, .125, 0]; row 1 = .25·[0, 2, 0]; row 2 = .5·[.5, 0, 0].
  // Class row of (I + Ā2)(I + Ā1): [1.1875, .5, 0]·(I + Ā1) = [·, .5 + 1.1875·.125 + .5·.5, 0].
  const both = buildAttentionRelevance(score, layers, FACTS);
  const results = await evaluate(both, feeds);
  expect(results["score"]?.data[0]).toBe(0.25 * 0.75 + 0.25 * 2);
  expect(places(both, results)).toEqual([0.5 + 1.1875 * 0.125 + 0.25, 0]);
  const last = buildAttentionRelevance(score, layers.slice(1), FACTS);
  expect(places(last, await evaluate(last, feeds))).toEqual([0.5, 0]);
});

it("weights the rows of all tokens that are read, and leaves their own share out", async () => {
  const shape = [1, 1, 2, 2];
  const probabilities = input("p", shape);
  const x = input("x", [1, 1, 2, 1]);
  const y = reshape(matmul(probabilities, x), [1, 2, 1]);
  const weights = input("weights", [1, 2, 1]);
  const score = sum(mul(y, weights), { axes: [1, 2] });
  const layers = attentionLayers({
    pooled: reshape(score, [1, 1]),
    intermediates: { "image/block0": y, "image/block0/attention": probabilities },
  });
  const plan = buildAttentionRelevance(score, layers, FACTS);
  const results = await evaluate(plan, {
    p: tensor(shape, [0.25, 0.75, 0.5, 0.5]),
    x: tensor([1, 1, 2, 1], [2, 4]),
    weights: tensor([1, 2, 1], [3, -1]),
  });
  // Rows are read 3 : 1. Ā = (w_q·x_k·P)⁺: row 0 [1.5, 9], row 1 zero.
  expect(places(plan, results)).toEqual([0.75 * 1.5, 0.75 * 9]);
});

it("gives the same whether attention hides its probabilities or not, over several heads", async () => {
  const shape = [2, 2, 3, 4];
  const parts = ["q", "k", "v"].map((name) => input(name, shape));
  const [query, key, value] = parts as [Value, Value, Value];
  const scale = 0.5;
  const scores = mul(matmul(query, key, { transposeB: true }), scale);
  const plain = softmax(scores);
  const { output, logSumExp } = attention(query, key, value, { scale });
  const hidden = exp(sub(scores, reshape(logSumExp, [2, 2, 3, 1])));
  const plans = [
    [output, hidden],
    [matmul(plain, value), plain],
  ].map(([y, probabilities]) => {
    const tokens = add(reshape(y!, [2, 2, 12]), input("bias", [12]));
    const score = sum(mul(tokens, tokens), { axes: [1, 2] });
    const layers = attentionLayers({
      pooled: reshape(score, [2, 1]),
      intermediates: { "image/block0/attention": probabilities! },
    });
    return buildAttentionRelevance(score, layers, FACTS);
  });
  const random = (seed: number, size: number): number[] =>
    Array.from({ length: size }, (_, i) => Math.sin(seed * 100 + i * 7.3));
  const feeds = {
    q: tensor(shape, random(1, 48)),
    k: tensor(shape, random(2, 48)),
    v: tensor(shape, random(3, 48)),
    bias: tensor([12], random(4, 12)),
  };
  const [a, b] = await Promise.all(plans.map((plan) => evaluate(plan, feeds)));
  const values = hostValues(a!["layer0"]!);
  expect(Math.max(...values)).toBeGreaterThan(0.05);
  hostValues(b!["layer0"]!).forEach((expected, i) => expect(values[i]).toBeCloseTo(expected, 6));
});

it("weights features by place or, as Grad-CAM, by the mean of a channel's gradient", async () => {
  // Two channels on a 1×2 map; score = Σ head·map.
  const map = input("map", [1, 2, 1, 2]);
  const feature = mul(map, 1);
  const head = input("head", [1, 2, 1, 2]);
  const score = sum(mul(feature, head), { axes: [1, 2, 3] });
  const candidates = spatialValues(
    { pooled: reshape(score, [1, 1]), intermediates: { "image/stage0": feature } },
    {},
  );
  const feeds = {
    map: tensor([1, 2, 1, 2], [1, 2, 3, 4]),
    head: tensor([1, 2, 1, 2], [1, 2, 0.5, 0]),
  };
  const byPlace = buildGradientRelevance(score, candidates, "place");
  // Each channel is half a unit below its mean, then above. Place 0: (−0.5 − 0.25)⁺; place 1: 2·0.5 + 0.
  expect(places(byPlace, await evaluate(byPlace, feeds))).toEqual([0, 1]);
  const byMean = buildGradientRelevance(score, candidates, "mean");
  // Channels weigh 1.5 and 0.25.
  expect(places(byMean, await evaluate(byMean, feeds))).toEqual([2.25, 4]);
});

it("passes over features behind a class token, whose places do not matter", async () => {
  const x = input("x", [1, 3, 1]);
  const before = mul(x, 1);
  const mixed = matmul(input("mix", [1, 3, 3]), before);
  const score = reshape(sliceAxis(mixed, 1, 0, 1), [1]);
  const candidates = spatialValues(
    {
      pooled: reshape(score, [1, 1]),
      intermediates: { "image/block0": before, "image/block1": mixed },
    },
    FACTS,
  );
  expect(candidates.map(({ path }) => path)).toEqual(["image/block0", "image/block1"]);
  const feeds = {
    x: tensor([1, 3, 1], [1, 2, 3]),
    mix: tensor([1, 3, 3], [0, 5, 7, 0, 0, 0, 0, 0, 0]),
  };
  const plan = buildGradientRelevance(score, candidates, "place");
  const found = plan.read(await evaluate(plan, feeds), 0);
  expect(found?.path).toBe("image/block0");
  // Gradients 5 and 7; the places 2 and 3 lie half a unit below and above their mean.
  expect([...(found?.places ?? [])]).toEqual([0, 3.5]);
  const last = buildGradientRelevance(score, candidates.slice(1), "place");
  expect(last.read(await evaluate(last, feeds), 0)).toBeUndefined();
});
