/** Retrieval: pictures to captions and captions to pictures, by one of two protocols. */
import {
  DataError,
  type Evaluation,
  type EvaluationContext,
  type Evaluator,
  type Metric,
} from "@diptych/core";
import { embedDataset, type EmbeddedSamples } from "../embed-dataset.js";
import { recallAt } from "../metrics.js";
import type { RetrievalSide } from "./pairs.js";
import { rankPairs, type PairRanks } from "./rank-pairs.js";
import type { RetrievalConfig } from "./retrieval-config.js";
import { pickRetrievalExamples } from "./retrieval-examples.js";
import { meanRank, medianRank } from "./retrieval-metrics.js";

/**
 * `clip-benchmark`: a query is right at k when at least one of its positives is among the first k (CLIP_benchmark's
 * recall@k). `open-clip`: the i-th caption for the i-th picture and back, with mean and median rank.
 *
 * Ties count against the query. Both originals leave them to a sort that is not stable, so that a model whose features
 * are all equal may score anything there; here it scores 0.
 */
export function createRetrieval(config: RetrievalConfig): Evaluator {
  return Object.freeze({
    name: "retrieval",
    mainMetric: `meanRecall@${strictest(config)}`,
    evaluate: (context: EvaluationContext) => evaluate(context, config),
  } satisfies Evaluator);
}

function strictest({ recallK }: RetrievalConfig): number {
  return Math.min(...recallK);
}

async function evaluate(context: EvaluationContext, config: RetrievalConfig): Promise<Evaluation> {
  const { compute, signal, report, dataset } = context;
  const isPaired = config.protocol === "open-clip";
  const embedded = await embedDataset(context, {
    texts: true,
    imagesPerSample: isPaired ? 1 : config.imagesPerSample,
    captionsPerSample: isPaired ? 1 : config.captionsPerSample,
  });
  if (isPaired) checkOneEach(embedded, dataset.name);
  const { images, texts } = sidesOf(embedded, config, dataset.name);
  const ranks = await rankPairs(images, texts, {
    compute,
    decide: isPaired ? "ranks" : config.recallK,
    signal,
    report: report && ((done, total) => report(dataset.size + done, dataset.size + total)),
  });
  return describe({ embedded, images, texts, ranks, config });
}

/** A sample without a picture or caption would shift all that follow. */
function checkOneEach({ samples, imageSample, textSample }: EmbeddedSamples, name: string): void {
  const wrong = samples.findIndex((_, i) => imageSample[i] !== i || textSample[i] !== i);
  if (wrong < 0) return;
  throw new DataError(
    `zeroshot/retrieval: sample ${samples[wrong]?.id ?? ""} of ${name}: expected a picture and a caption, got one without. Leave it out of the set, or set protocol: "clip-benchmark".`,
  );
}

function sidesOf(
  { samples, images, texts, imageSample, textSample }: EmbeddedSamples,
  { protocol, positives }: RetrievalConfig,
  dataset: string,
): { readonly images: RetrievalSide; readonly texts: RetrievalSide } {
  const conceptOf = (sample: number): string => {
    const concept = samples[sample]?.concept;
    const byConcept = protocol === "clip-benchmark" && positives === "concept";
    return byConcept && concept !== undefined ? `concept ${concept}` : `sample ${sample}`;
  };
  if (!texts || textSample.length === 0 || imageSample.length === 0) {
    throw new DataError(
      `zeroshot/retrieval: ${dataset}: expected pictures and captions, got ${imageSample.length} and ${textSample.length}. Retrieval needs both.`,
    );
  }
  return {
    images: { embeddings: images, concepts: imageSample.map(conceptOf) },
    texts: { embeddings: texts, concepts: textSample.map(conceptOf) },
  };
}

interface Found {
  readonly embedded: EmbeddedSamples;
  readonly images: RetrievalSide;
  readonly texts: RetrievalSide;
  readonly ranks: PairRanks;
  readonly config: RetrievalConfig;
}

function describe({ embedded, images, texts, ranks, config }: Found): Evaluation {
  const { samples, imageSample, textSample } = embedded;
  const captions = samples.flatMap((sample) => sample.captions);
  const ways = [
    {
      direction: "imageToText",
      ranks: ranks.a,
      sampleOf: imageSample,
      ids: namesOf("picture", imageSample, samples),
      to: texts,
    },
    {
      direction: "textToImage",
      ranks: ranks.b,
      sampleOf: textSample,
      ids: namesOf("caption", textSample, samples),
      to: images,
    },
  ] as const;
  const metrics = Object.fromEntries(
    ways.flatMap((way) =>
      metricsOf(way.direction, way.ranks, { count: way.to.concepts.length, config }),
    ),
  );
  return Object.freeze({
    metrics: { ...metrics, ...meansOf(metrics, config.recallK) },
    items: itemsOf(ways, { samples, k: strictest(config) }),
    examples: ways.flatMap((way) =>
      pickRetrievalExamples({ ...way, embedded, images, texts, captions, count: config.examples }),
    ),
    notes: ways.flatMap(({ direction, ranks: all }) => noteOnLeftOut(direction, all)),
  });
}

