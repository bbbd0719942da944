import type { Image, ImageTransform, Random, SampleRequest, Tokenizer } from "@diptych/core";
import { describe, expect, it } from "vitest";
import { createEvaluationTransform } from "../evaluation/evaluation-transform.js";
import { createLoader, type Batch, type Loader, type LoaderOptions } from "./create-loader.js";
import { numberTokenizer, numbersDataset, numbersStream } from "./loader.test-support.js";

const base = {
  tokenizer: numberTokenizer,
  batchSize: 4,
  seed: 7,
  imageHeight: 2,
  imageWidth: 2,
  mean: [0, 0, 0],
  std: [1, 1, 1],
} as const;

const loaderOf = (options: Partial<LoaderOptions> = {}): Loader =>
  createLoader({ ...base, dataset: numbersDataset(22), ...options });

interface Seen {
  readonly step: number;
  readonly epoch: number;
  readonly feeds: Record<string, number[]>;
}

const copy = ({ step, epoch, feeds }: Batch): Seen => ({
  step,
  epoch,
  feeds: Object.fromEntries(Object.entries(feeds).map(([name, { data }]) => [name, [...data]])),
});

/** Copies of `count` batches. */
async function take(loader: Loader, count: number, startStep = 0): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const batch of loader.batches({ startStep })) {
    seen.push(copy(batch));
    if (seen.length === count) break;
  }
  return seen;
}

/** The samples of a batch by number. */
const numbers = ({ feeds }: Seen): number[] =>
  (feeds["text"] ?? []).filter((_, i) => i % numberTokenizer.contextLength === 0);

