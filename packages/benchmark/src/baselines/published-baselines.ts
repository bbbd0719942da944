/** What others published of CLIP models, each number with its source and protocol (data/README.md). */
import { readFileSync } from "node:fs";
import type { PublishedCosts } from "diptych";

export interface PublishedSource {
  readonly document: string;
  readonly url: string;
  /** Commit of the document. */
  readonly version: string;
  /** Column, or section, in it. */
  readonly where: string;
}

/** How a number was measured; null: not said. */
export interface PublishedProtocol {
  /** `average`: of several tasks, which no single row stands beside. */
  readonly task: "classification" | "retrieval" | "average";
  readonly dataset: string;
  /** What users call the dataset, in small letters and digits alone. */
  readonly names: readonly string[];
  readonly split: string | null;
  /** Test items asked, and answers that each chooses among. */
  readonly queries: number | null;
  readonly candidates: number | null;
  /** As our evaluators call it. */
  readonly metric: string;
  /** The shipped list that the prompts were made with. */
  readonly templates: string | null;
  /** Pixels of a side that the model takes. */
  readonly imageSize: number;
  readonly preprocessing: Readonly<Record<string, unknown>>;
  readonly precision: string | null;
  /** What counts where scores are equal. */
  readonly ties: string | null;
}

export interface PublishedScore {
  /** e.g. `imagenet/top1`, `flickr30k/imageRecall@1`. */
  readonly key: string;
  /** In [0, 1]. */
  readonly value: number;
  readonly protocol: PublishedProtocol;
  readonly source: PublishedSource;
}

export interface PublishedBaseline {
  /** open_clip's name, e.g. `ViT-B-32`. */
  readonly model: string;
  /** open_clip's tag of the weights, e.g. `openai`, `laion400m_e32`. */
  readonly pretrained: string;
  readonly trainedOn: string;
  /** Pictures seen in training; null where not said. */
  readonly samplesSeen: number | null;
  readonly imageSize: number;
  readonly embedDim: number;
  /** open_clip's model_profile.csv: 10⁹ operations of one picture and one text, a multiply-add counted as two. */
  readonly cost: PublishedCosts;
  readonly scores: readonly PublishedScore[];
}

interface StoredProtocol extends Omit<PublishedProtocol, "imageSize"> {
  readonly key: string;
}

interface StoredScore {
  readonly protocol: string;
  readonly value: number;
  readonly source: string;
  readonly where: string;
}

interface StoredBaselines {
  readonly sources: Readonly<Record<string, Omit<PublishedSource, "where">>>;
  readonly protocols: Readonly<Record<string, StoredProtocol>>;
  readonly baselines: readonly (Omit<PublishedBaseline, "scores"> & {
    readonly scores: readonly StoredScore[];
  })[];
}

let baselines: readonly PublishedBaseline[] | undefined;

/**
 * The nine models of the paper as OpenAI released them, and small-compute ones; read when first asked for.
 *
 * @example
 * publishedBaselines().find(({ model }) => model === "ViT-B-32")?.scores;
 */
export function publishedBaselines(): readonly PublishedBaseline[] {
  baselines ??= readBaselines();
  return baselines;
}

function readBaselines(): readonly PublishedBaseline[] {
  const file = new URL("../../data/published-baselines.json", import.meta.url);
  const {
    sources,
    protocols,
    baselines: stored,
  } = JSON.parse(readFileSync(file, "utf8")) as StoredBaselines;
  return Object.freeze(
    stored.map((baseline) => {
      const { imageSize } = baseline;
      const scores = baseline.scores.map(({ protocol: name, value, source, where }) => {
        const { key, ...protocol } = protocols[name]!;
        return Object.freeze({
          key,
          value,
          protocol: Object.freeze({ ...protocol, imageSize }),
          source: Object.freeze({ ...sources[source]!, where }),
        });
      });
      return Object.freeze({ ...baseline, scores });
    }),
  );
}
