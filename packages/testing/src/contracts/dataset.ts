/** What every dataset promises: valid samples, an order that only seeds decide, and positions to go on from. */
import {
  createRandom,
  isDiptychError,
  type Dataset,
  type Sample,
  type SizedDataset,
  type StreamingDataset,
} from "@diptych/core";
import { assert, describe, expect } from "vitest";
import { registerChecks, type ContractCheck } from "../contract-check.js";

export interface DatasetContractOptions {
  readonly name: string;
  /** A small set; disposed after each check. */
  readonly create: () => Dataset | Promise<Dataset>;
}

const requestOf = (seed: number, counts: { images?: number; captions?: number } = {}) => ({
  random: createRandom("dataset").split(seed),
  ...counts,
});

/** Runs `work` on a new dataset of one kind; the other kind has checks of its own. */
async function using<Kind extends Dataset["kind"]>(
  { create }: DatasetContractOptions,
  kind: Kind,
  work: (dataset: Extract<Dataset, { kind: Kind }>) => Promise<void>,
): Promise<void> {
  const dataset = await create();
  try {
    if (dataset.kind === kind) await work(dataset as Extract<Dataset, { kind: Kind }>);
  } finally {
    await dataset.dispose?.();
  }
}

function checkSample(sample: Sample): void {
  expect(typeof sample.id === "string" && sample.id !== "", "a sample has an id").toBe(true);
  expect(
    sample.images.length + sample.captions.length,
    "a sample shows or says something",
  ).toBeGreaterThan(0);
  for (const { width, height, channels, data } of sample.images) {
    expect(width > 0 && height > 0, `size of a picture of ${sample.id}`).toBe(true);
    expect([1, 3, 4]).toContain(channels);
    expect(data, `pixels of ${sample.id}`).toHaveLength(width * height * channels);
  }
  for (const caption of sample.captions)
    expect(typeof caption, `caption of ${sample.id}`).toBe("string");
}

/** Enough of a set to meet its ends. */
function someIndices({ size }: SizedDataset): readonly number[] {
  return [...new Set([0, 1, Math.floor(size / 2), size - 1])].filter((i) => i >= 0 && i < size);
}

/** Captions may be drawn in more orders than can be listed, but of words that are. */
const wordsOf = (caption: string): readonly string[] => caption.match(/[^\s,]+/g) ?? [];

const sized: readonly ContractCheck<DatasetContractOptions>[] = [
  {
    name: "sized: has a size and valid samples",
    run: (options) =>
      using(options, "sized", async (dataset) => {
        expect(dataset.name).not.toBe("");
        expect(Number.isInteger(dataset.size) && dataset.size > 0).toBe(true);
        for (const index of someIndices(dataset))
          checkSample(await dataset.sample(index, requestOf(index)));
      }),
  },
  {
    name: "sized: gives a sample's id and concept at each reading, and distinct ids",
    run: (options) =>
      using(options, "sized", async (dataset) => {
        const ids = new Set<string>();
        const indices = someIndices(dataset);
        for (const index of indices) {
          const [first, second] = [
            await dataset.sample(index, requestOf(1)),
            await dataset.sample(index, requestOf(2)),
          ];
          expect(second.id).toBe(first.id);
          expect(second.concept).toBe(first.concept);
          if (dataset.conceptOf)
            expect(dataset.conceptOf(index)).toBe(first.concept ?? dataset.conceptOf(index));
          ids.add(first.id);
        }
        expect(ids.size).toBe(indices.length);
      }),
  },
  {
    name: "sized: the same request gives the same sample, in any order, also at once",
    run: (options) =>
      using(options, "sized", async (dataset) => {
        const indices = someIndices(dataset);
        const alone: Sample[] = [];
        for (const index of indices) alone.push(await dataset.sample(index, requestOf(index)));
        const reading = [...indices]
          .reverse()
          .map(async (index) => dataset.sample(index, requestOf(index)));
        const together = await Promise.all(reading);
        expect(together.reverse()).toEqual(alone);
      }),
  },
  {
    name: "sized: gives as many pictures and captions as asked",
    run: (options) =>
      using(options, "sized", async (dataset) => {
        const one = await dataset.sample(0, requestOf(1));
        const two = await dataset.sample(0, requestOf(1, { images: 2, captions: 3 }));
        expect(one.images.length, "one picture by default").toBeLessThanOrEqual(1);
        expect(one.captions.length, "one caption by default").toBeLessThanOrEqual(1);
        expect(two.images).toHaveLength(2 * one.images.length);
        expect(two.captions).toHaveLength(3 * one.captions.length);
        checkSample(two);
        const none = await dataset.sample(0, requestOf(1, { images: 0 }));
        expect(none.images, "no picture where none is asked for").toHaveLength(0);
      }),
  },
  {
    name: "sized: refuses an index outside with a DataError",
    run: (options) =>
      using(options, "sized", async (dataset) => {
        for (const index of [-1, dataset.size, 0.5, NaN]) {
          const reading = (async () => dataset.sample(index, requestOf(1)))();
          await expect(reading, `sample ${index}`).rejects.toSatisfy((error) =>
            isDiptychError(error, "DATA"),
          );
        }
      }),
  },
  {
    name: "sized: has a fingerprint that two instances agree on",
    run: (options) =>
      using(options, "sized", async (dataset) => {
        if (!dataset.fingerprint) return;
        const { hash, note } = await dataset.fingerprint();
        expect(hash, "hash of the fingerprint").toMatch(/^\S{8,}$/);
        expect(note.trim(), "what the fingerprint is of").not.toBe("");
        // Reading samples changes nothing of what they hold.
        await dataset.sample(0, requestOf(1));
        expect((await dataset.fingerprint()).hash, "the same at each call").toBe(hash);
        await using(options, "sized", async (other) => {
          expect((await other.fingerprint?.())?.hash, "the same of another instance").toBe(hash);
        });
      }),
  },
  {
    name: "lists captions with every word that a sample may say",
    run: (options) =>
      using(options, "sized", async (dataset) => {
        if (!dataset.captions) return;
        const listed = new Set([...dataset.captions()].flatMap(wordsOf));
        for (const index of someIndices(dataset)) {
          for (const seed of [1, 2, 3]) {
            const { captions } = await dataset.sample(index, requestOf(seed));
            for (const word of captions.flatMap(wordsOf))
              expect(listed.has(word), `"${word}" is listed`).toBe(true);
          }
        }
      }),
  },
];

