/** What is in the data of a comparison or suite when it runs: a result of other content is not taken for one of this. */
import {
  identifyEvaluatorData,
  identifyTrainingData,
  type EvaluatorData,
  type OpenedConfig,
  type WatchOptions,
} from "diptych";

/** Fingerprints of what an evaluator measures on and, where it does, learns from; null of data that gives none. */
export interface EvaluatorContent {
  readonly data: string | null;
  readonly trainData?: string | null;
}

export interface DataContent {
  readonly train: string | null;
  /** By name of the evaluator. */
  readonly evaluators: Readonly<Record<string, EvaluatorContent>>;
}

export function contentOf({ data, trainData }: EvaluatorData): EvaluatorContent {
  return {
    data: data.fingerprint,
    ...(trainData ? { trainData: trainData.fingerprint } : {}),
  };
}

/** Of each method in the order given. Hashes of files are kept, so that the end of a run does not read them once more. */
export async function readContent(
  methods: readonly OpenedConfig[],
  evaluateWith: OpenedConfig,
  watch: WatchOptions,
): Promise<readonly DataContent[]> {
  const evaluators: Record<string, EvaluatorContent> = {};
  for (const entry of evaluateWith.config.evaluators)
    evaluators[entry.name] = contentOf(await identifyEvaluatorData(evaluateWith, entry, watch));
  const contents: DataContent[] = [];
  for (const opened of methods) {
    const { fingerprint } = await identifyTrainingData(opened, watch);
    contents.push({ train: fingerprint, evaluators });
  }
  return contents;
}
