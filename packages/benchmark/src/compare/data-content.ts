/** What is in the data of a comparison when it runs: a finished run of other content is not taken for one of this. */
import {
  identifyEvaluatorData,
  identifyTrainingData,
  type IdentifyOptions,
  type OpenedConfig,
} from "diptych";

/** Fingerprints; null of data that gives none. */
export interface DataContent {
  readonly train: string | null;
  /** By evaluator: of what it measures on, and of what it learns from. */
  readonly evaluators: Readonly<Record<string, readonly (string | null)[]>>;
}

/** Of each method in the order given. Hashes of files are kept, so that the end of a run does not read them once more. */
export async function readContent(
  methods: readonly OpenedConfig[],
  evaluateWith: OpenedConfig,
  options: IdentifyOptions,
): Promise<readonly DataContent[]> {
  const evaluators: Record<string, readonly (string | null)[]> = {};
  for (const entry of evaluateWith.config.evaluators) {
    const { data, trainData } = await identifyEvaluatorData(evaluateWith, entry, options);
    evaluators[entry.name] = [data.fingerprint, ...(trainData ? [trainData.fingerprint] : [])];
  }
  const contents: DataContent[] = [];
  for (const opened of methods) {
    const { fingerprint } = await identifyTrainingData(opened, options);
    contents.push({ train: fingerprint, evaluators });
  }
  return contents;
}
