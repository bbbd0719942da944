/** `diptych compare-backends`: the same steps of a configuration on each backend, and how their losses, times and memory differ. */
import { ConfigError, overlay, type ResolvedConfig } from "@diptych/core";
import type { BackendFinding, Part, Registry } from "@diptych/core/plugin";
import { isPartOf, resolveBackend } from "../backend-parts.js";
import { findMachineFacts, type MachineFacts } from "../doctor/machine-facts.js";
import { runIsolated, type IsolatedOutcome } from "../isolated/run-isolated.js";
import { openConfigFile } from "../load-config.js";
import { chooseNamed, chooseReady, type ChosenBackend } from "./choose-backends.js";
import type { ConfigSource, StepPoint, StepsProgress, StepsSummary } from "./compare-steps.js";
import {
  curveDifference,
  spreadOf,
  warmupSteps,
  type CurveDifference,
  type Spread,
} from "./curve-statistics.js";

export interface CompareBackendsOptions {
  /** Path of the configuration: each process reads it. */
  readonly config: string;
  readonly tiny?: boolean;
  readonly set?: readonly string[];
  /** Steps on each backend (default 20). */
  readonly steps?: number;
  /** Names as `onnx`, `tfjs:wasm`, `onnx:threads=1`; by default every engine that is ready and not slow. */
  readonly backends?: readonly string[];
  /** In place of the configuration's own. */
  readonly precision?: string;
  readonly signal?: AbortSignal | undefined;
  readonly on?: (event: ComparisonEvent) => void;
}

export type ComparisonEvent =
  | Exclude<StepsProgress, { readonly event: "step" }>
  | {
      readonly event: "begin";
      readonly label: string;
      /** Counted from 0. */
      readonly index: number;
      readonly count: number;
    }
  | {
      readonly event: "step";
      readonly label: string;
      readonly point: StepPoint;
      readonly steps: number;
    }
  | { readonly event: "failed"; readonly label: string; readonly reason: string };

/** One backend's part in a comparison. */
export interface ComparedBackend {
  readonly label: string;
  /** What it laid over the configuration's own backend. */
  readonly part: Part;
  /** Why it did not come to the end; null where it did. */
  readonly failure: string | null;
  /** Steps that were done, also of one that failed later. */
  readonly points: readonly StepPoint[];
  readonly summary: StepsSummary | null;
  /** To the reference's curve; null for the reference itself and where nothing was done. */
  readonly difference: CurveDifference | null;
  /** Milliseconds a step after warm-up. */
  readonly stepMs: Spread | null;
  /** Median step time over the reference's. */
  readonly ratio: number | null;
}

export interface BackendComparison {
  readonly name: string;
  readonly config: string;
  readonly started: string;
  readonly steps: number;
  readonly warmup: number;
  readonly batchSize: number;
  readonly precision: string;
  readonly seed: number;
  readonly machine: MachineFacts;
  /** Largest relative difference of two loss curves that counts as agreement. */
  readonly tolerance: number;
  /** Label of the backend that the others are compared with: the first that came to the end. */
  readonly reference: string | null;
  readonly backends: readonly ComparedBackend[];
  /** Whether every backend came to the end and agrees. */
  readonly agrees: boolean;
}

/** fp32: two engines that sum in other orders, over tens of steps. 16 bits: rounding of every product. */
const TOLERANCES = { fp32: 1e-3, mixed: 3e-2 };

/**
 * Runs the same steps (same seed, batches and first weights) on each backend, one after the other, each in a process of
 * its own. One that fails does not end the others.
 *
 * @throws ConfigError on a configuration or a name that does not hold, or where no backend is ready; the signal's reason.
 */
export async function compareBackends(options: CompareBackendsOptions): Promise<BackendComparison> {
  const { config: file, steps = 20, signal, on = () => undefined } = options;
  const started = new Date().toISOString();
  const source = sourceOf(options);
  const { config, registry } = await openConfigFile(file, source);
  const chosen = await choose(options, source, { config, registry });
  const prepared = await runIsolated("prepareData", { source }, { signal, onProgress: relay(on) });
  if (prepared.status === "failed") throw new ConfigError(prepared.reason);
  const runs: Ran[] = [];
  for (const [index, backend] of chosen.entries()) {
    on({ event: "begin", label: backend.label, index, count: chosen.length });
    const ran = await runOne(backend, { source, steps, signal, on });
    runs.push(ran);
    if (ran.failure !== null) on({ event: "failed", label: ran.label, reason: ran.failure });
  }
  const { batchSize } = config.training;
  const precision: string = config.training.precision;
  const tolerance = precision === "fp32" ? TOLERANCES.fp32 : TOLERANCES.mixed;
  const reference = runs.find(({ failure }) => failure === null);
  const warmup = warmupSteps(steps);
  const backends = runs.map((ran) => compare(ran, reference, warmup));
  return {
    name: config.name,
    config: file,
    started,
    steps,
    warmup,
    batchSize,
    precision,
    seed: config.seed,
    machine: await findMachineFacts(),
    tolerance,
    reference: reference?.label ?? null,
    backends,
    agrees: backends.every((backend) => backendAgrees(backend, tolerance)),
  };
}

