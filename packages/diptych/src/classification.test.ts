import { createHostTensor, DataError } from "@diptych/core";
import { expect, it } from "vitest";
import { createLabelWeights, rankLabels } from "./classification.js";

it("embeds labels once for many pictures, anew for others, and again after a failure", async () => {
  const asked: string[] = [];
  let broken = false;
  const weightsOf = createLabelWeights({
    texts: async (texts) => {
      if (broken) throw new DataError("test: broken");
      asked.push(...texts);
      return createHostTensor("float32", [texts.length, 1], new Float32Array(texts.length).fill(1));
    },
  });
  const first = await weightsOf(["cat", "dog"], ["a {}."]);
  expect(await weightsOf(["cat", "dog"], ["a {}."])).toBe(first);
  expect(asked).toEqual(["a cat.", "a dog."]);
  await weightsOf(["cat", "dog"], ["the {}."]);
  expect(asked.slice(2)).toEqual(["the cat.", "the dog."]);
  broken = true;
  await expect(weightsOf(["cat"], ["a {}."])).rejects.toThrow("broken");
  broken = false;
  await weightsOf(["cat"], ["a {}."]);
  expect(asked.slice(4)).toEqual(["a cat."]);
});

it("ranks labels by the softmax of their scaled cosines, equal ones in the order given", () => {
  const ranked = rankLabels(Float64Array.of(0, 0.5, 0.5), ["a", "b", "c"], 2);
  expect(ranked.map(({ label }) => label)).toEqual(["b", "c", "a"]);
  const total = 1 + 2 * Math.E;
  expect(ranked.map(({ probability }) => probability)).toEqual([
    expect.closeTo(Math.E / total, 12),
    expect.closeTo(Math.E / total, 12),
    expect.closeTo(1 / total, 12),
  ]);
});
