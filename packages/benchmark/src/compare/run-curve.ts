/** The curve of a run: what was measured midway, kept in its folder while it runs, and the losses of its log. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readJsonlLog, writeJsonAtomically, type Evaluations } from "diptych";
import type { CurvePoint } from "../comparison.js";
import type { StepCost } from "./budget.js";

const FILE = "curve.json";
/** Points of the loss that a curve keeps. */
const LOSS_POINTS = 100;

/** Metrics of a step of the run. */
export interface MeasuredStep {
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

export function metricsOf(evaluations: Evaluations): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(evaluations).flatMap(([task, { metrics }]) =>
      Object.entries(metrics).map(([name, { value }]) => [`${task}/${name}`, value] as const),
    ),
  );
}

/** What was measured before a run was interrupted. */
async function readMeasured(folder: string): Promise<readonly MeasuredStep[]> {
  const path = join(folder, FILE);
  if (!existsSync(path)) return [];
  return JSON.parse(await readFile(path, "utf8")) as readonly MeasuredStep[];
}

/** A step that a resumed run comes to again replaces what was measured there. */
export async function addMeasured(folder: string, added: MeasuredStep): Promise<void> {
  const before = (await readMeasured(folder)).filter(({ step }) => step < added.step);
  await writeJsonAtomically(join(folder, FILE), [...before, added]);
}

/** Losses of the log, thinned, and what was measured, in order of steps. */
export async function readCurve(folder: string, cost: StepCost): Promise<readonly CurvePoint[]> {
  const points = new Map<number, { seconds: number; values: Record<string, number> }>();
  let seconds = 0;
  const losses = readLosses(folder);
  const keep = Math.max(1, Math.ceil(losses.length / LOSS_POINTS));
  losses.forEach(({ step, loss, metrics, elapsed }, i) => {
    seconds = elapsed;
    if (i % keep !== 0 && i !== losses.length - 1) return;
    const terms = Object.entries(metrics).map(([name, value]) => [`loss/${name}`, value] as const);
    points.set(step, { seconds, values: { loss, ...Object.fromEntries(terms) } });
  });
  const at = (step: number): number =>
    losses.findLast((one) => one.step <= step)?.elapsed ?? seconds;
  for (const { step, values } of await readMeasured(folder)) {
    const before = points.get(step);
    points.set(step, {
      seconds: before?.seconds ?? at(step),
      values: { ...before?.values, ...values },
    });
  }
  return [...points]
    .sort(([a], [b]) => a - b)
    .map(([step, point]) => ({
      step,
      samples: step * cost.samples,
      flops: step * cost.flops,
      ...point,
    }));
}

interface LoggedStep {
  /** Steps done. */
  readonly step: number;
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Seconds of training up to here. */
  readonly elapsed: number;
}

function readLosses(folder: string): readonly LoggedStep[] {
  const path = join(folder, "log.jsonl");
  if (!existsSync(path)) return [];
  return readJsonlLog(path).flatMap((event): readonly LoggedStep[] => {
    if (event["event"] !== "step") return [];
    const { step, loss, metrics, trainingSeconds } = event as unknown as {
      step: number;
      loss: number;
      metrics?: Record<string, number>;
      trainingSeconds: number;
    };
    return [{ step: step + 1, loss, metrics: metrics ?? {}, elapsed: trainingSeconds }];
  });
}