/** Whether a backend came to the end, with a loss curve that lies within `tolerance` of the reference's. */
export function backendAgrees(
  { failure, difference }: ComparedBackend,
  tolerance: number,
): boolean {
  return failure === null && (difference === null || difference.largest <= tolerance);
}

function sourceOf({ config, tiny, set = [], precision }: CompareBackendsOptions): ConfigSource {
  const assignments = precision === undefined ? set : [...set, `training.precision=${precision}`];
  return { config, set: assignments, ...(tiny === undefined ? {} : { tiny }) };
}

async function choose(
  { backends: names, signal }: CompareBackendsOptions,
  source: ConfigSource,
  { config, registry }: { readonly config: ResolvedConfig; readonly registry: Registry },
): Promise<readonly ChosenBackend[]> {
  const types = registry.list("backend").map(({ declaration }) => declaration.type);
  const own = config.plain["backend"] as Part;
  const wanted = names?.map((name) => name.split(":")[0]);
  const asked = types.filter((type) => !wanted || wanted.includes(type));
  const findings = await Promise.all(
    asked.map(async (type): Promise<readonly BackendFinding[]> => {
      const part = type === own.type ? own : { type };
      const limits = { signal, timeoutMs: 60_000 };
      const outcome = await runIsolated("diagnose", { source, part }, limits);
      if (outcome.status === "done") return outcome.value;
      return [{ part: { type }, status: "broken", detail: outcome.reason }];
    }),
  ).then((all) => all.flat());
  if (names) {
    const chosen = chooseNamed(names, findings, types);
    // A setting that does not hold is the caller's slip, to be told before anything runs.
    for (const { part } of chosen) resolveBackend(overlay(own, part) as Part, registry);
    return chosen;
  }
  const ready = chooseReady(findings, (part) => isPartOf(part, own, registry));
  if (ready.length > 0) return ready;
  throw new ConfigError(
    "diptych/compareBackends: backends: expected at least one that is ready, got none. `diptych doctor` says what each needs.",
  );
}

interface RunOneOptions {
  readonly source: ConfigSource;
  readonly steps: number;
  readonly signal: AbortSignal | undefined;
  readonly on: (event: ComparisonEvent) => void;
}

type Ran = Pick<ComparedBackend, "label" | "part" | "failure" | "points" | "summary">;

async function runOne(
  { label, part, unready }: ChosenBackend,
  { source, steps, signal, on }: RunOneOptions,
): Promise<Ran> {
  const points: StepPoint[] = [];
  if (unready !== undefined) return { label, part, failure: unready, points, summary: null };
  const outcome: IsolatedOutcome<StepsSummary> = await runIsolated(
    "compareSteps",
    { source, part, steps },
    {
      signal,
      onProgress: (progress) => {
        if (progress.event !== "step") return on(progress);
        points.push(progress.point);
        on({ event: "step", label, point: progress.point, steps });
      },
    },
  );
  return outcome.status === "done"
    ? { label, part, failure: null, points, summary: outcome.value }
    : { label, part, failure: outcome.reason, points, summary: null };
}

function compare(ran: Ran, reference: Ran | undefined, warmup: number): ComparedBackend {
  const time = ({ points }: Ran): Spread | null =>
    spreadOf(points.slice(warmup).map(({ stepMs }) => stepMs));
  const lossesOf = ({ points }: Ran): readonly number[] => points.map(({ loss }) => loss);
  const stepMs = time(ran);
  const base = reference && time(reference);
  return {
    ...ran,
    difference:
      reference === undefined || reference === ran
        ? null
        : curveDifference(lossesOf(ran), lossesOf(reference)),
    stepMs,
    ratio: stepMs && base ? stepMs.median / base.median : null,
  };
}

function relay(on: (event: ComparisonEvent) => void): (progress: StepsProgress) => void {
  return (progress) => {
    if (progress.event !== "step") on(progress);
  };
}