describe("the feeds", () => {
  it("have rows of a sample after each other and say which show one concept", async () => {
    const dataset = numbersDataset(22, { concept: (i) => `c${i % 2}` });
    const options = { dataset, imagesPerSample: 2, captionsPerSample: 3 };
    for await (const { feeds } of loaderOf(options).batches()) {
      expect(
        Object.fromEntries(Object.entries(feeds).map(([k, v]) => [k, [v.dtype, ...v.shape]])),
      ).toEqual({
        image: ["float32", 8, 3, 2, 2],
        text: ["int32", 12, 4],
        textLengths: ["int32", 12],
        imageSample: ["int32", 8],
        textSample: ["int32", 12],
        imageItem: ["int32", 8],
        textItem: ["int32", 12],
      });
      const text = feeds["text"]?.data ?? [];
      const image = feeds["image"]?.data ?? [];
      const concepts = Array.from({ length: 4 }, (_, i) => (text[i * 12] ?? 0) % 2);
      const first = concepts.map((concept) => concepts.indexOf(concept));
      expect([...(feeds["imageSample"]?.data ?? [])]).toEqual(first.flatMap((i) => [i, i]));
      expect([...(feeds["textSample"]?.data ?? [])]).toEqual(first.flatMap((i) => [i, i, i]));
      expect([...(feeds["imageItem"]?.data ?? [])]).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
      expect([...(feeds["textItem"]?.data ?? [])]).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
      for (let i = 0; i < 4; i++) {
        // Red of both pictures is the sample's number.
        expect(Math.round((image[i * 24] ?? 0) * 255)).toBe(text[i * 12]);
        expect(Math.round((image[i * 24 + 12] ?? 0) * 255)).toBe(text[i * 12]);
      }
      break;
    }
  });

  it("hold the same pictures and captions once more as another model reads them", async () => {
    const red: ImageTransform = {
      name: "red",
      // Another size than the loader's: the view sees this picture, not what the loader makes of it.
      apply: ({ data }) => ({
        width: 4,
        height: 4,
        channels: 3,
        data: Uint8Array.from({ length: 48 }, (_, i) => (i % 3 === 0 ? (data[0] ?? 0) * 2 : 0)),
      }),
    };
    const transform = createEvaluationTransform({
      imageHeight: 4,
      imageWidth: 4,
      mean: [0.5, 0, 0],
      std: [0.5, 1, 1],
    });
    const tokenizer: Tokenizer = {
      ...numberTokenizer,
      encodeBatch: (texts) => ({
        ids: Int32Array.from(texts, (text) => 100 + Number(text.split(" ")[0])),
        lengths: new Int32Array(texts.length).fill(1),
        batch: texts.length,
        contextLength: 1,
      }),
    };
    const loader = loaderOf({
      imageTransforms: [red],
      imagesPerSample: 2,
      extraCaptions: 2,
      imageViews: [{ name: "teacher pixels", transform }],
      textViews: [{ name: "teacher ids", tokenizer }],
      prefetch: 1,
    });
    let seen = 0;
    for await (const { feeds } of loader.batches()) {
      const { shape, data } = feeds["teacher pixels"]!;
      expect(shape).toEqual([8, 3, 4, 4]);
      const text = feeds["text"]!.data;
      const ids = [...feeds["teacher ids"]!.data];
      expect(feeds["teacher ids"]!.shape).toEqual([6, 1]);
      expect(ids.map((id) => id - 100)).toEqual(Array.from({ length: 6 }, (_, i) => text[i * 4]));
      for (let row = 0; row < 8; row++) {
        const number = text[Math.floor(row / 2) * 4] ?? 0;
        expect(data[row * 48]).toBeCloseTo(((number * 2) / 255 - 0.5) / 0.5, 6);
        expect(data[row * 48 + 16]).toBe(0);
      }
      if (++seen === 4) break;
    }
  });

  it("add captions of the samples that follow, without their pictures", async () => {
    const [first, , , , last] = await take(loaderOf({ extraCaptions: 3, captionsPerSample: 2 }), 5);
    expect(first?.feeds["image"]).toHaveLength(4 * 3 * 2 * 2);
    expect(first?.feeds["imageSample"]).toEqual([0, 1, 2, 3]);
    expect(first?.feeds["textSample"]).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
    const order = (await take(loaderOf(), 5)).flatMap(numbers);
    const twice = (from: readonly number[]): number[] => from.flatMap((n) => [n, n]);
    expect(numbers(first as Seen)).toEqual(twice(order.slice(0, 7)));
    // The epoch's last batch goes on with the two left over, and then from the epoch's start.
    const texts = numbers(last as Seen);
    expect(texts.slice(0, 8)).toEqual(twice(order.slice(16, 20)));
    expect(texts.slice(12)).toEqual(twice(order.slice(0, 1)));
  });

  it("mark an extra caption of a concept in the batch as its positive", async () => {
    const dataset = numbersDataset(8, { concept: (i) => `c${i % 4}` });
    const [batch] = await take(loaderOf({ dataset, extraCaptions: 4 }), 1);
    const samples = batch?.feeds["textSample"] ?? [];
    expect(samples.slice(0, 4)).toEqual([0, 1, 2, 3]);
    expect([...samples.slice(4)].sort()).toEqual([0, 1, 2, 3]);
    expect(batch?.feeds["textItem"]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("read no picture for extra captions, and refuse more than the set or a stream has", async () => {
    const dataset = numbersDataset(22);
    const asked: (number | undefined)[] = [];
    const spied = {
      ...dataset,
      sample: (index: number, request: SampleRequest) => {
        asked.push(request.images);
        return dataset.sample(index, request);
      },
    };
    await take(loaderOf({ dataset: spied, extraCaptions: 2, prefetch: 1 }), 1);
    expect(asked.slice(0, 6)).toEqual([1, 1, 1, 1, 0, 0]);
    expect(() => loaderOf({ extraCaptions: 19 })).toThrow(
      /a batch of 4 samples and 19 extra captions, got 22/,
    );
    expect(() => loaderOf({ extraCaptions: -1 })).toThrow(/extraCaptions: expected an integer/);
    expect(() => loaderOf({ dataset: numbersStream(22), extraCaptions: 1 })).toThrow(
      /extraCaptions: expected 0 .*stream/,
    );
  });

  it("number samples without a concept apart", async () => {
    const [batch] = await take(loaderOf(), 1);
    expect(batch?.feeds["imageSample"]).toEqual([0, 1, 2, 3]);
  });

  it("resize what the transforms leave at another size", async () => {
    for await (const { feeds } of loaderOf({ imageHeight: 5, imageWidth: 3 }).batches()) {
      expect(feeds["image"]?.shape).toEqual([4, 3, 5, 3]);
      break;
    }
  });
});

describe("the order", () => {
  it("shows each sample once an epoch, in another order each epoch and seed", async () => {
    const loader = loaderOf();
    expect(loader.stepsPerEpoch).toBe(5);
    const seen = await take(loader, 10);
    expect(seen.map(({ step, epoch }) => [step, epoch])).toEqual(
      Array.from({ length: 10 }, (_, i) => [i, Math.floor(i / 5)]),
    );
    const epochs = [seen.slice(0, 5), seen.slice(5)].map((batches) => batches.flatMap(numbers));
    for (const epoch of epochs) expect(new Set(epoch).size).toBe(20);
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect((await take(loaderOf({ seed: 8 }), 5)).flatMap(numbers)).not.toEqual(epochs[0]);
  });

  it("keeps the rest of an epoch where asked", async () => {
    const loader = loaderOf({ dropLast: false });
    expect(loader.stepsPerEpoch).toBe(6);
    const seen = await take(loader, 6);
    expect(seen.at(-1)?.feeds["image"]).toHaveLength(2 * 12);
    expect(new Set(seen.flatMap(numbers)).size).toBe(22);
  });

  it("is the same however long reading takes and however much is prepared ahead", async () => {
    const slow = numbersDataset(22, { slow: true });
    const expected = await take(loaderOf(), 12);
    expect(await take(loaderOf({ dataset: slow, prefetch: 1 }), 12)).toEqual(expected);
    expect(await take(loaderOf({ prefetch: 9 }), 12)).toEqual(expected);
  });

  it("resumes at any step as if never interrupted, transforms included", async () => {
    const noise = {
      name: "noise",
      apply: (image: Image, random: Random): Image => ({
        ...image,
        data: image.data.map((value) => value + random.integer(5)),
      }),
    };
    const options = { imageTransforms: [noise, noise], imagesPerSample: 2 };
    const all = await take(loaderOf(options), 14);
    for (const start of [1, 4, 5, 6, 13]) {
      expect(await take(loaderOf(options), 14 - start, start)).toEqual(all.slice(start));
    }
  });

  it("keeps equal concepts out of a batch as far as there are others", async () => {
    const distinct = (seen: Seen[]): number[] =>
      seen.map(({ feeds }) => new Set(feeds["imageSample"]).size);
    const dataset = numbersDataset(40, { concept: (i) => `c${i % 8}` });
    const batches = await take(loaderOf({ dataset }), 9);
    expect(distinct(batches)).toEqual(Array(9).fill(4));
    const free = await take(loaderOf({ dataset, distinctConcepts: false }), 9);
    expect(Math.min(...distinct(free))).toBeLessThan(4);
    const two = numbersDataset(40, { concept: (i) => `c${i % 2}` });
    const few = await take(loaderOf({ dataset: two }), 10);
    expect(new Set(few.flatMap(numbers)).size).toBe(40);
    // Arranged orders resume as well.
    expect(await take(loaderOf({ dataset: two }), 4, 6)).toEqual(few.slice(6));
  });
});

describe("preparing ahead", () => {
  it("lets timers run, and does not let the consumer wait once warm", async () => {
    const busy = {
      name: "busy",
      apply: (image: Image): Image => {
        const end = performance.now() + 1;
        while (performance.now() < end);
        return image;
      },
    };
    const loader = loaderOf({ imageTransforms: [busy] });
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    const before = performance.now();
    let steps = 0;
    for await (const _ of loader.batches()) {
      // A step that another thread computes for 60 ms; a batch costs 4.
      await new Promise((resolve) => setTimeout(resolve, 60));
      if (++steps === 8) break;
    }
    clearInterval(timer);
    const elapsed = performance.now() - before;
    expect(elapsed).toBeGreaterThan(8 * 59);
    expect(ticks).toBeGreaterThan(100);
    expect(loader.firstWaitMs).toBeGreaterThan(3);
    // Without preparing ahead each step would wait for four samples of a millisecond.
    expect(loader.waitedMs).toBeLessThan(0.05 * elapsed);
  });

  it("reports the wait where reading is slower than the step", async () => {
    const slow = {
      name: "slow",
      apply: (image: Image): Promise<Image> =>
        new Promise((resolve) => setTimeout(resolve, 15, image)),
    };
    const loader = loaderOf({ imageTransforms: [slow] });
    await take(loader, 5);
    expect(loader.waitedMs).toBeGreaterThan(4 * 10);
  });

  it("does not write into a batch that the consumer holds", async () => {
    const loader = loaderOf({ prefetch: 2 });
    let count = 0;
    for await (const batch of loader.batches()) {
      const before = copy(batch);
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(copy(batch)).toEqual(before);
      if (++count === 12) break;
    }
  });

  it("reads no further than it may once the consumer stops", async () => {
    let reads = 0;
    const dataset = numbersDataset(400);
    const counted = {
      ...dataset,
      sample: (...args: Parameters<typeof dataset.sample>) => {
        reads += 1;
        return dataset.sample(...args);
      },
    };
    await take(loaderOf({ dataset: counted, prefetch: 2 }), 3);
    const after = reads;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(reads).toBe(after);
    expect(reads).toBeLessThanOrEqual((3 + 2 + 1) * 4);
  });

  it("stops with the signal's reason", async () => {
    const controller = new AbortController();
    const run = async (): Promise<void> => {
      for await (const { step } of loaderOf().batches({ signal: controller.signal })) {
        if (step === 2) controller.abort(new Error("enough"));
      }
    };
    await expect(run()).rejects.toThrow("enough");
  });
});

describe("bad data", () => {
  it("throws by default, naming the sample, the first of a batch", async () => {
    const dataset = numbersDataset(22, { bad: Array.from({ length: 22 }, (_, i) => i) });
    await expect(take(loaderOf({ dataset }), 6)).rejects.toMatchObject({ code: "DATA" });
    const one = numbersDataset(22, { bad: [11] });
    await expect(take(loaderOf({ dataset: one, dropLast: false }), 6)).rejects.toThrow(/11\.png/);
  });

  it("takes the next readable sample where skipping is asked for, and replays", async () => {
    const dataset = numbersDataset(22, { bad: [11, 12] });
    const told: string[] = [];
    const options = { dataset, onBadSample: "skip" as const, dropLast: false };
    const loader = loaderOf({ ...options, onSkip: (error) => told.push(error.message) });
    const seen = await take(loader, 6);
    const read = seen.flatMap(numbers);
    expect(read).toHaveLength(22);
    expect(read.filter((n) => n === 13)).toHaveLength(3);
    expect(loader.skipped).toBeGreaterThanOrEqual(3);
    expect(told.join()).toMatch(/11\.png.*12\.png|12\.png.*11\.png/);
    expect(await take(loaderOf(options), 3, 3)).toEqual(seen.slice(3));
  });

  it("gives up where nothing is readable, and passes on other errors", async () => {
    const none = numbersDataset(22, { bad: Array.from({ length: 22 }, (_, i) => i) });
    await expect(take(loaderOf({ dataset: none, onBadSample: "skip" }), 1)).rejects.toThrow(
      /expected a readable one among 22 in a row.*the last problem/,
    );
    const broken = { ...numbersDataset(22), sample: () => Promise.reject(new TypeError("a bug")) };
    await expect(take(loaderOf({ dataset: broken, onBadSample: "skip" }), 1)).rejects.toThrow(
      "a bug",
    );
  });

  it("refuses a batch larger than the set, an empty set, and counts below 1", () => {
    expect(() => loaderOf({ batchSize: 23 })).toThrow(
      /numbers: expected at least a batch of 23 samples, got 22\. Lower training\.batchSize/,
    );
    expect(() => loaderOf({ dataset: numbersDataset(0), batchSize: 1 })).toThrow(/got 0/);
    expect(() => loaderOf({ batchSize: 0, prefetch: 1.5 })).toThrow(
      /batchSize: expected an integer of at least 1, got 0; prefetch: .*got 1.5/,
    );
  });

  it("names the sample with too few captions, or with a text that is too long", async () => {
    const dataset = numbersDataset(22);
    const poor = { ...dataset, sample: () => ({ id: "poor", images: [], captions: ["1"] }) };
    await expect(take(loaderOf({ dataset: poor }), 1)).rejects.toThrow(
      /poor: expected 1 pictures, got 0\. Lower data\.imagesPerSample/,
    );
    const long = {
      ...dataset,
      sample: (index: number, request: Parameters<typeof dataset.sample>[1]) => ({
        ...(dataset.sample(index, request) as object),
        id: `row ${index}`,
        images: [{ width: 2, height: 2, channels: 3 as const, data: new Uint8Array(12) }],
        captions: [index === 9 ? "1 2 3 4 5" : "1"],
      }),
    };
    await expect(take(loaderOf({ dataset: long, dropLast: false }), 6)).rejects.toThrow(
      /expected 4 tokens, got "1 2 3 4 5"\. \(sample row 9\)/,
    );
  });
});

describe("streams", () => {
  it("go on over epochs and resume exactly, within the first epoch and beyond", async () => {
    const options = { dataset: numbersStream(10) };
    const all = await take(loaderOf(options), 7);
    expect(all.map(({ epoch }) => epoch)).toEqual([0, 0, 1, 1, 2, 2, 3]);
    expect(all.slice(0, 2).flatMap(numbers)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(all.slice(2, 4).flatMap(numbers)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(loaderOf(options).stepsPerEpoch).toBeUndefined();
    for (const start of [1, 2, 3, 6]) {
      expect(await take(loaderOf(options), 7 - start, start)).toEqual(all.slice(start));
    }
    const kept = await take(loaderOf({ ...options, dropLast: false }), 4);
    expect(kept.map((batch) => numbers(batch).length)).toEqual([4, 4, 2, 4]);
    expect(await take(loaderOf({ ...options, dropLast: false }), 2, 2)).toEqual(kept.slice(2));
  });

  it("refuse a batch larger than the stream", async () => {
    const loader = loaderOf({ dataset: numbersStream(3) });
    await expect(take(loader, 1)).rejects.toThrow(/stream of at least a batch of 4 samples/);
    await expect(take(loader, 1, 5)).rejects.toThrow(/stream of at least a batch of 4 samples/);
  });
});
