/**
 * Results as CLIP_benchmark writes them, one JSON file a task, which its own `clip_benchmark build` reads: every key of the
 * file and of its metrics becomes a column there, so that nothing of ours is added to them.
 */
import type { Evaluation, Metric } from "@diptych/core";

/** One file of CLIP_benchmark (clip_benchmark/cli.py, `run`). `null` stands for its NaN, which JSON lacks. */
export interface ClipBenchmarkResult {
  readonly dataset: string;
  readonly model: string;
  readonly pretrained: string;
  readonly task: string;
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly language: string;
}

export interface ClipBenchmarkOptions {
  /** Type of the evaluator in a configuration, e.g. `zeroshot-classification`. */
  readonly evaluator: string;
  readonly evaluation: Pick<Evaluation, "metrics">;
  readonly dataset: string;
  readonly model: string;
  readonly pretrained: string;
  /** Of the prompts; `en` by default. */
  readonly language?: string;
}

interface TaskNames {
  readonly task: string;
  /** CLIP_benchmark's name of a metric of ours; undefined where it has none. */
  readonly metric: (name: string) => string | undefined;
}

const TASKS: Readonly<Record<string, TaskNames>> = {
  "zeroshot-classification": {
    task: "zeroshot_classification",
    metric: byPattern([
      [/^top(\d+)$/, "acc$1"],
      [/^meanPerClassRecall$/, "mean_per_class_recall"],
      [/^meanAveragePrecision$/, "mean_average_precision"],
    ]),
  },
  retrieval: {
    task: "zeroshot_retrieval",
    metric: byPattern([
      [/^imageToText\/recall@(\d+)$/, "text_retrieval_recall@$1"],
      [/^textToImage\/recall@(\d+)$/, "image_retrieval_recall@$1"],
    ]),
  },
};

/**
 * The result of one task; metrics that CLIP_benchmark does not have keep our names, and evaluators that it does not know
 * are tasks under their own.
 */
export function clipBenchmarkResult(options: ClipBenchmarkOptions): ClipBenchmarkResult {
  const { evaluator, evaluation, dataset, model, pretrained, language = "en" } = options;
  const names = TASKS[evaluator];
  const metrics = Object.entries(evaluation.metrics).map(
    ([name, metric]) => [names?.metric(name) ?? name, valueOf(name, metric)] as const,
  );
  return Object.freeze({
    dataset,
    model,
    pretrained,
    task: names?.task ?? evaluator.replaceAll("-", "_"),
    metrics: Object.fromEntries(metrics),
    language,
  });
}

/** Among fewer than k classes the first k are all of them: CLIP_benchmark has no accuracy then. */
function valueOf(name: string, { value, candidates }: Metric): number | null {
  const k = Number(/^top(\d+)$/.exec(name)?.[1] ?? 0);
  return Number.isFinite(value) && candidates >= k ? value : null;
}

/** The file's name as in CLIP_benchmark's examples: `{dataset}_{pretrained}_{model}_{language}_{task}.json`. */
export function clipBenchmarkFileName(result: ClipBenchmarkResult): string {
  const { dataset, pretrained, model, language, task } = result;
  const parts = [dataset, pretrained, model, language, task];
  return `${parts.map((part) => part.replaceAll(/[^\w.@+-]+/g, "-")).join("_")}.json`;
}

function byPattern(
  patterns: readonly (readonly [RegExp, string])[],
): (name: string) => string | undefined {
  return (name) => {
    const found = patterns.find(([pattern]) => pattern.test(name));
    return found && name.replace(found[0], found[1]);
  };
}
