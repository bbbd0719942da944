import { describe, expect, it } from "vitest";
import { createRandom, type FeatureCache, type HostTensor, type Sample } from "@diptych/core";
import { embedDataset } from "../embed-dataset.js";
import { createRetrieval } from "../retrieval/retrieval.js";
import { retrievalSchema } from "../retrieval/retrieval-config.js";
import { createClassification } from "../classification.js";
import { classificationSchema } from "../classification-config.js";
import { toyContext, toySample } from "../toy-model.test-support.js";

const SET: Sample[] = [0, 1, 2].map((pixel) =>
  toySample(`s${pixel}`, pixel, { class: ["cat", "dog", "cup"][pixel] ?? "" }),
);

function memoryCache(): FeatureCache & {
  readonly entries: Map<string, ReadonlyMap<string, HostTensor>>;
} {
  const entries = new Map<string, ReadonlyMap<string, HostTensor>>();
  const name = ({ what, content }: { what: string; content: string }) => `${what} ${content}`;
  return {
    entries,
    read: (key) => Promise.resolve(entries.get(name(key))),
    write: (key, features) => {
      entries.set(name(key), features);
      return Promise.resolve();
    },
  };
}

function contextOf(cache: FeatureCache, { hash = "h", seed = 0, samples = SET } = {}) {
  const context = toyContext(samples, { cache, random: createRandom(seed) });
  const fingerprint = () => Promise.resolve({ hash, note: "" });
  return { ...context, dataset: { ...context.dataset, fingerprint } };
}

describe("cached features", () => {
  it("are those that were computed, without the model and the pictures", async () => {
    const cache = memoryCache();
    const first = contextOf(cache);
    const computed = await embedDataset(first, { texts: true });
    expect(first.seen.images).toBe(3);
    const second = contextOf(cache);
    const sample = () => Promise.reject(new Error("read"));
    const again = await embedDataset(
      { ...second, dataset: { ...second.dataset, sample } },
      { texts: true },
    );
    expect(second.seen).toEqual({ images: 0, texts: [] });
    expect(again).toEqual(computed);
  });

  it("make evaluators find the same, prompts included", async () => {
    const cache = memoryCache();
    for (const evaluator of [
      createRetrieval(retrievalSchema.parse({ recallK: [1] })),
      createClassification(classificationSchema.parse({}), { baseDir: "/" }),
    ]) {
      const first = await evaluator.evaluate(contextOf(cache));
      const context = contextOf(cache);
      expect(await evaluator.evaluate(context)).toEqual(first);
      expect(context.seen).toEqual({ images: 0, texts: [] });
    }
  });

  it.each([
    ["the data", { hash: "other" }, {}],
    ["the stream that captions are drawn by", { seed: 1 }, {}],
    ["the size", { samples: SET.slice(1) }, {}],
    ["lengths", {}, { normalize: false }],
    ["captions asked for", {}, { captionsPerSample: "all" as const }],
    ["what is embedded", {}, { texts: false }],
  ])("are others with %s", async (_, change, options) => {
    const cache = memoryCache();
    await embedDataset(contextOf(cache), { texts: true });
    const context = contextOf(cache, change);
    await embedDataset(context, { texts: true, ...options });
    expect(context.seen.images).toBeGreaterThan(0);
  });

  it("are computed again where an entry does not fit, and not kept without a fingerprint", async () => {
    const cache = memoryCache();
    await embedDataset(contextOf(cache), { texts: true });
    for (const [key, features] of cache.entries)
      cache.entries.set(key, new Map([...features].filter(([name]) => name !== "samples")));
    const context = contextOf(cache);
    await embedDataset(context, { texts: true });
    expect(context.seen.images).toBe(3);
    const none = memoryCache();
    await embedDataset(toyContext(SET, { cache: none }), { texts: true });
    expect(none.entries.size).toBe(0);
  });
});