const PREFIX = 6;

async function prefix(
  dataset: StreamingDataset,
  epoch: number,
  position = 0,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for await (const sample of dataset.stream({
    random: createRandom("stream").split(epoch),
    epoch,
    position,
  })) {
    samples.push(sample);
    if (samples.length >= PREFIX) break;
  }
  return samples;
}

const streaming: readonly ContractCheck<DatasetContractOptions>[] = [
  {
    name: "streaming: gives valid samples",
    run: (options) =>
      using(options, "streaming", async (dataset) => {
        const samples = await prefix(dataset, 0);
        expect(samples.length).toBeGreaterThan(0);
        samples.forEach(checkSample);
      }),
  },
  {
    name: "streaming: seed and epoch decide the order",
    run: (options) =>
      using(options, "streaming", async (dataset) => {
        for (const epoch of [0, 1])
          expect(await prefix(dataset, epoch)).toEqual(await prefix(dataset, epoch));
      }),
  },
  {
    name: "streaming: goes on from a position",
    run: (options) =>
      using(options, "streaming", async (dataset) => {
        const all = await prefix(dataset, 1);
        const later = await prefix(dataset, 1, 2);
        expect(later.slice(0, all.length - 2)).toEqual(all.slice(2));
      }),
  },
];

const lifetime: readonly ContractCheck<DatasetContractOptions>[] = [
  {
    name: "can be disposed twice",
    run: async ({ create }) => {
      const dataset = await create();
      await dataset.dispose?.();
      await dataset.dispose?.();
    },
  },
  {
    name: "is sized or streaming",
    run: async ({ create }) => {
      const { kind } = await create();
      if (!["sized", "streaming"].includes(kind))
        assert.fail(`kind: expected sized or streaming, got ${kind}`);
    },
  },
];

/** The dataset contract as checks, for tests of the suite itself. */
export const datasetChecks: readonly ContractCheck<DatasetContractOptions>[] = [
  ...sized,
  ...streaming,
  ...lifetime,
];

/**
 * Registers the dataset contract's tests; those of the other kind pass without doing anything.
 *
 * @example
 * describeDatasetContract({ name: "folder", create: () => openImageFolder(path) });
 */
export function describeDatasetContract(options: DatasetContractOptions): void {
  describe(`dataset contract: ${options.name}`, () => registerChecks(datasetChecks, () => options));
}
