/** The report of a comparison: with pictures of the tasks' data, and a search in the embeddings of the best method. */
import { join } from "node:path";
import { createRandom, DataError, type Image, type Sample, type SizedDataset } from "@diptych/core";
import { EMOJI_ATTRIBUTION, loadClip, openEvaluatorDataset, type OpenedConfig } from "diptych";
import type { Comparison, MethodMean } from "../comparison.js";
import type { ReportSearch } from "../report/search-index.js";
import { writeReport, type WrittenReport } from "../report/write-report.js";
import type { OpenedComparison } from "./plan-comparison.js";

/** Pictures that can be searched. */
const SEARCHED = 1200;

export interface ReportComparisonOptions {
  readonly comparison: Comparison;
  readonly opened: OpenedComparison;
  /** Folder of the comparison, with its runs. */
  readonly out: string;
}

/** Writes the report beside the comparison. */
export async function reportComparison(options: ReportComparisonOptions): Promise<WrittenReport> {
  const { comparison, opened, out } = options;
  const tasks = createTasks(opened.evaluateWith);
  try {
    const search = await buildSearch(options, tasks);
    return await writeReport(comparison, out, {
      pictures: async (task, sample) => (await tasks.sample(task, sample)).image,
      attribution: attributionOf(opened.evaluateWith),
      ...(search ? { search } : {}),
    });
  } finally {
    await tasks.dispose();
  }
}

interface Tasks {
  dataset(task: string): Promise<SizedDataset>;
  /** A sample with its picture. @throws DataError where it has none. */
  sample(task: string, index: number): Promise<Sample & { readonly image: Image }>;
  dispose(): Promise<void>;
}

/** The tasks' data, each opened when it is first asked for. */
function createTasks(opened: OpenedConfig): Tasks {
  const datasets = new Map<string, Promise<SizedDataset>>();
  const random = createRandom(opened.config.seed);
  const dataset = (task: string): Promise<SizedDataset> => {
    const known = datasets.get(task) ?? openEvaluatorDataset(opened, task);
    datasets.set(task, known);
    return known;
  };
  return {
    dataset,
    sample: async (task, index) => {
      const request = { random: random.split(index) };
      const sample = await (await dataset(task)).sample(index, request);
      const [image] = sample.images;
      if (image) return { ...sample, image };
      throw new DataError(
        `benchmark/report: sample ${index} of ${task}: expected a picture, got none.`,
      );
    },
    dispose: async () => {
      for (const opening of datasets.values()) await (await opening).dispose?.();
    },
  };
}

async function buildSearch(
  { comparison, opened, out }: ReportComparisonOptions,
  tasks: Tasks,
): Promise<ReportSearch | undefined> {
  const best = bestRun(comparison);
  const compared = opened.methods.find(({ method }) => method === best?.method);
  const row = best?.rows.find(({ evaluation }) => evaluation.classes);
  if (!best || !compared || !row) return undefined;
  const { customPlugins: plugins, config } = compared.opened;
  const clip = await loadClip(join(out, best.folder, "model"), { plugins });
  try {
    const dataset = await tasks.dataset(row.task);
    const step = Math.max(1, dataset.size / SEARCHED);
    const pictures: { name: string; image: Image }[] = [];
    for (let at = 0; Math.floor(at) < dataset.size; at += step) {
      const { image, captions, labels, id } = await tasks.sample(row.task, Math.floor(at));
      const label = Object.values(labels ?? {}).find((value) => typeof value === "string");
      pictures.push({ name: captions[0] ?? label ?? id, image });
    }
    const phrases = phrasesOf(row.evaluation.classes?.names ?? []);
    return {
      label: `${best.method}, seed ${best.seed}`,
      pictures,
      imageEmbeddings: await clip.encodeImages(pictures.map(({ image }) => image)),
      phrases,
      textEmbeddings: await clip.encodeTexts(phrases),
      words: config.model.encoders["text"]?.declaration.type === "bag-of-words" ? "mean" : "listed",
    };
  } finally {
    await clip.dispose();
  }
}

/** First finished run of the method that does best on the first task. */
function bestRun({ means, runs }: Comparison): Comparison["runs"][number] | undefined {
  const done = runs.filter(({ rows }) => rows.length > 0);
  const task = means[0]?.task;
  const ranked = means
    .filter((mean: MethodMean) => mean.task === task && Number.isFinite(mean.mean))
    .sort((a, b) => b.mean - a.mean);
  const best = ranked.map(({ method }) => done.find((run) => run.method === method));
  return best.find((run) => run !== undefined) ?? done[0];
}

/** Names of classes and the words in them, each once. */
function phrasesOf(names: readonly string[]): readonly string[] {
  const words = names.flatMap((name) => name.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
  return [...new Set([...names, ...words])];
}

/** Of the emoji in the tasks; other data is the user's own. */
function attributionOf({ config }: OpenedConfig): readonly string[] {
  const families = config.evaluators
    .filter(({ dataset }) => dataset.declaration.type === "emoji")
    .map(({ dataset }) => dataset.config as { part?: string; testFamily?: string });
  if (families.length === 0) return [];
  const shown = new Set(families.map(({ testFamily = "fluent" }) => testFamily));
  const all = ["noto", "twemoji", "openmoji", "fluent"];
  return EMOJI_ATTRIBUTION.filter((line) => {
    const family = all.find((name) => line.toLowerCase().startsWith(name));
    return family === undefined || shown.has(family);
  });
}
