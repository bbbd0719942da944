/** What others published of CLIP models, each number with its source and protocol, to stand beside one's own. */
import type { BenchmarkRow } from "../record.js";

export interface PublishedSource {
  readonly document: string;
  readonly url: string;
  /** Commit or date of the document. */
  readonly version: string;
  /** Table, column or section in it. */
  readonly where: string;
}

/** How a number was measured; null: not said. */
export interface PublishedProtocol {
  readonly task: "classification" | "retrieval" | "average" | "cost";
  readonly dataset: string;
  readonly split: string | null;
  readonly templates: string | null;
  readonly imageSize: number | null;
  readonly precision: string | null;
  readonly ties: string | null;
  readonly metric: string;
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
  /** e.g. `openai`, `yfcc15m`, `cc12m`, `laion400m`. */
  readonly pretrained: string;
  readonly trainedOn: string;
  /** Pictures seen; null where not said. */
  readonly samplesSeen: number | null;
  readonly imageSize: number;
  readonly embedDim: number;
  readonly scores: readonly PublishedScore[];
}

export function publishedBaselines(): readonly PublishedBaseline[] {
  return [];
}

/** A published score beside a row of one's own. */
export interface BesidePublished {
  readonly baseline: PublishedBaseline;
  readonly score: PublishedScore;
  readonly comparable: boolean;
  /** Why not, each a whole sentence; empty where comparable. */
  readonly reasons: readonly string[];
}

/** The published scores that measure what the row measures, those of the same protocol first. */
export function standBeside(row: BenchmarkRow): readonly BesidePublished[] {
  void row;
  return [];
}
