/** Which items a report shows: what methods answered wrong with most confidence, and what lies nearest to a query, methods side by side. */
import type { ItemExample } from "@diptych/core";
import type { BenchmarkRow } from "../record.js";
import { rowsOf, unique, type ReportView } from "./report-view.js";

export interface GalleryAnswer {
  readonly text?: string;
  readonly sample?: number;
  readonly score: number;
  readonly right?: boolean;
}

/** What one method said of an item. */
export interface GalleryVoice {
  readonly method: string;
  /** Best first; empty where the evaluation lists none for this item. */
  readonly answers: readonly GalleryAnswer[];
  /** Whether it was right; null where that is not known. */
  readonly right: boolean | null;
}

export interface GalleryItem {
  readonly id: string;
  readonly sample?: number;
  readonly text?: string;
  readonly expected?: string;
  readonly voices: readonly GalleryVoice[];
}

export interface Gallery {
  readonly task: string;
  readonly kind: "mistake" | "neighbours";
  /** Seed whose rows are shown; null where there are none to choose from. */
  readonly seed: number | null;
  readonly items: readonly GalleryItem[];
}

/** Items of a gallery at most. */
const GALLERY_LIMITS = Object.freeze({ mistake: 12, neighbours: 6, answers: 5 });

/** Of each task a gallery of mistakes and one of neighbours, where examples are there, all of the first seed. */
export function pickGalleries(view: ReportView): readonly Gallery[] {
  return view.tasks.flatMap((task) => {
    const rows = view.methods.flatMap((method) => rowsOf(view, task, method).slice(0, 1));
    const seed = view.seeds.length > 0 ? (rows[0]?.provenance.seed ?? null) : null;
    return (["mistake", "neighbours"] as const).flatMap((kind): readonly Gallery[] => {
      const items = pickItems(rows, kind);
      return items.length === 0 ? [] : [{ task, kind, seed, items }];
    });
  });
}

/** In turn the first of each method, then the second of each, so that none crowds out another. */
function pickItems(rows: readonly BenchmarkRow[], kind: Gallery["kind"]): readonly GalleryItem[] {
  const lists = rows.map((row) => examplesOf(row, kind));
  const depth = Math.max(0, ...lists.map((list) => list.length));
  const ids = unique(
    Array.from({ length: depth }, (_, i) => lists.flatMap((list) => list[i]?.id ?? [])).flat(),
  ).slice(0, GALLERY_LIMITS[kind]);
  return ids.flatMap((id): readonly GalleryItem[] => {
    const example = lists.flat().find((one) => one.id === id);
    if (!example) return [];
    const { sample, text, expected } = example;
    return [
      {
        id,
        ...(sample === undefined ? {} : { sample }),
        ...(text === undefined ? {} : { text }),
        ...(expected === undefined ? {} : { expected }),
        voices: rows.map((row) => voiceOf(row, id, kind)),
      },
    ];
  });
}

function examplesOf(
  { evaluation }: BenchmarkRow,
  kind: ItemExample["kind"],
): readonly ItemExample[] {
  return (evaluation.examples ?? []).filter((example) => example.kind === kind);
}

function voiceOf(row: BenchmarkRow, id: string, kind: Gallery["kind"]): GalleryVoice {
  const examples = (row.evaluation.examples ?? []).filter((one) => one.id === id);
  const example = examples.find((one) => one.kind === kind) ?? examples[0];
  const answers = (example?.answers ?? []).slice(0, GALLERY_LIMITS.answers);
  return { method: row.method, answers, right: answers[0]?.right ?? outcomeOf(row, id) };
}

function outcomeOf(
  { evaluation: { items }, mainMetric }: BenchmarkRow,
  id: string,
): boolean | null {
  const value = items?.values[mainMetric]?.[items.ids.indexOf(id)];
  return value === undefined || !Number.isFinite(value) ? null : value === 1;
}

/** Samples of a task whose pictures the gallery needs. */
export function samplesOf({ items }: Gallery): readonly number[] {
  return unique(
    items.flatMap(({ sample, voices }) => [
      ...(sample === undefined ? [] : [sample]),
      ...voices.flatMap(({ answers }) => answers.flatMap((answer) => answer.sample ?? [])),
    ]),
  );
}