/** Rows of one sample stand beside each other; those after the first are numbered. */
function namesOf(
  kind: string,
  rows: readonly number[],
  samples: EmbeddedSamples["samples"],
): readonly string[] {
  let nth = 0;
  return rows.map((sample, row) => {
    nth = row > 0 && rows[row - 1] === sample ? nth + 1 : 1;
    return `${kind} ${samples[sample]?.id ?? sample}${nth > 1 ? ` (${nth})` : ""}`;
  });
}

function metricsOf(
  direction: string,
  all: Float64Array,
  { count, config }: { count: number; config: RetrievalConfig },
): readonly (readonly [string, Metric])[] {
  // Queries without a positive have no rank.
  const ranks = all.filter((rank) => !Number.isNaN(rank));
  const recalls = config.recallK.map(
    (k) => [`${direction}/recall@${k}`, recallAt(ranks, k, count)] as const,
  );
  if (config.protocol === "clip-benchmark") return recalls;
  return [
    ...recalls,
    [`${direction}/meanRank`, meanRank(ranks, count)],
    [`${direction}/medianRank`, medianRank(ranks, count)],
  ];
}

/** Mean of both directions, as DataComp scores retrieval. */
function meansOf(
  metrics: Readonly<Record<string, Metric>>,
  recallK: readonly number[],
): Readonly<Record<string, Metric>> {
  return Object.fromEntries(
    recallK.map((k) => {
      const [a, b] = [metrics[`imageToText/recall@${k}`], metrics[`textToImage/recall@${k}`]];
      return [
        `meanRecall@${k}`,
        {
          value: ((a?.value ?? NaN) + (b?.value ?? NaN)) / 2,
          queries: (a?.queries ?? 0) + (b?.queries ?? 0),
          candidates: Math.max(a?.candidates ?? 0, b?.candidates ?? 0),
        },
      ];
    }),
  );
}

interface Way {
  readonly direction: string;
  readonly ranks: Float64Array;
  /** Names of the queries. */
  readonly ids: readonly string[];
  /** Position of each query's sample. */
  readonly sampleOf: readonly number[];
}

/** Both directions' queries in one list, and after them the samples; each metric has answers from its own alone. */
function itemsOf(
  ways: readonly Way[],
  { samples, k }: { readonly samples: EmbeddedSamples["samples"]; readonly k: number },
): NonNullable<Evaluation["items"]> {
  const found = [
    ...ways.map(({ direction, ids, ranks }) => ({
      metric: `${direction}/recall@${k}`,
      ids,
      values: Array.from(ranks, (rank) => hit(rank, k)),
    })),
    {
      metric: `meanRecall@${k}`,
      ids: samples.map(({ id }) => `sample ${id}`),
      values: shareOfSamples(ways, samples.length, k),
    },
  ];
  const values = found.map(({ metric }) => [
    metric,
    found.flatMap((one) => (one.metric === metric ? one.values : one.ids.map(() => NaN))),
  ]);
  return {
    ids: found.flatMap(({ ids }) => ids),
    values: Object.fromEntries(values) as Record<string, readonly number[]>,
  };
}

function hit(rank: number, k: number): number {
  return Number.isNaN(rank) ? NaN : Number(rank < k);
}

/**
 * What each sample adds to the mean of both recalls, times the number of samples, so that their mean is that mean: the
 * mean of its own two recalls where all samples have as many pictures, and as many captions. NaN without any query.
 */
function shareOfSamples(ways: readonly Way[], count: number, k: number): readonly number[] {
  const sums = new Float64Array(count).fill(NaN);
  for (const { ranks, sampleOf } of ways) {
    const answered = ranks.reduce((total, rank) => total + Number(!Number.isNaN(rank)), 0);
    if (answered === 0) return Array.from(sums, () => NaN);
    sampleOf.forEach((sample, row) => {
      const value = hit(ranks[row] ?? NaN, k);
      if (Number.isNaN(value)) return;
      const before = sums[sample] ?? NaN;
      sums[sample] = (Number.isNaN(before) ? 0 : before) + value / answered / ways.length;
    });
  }
  const asked = sums.reduce((total, sum) => total + Number(!Number.isNaN(sum)), 0);
  return Array.from(sums, (sum) => sum * asked);
}

function noteOnLeftOut(direction: string, ranks: Float64Array): readonly string[] {
  const without = ranks.reduce((count, rank) => count + (Number.isNaN(rank) ? 1 : 0), 0);
  if (without === 0) return [];
  return [`${direction}: ${without} of ${ranks.length} queries have no positive and are left out.`];
}
