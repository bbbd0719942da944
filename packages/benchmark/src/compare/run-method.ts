/** One method under one seed: trained in its folder, measured, and kept as a result that is read instead of run again. */
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isExpectedError } from "@diptych/core";
import {
  train,
  writeJsonAtomically,
  type OpenedConfig,
  type RunListener,
  type TrainSummary,
} from "diptych";
import type { MethodRun } from "../comparison.js";
import { measuredRow } from "../measured-row.js";
import type { BenchmarkRow, FailedRow, Provenance } from "../record.js";
import type { DataContent } from "./data-content.js";
import type { PlannedMethod } from "./plan-comparison.js";
import { addMeasured, metricsOf, readCurve } from "./run-curve.js";
import { claimRun } from "./run-identity.js";

const RESULT = "result.json";

export interface RunMethodOptions {
  readonly planned: PlannedMethod;
  /** The method's configuration with this seed. */
  readonly opened: OpenedConfig;
  readonly seed: number;
  /** Folder of the comparison, and of the run in it. */
  readonly out: string;
  readonly folder: string;
  readonly evaluateWith: OpenedConfig;
  /** Of its data and the evaluators' now. */
  readonly content: DataContent;
  readonly evaluateAt: readonly number[];
  readonly code: Provenance["code"];
  readonly on: RunListener;
  readonly signal: AbortSignal | undefined;
}

export type MethodOutcome =
  | { readonly status: "done" | "there" | "failed"; readonly run: MethodRun }
  | { readonly status: "interrupted" };

/**
 * Runs, goes on with, or reads a run. What goes wrong inside the run is its result; it is tried again the next time.
 *
 * @throws ConfigError where the folder holds a run of something else.
 */
export async function runMethod(options: RunMethodOptions): Promise<MethodOutcome> {
  const { planned, opened, seed, evaluateWith, evaluateAt, code, on, signal } = options;
  const { method, cost } = planned;
  const folder = join(options.out, options.folder);
  await mkdir(folder, { recursive: true });
  await claimRun(folder, {
    method,
    seed,
    config: opened.config.plain,
    evaluators: evaluateWith.config.plain["evaluators"],
    content: options.content,
    evaluateAt,
    version: code.diptych,
  });
  const result = join(folder, RESULT);
  if (existsSync(result)) {
    return { status: "there", run: JSON.parse(await readFile(result, "utf8")) as MethodRun };
  }
  const base = { method, seed, folder: options.folder };
  try {
    const summary = await train({
      opened,
      out: folder,
      resume: existsSync(join(folder, "log.jsonl")),
      evaluateWith,
      fingerprints: true,
      midway: {
        steps: evaluateAt,
        on: ({ step, evaluations }) =>
          addMeasured(folder, { step, values: metricsOf(evaluations) }),
      },
      on,
      ...(signal ? { signal } : {}),
    });
    if (!summary.finished) return { status: "interrupted" };
    await addMeasured(folder, { step: summary.step, values: metricsOf(summary.evaluations) });
    const curve = await readCurve(folder, cost);
    const seconds = curve.at(-1)?.seconds ?? summary.seconds;
    const rows = rowsOf(summary, { options, seconds });
    const run: MethodRun = { ...base, rows, failed: [], curve };
    await writeJsonAtomically(result, run);
    return { status: "done", run };
  } catch (error) {
    if (signal?.aborted) return { status: "interrupted" };
    // A defect of the program is not a method's failure.
    if (!isExpectedError(error)) throw error;
    const failed = evaluateWith.config.evaluators.map(({ name }): FailedRow => ({
      method,
      task: name,
      reason: error.message,
    }));
    return {
      status: "failed",
      run: { ...base, rows: [], failed, curve: await readCurve(folder, cost) },
    };
  }
}

function rowsOf(
  summary: TrainSummary,
  { options, seconds }: { readonly options: RunMethodOptions; readonly seconds: number },
): readonly BenchmarkRow[] {
  const { planned, opened, evaluateWith, code, seed } = options;
  const { trained, evaluations, step, images, params, precision, backend } = summary;
  const training = {
    steps: step,
    samples: images,
    flops: step * planned.cost.flops,
    seconds,
    batchSize: opened.config.training.batchSize,
    parameters: params,
  };
  return evaluateWith.config.evaluators.flatMap((task) => {
    const measured = evaluations[task.name];
    if (!measured || !trained) return [];
    return measuredRow(
      { method: planned.method, measured, task },
      {
        config: opened.config.plain,
        weights: trained.weights,
        trainData: trained.data,
        preprocessing: trained.pictures,
        precision,
        backend,
        seed,
        training,
        code,
      },
    );
  });
}
