/** Some steps of a configuration on one backend, in a process of its own: the loss and time of each, and the memory at the end. */
import type { ResolvedConfig } from "@diptych/core";
import { Run, type Part } from "@diptych/core/plugin";
import type { StepEvent, Trainer } from "@diptych/training";
import type { PluginSource } from "../backend-parts.js";
import { BACKEND, createComponents, createDataset, createSchedule } from "../components.js";
import { openConfigFile, type OpenedConfig } from "../load-config.js";
import { plannedSteps } from "../run-length.js";
import type { RunEvent } from "../run-events.js";
import { buildStep, checkMemory, createRunLoader, createRunTrainer } from "../run-step.js";
import { deviceMemoryUsed, peakMemory } from "./process-memory.js";

/** A configuration file as it is opened here and in other processes. */
export type ConfigSource = PluginSource & { readonly config: string };

export interface CompareStepsInput {
  readonly source: ConfigSource;
  /** Laid over the configuration's own backend. */
  readonly part: Part;
  readonly steps: number;
}

/** One step. */
export interface StepPoint {
  /** Counted from 0. */
  readonly step: number;
  readonly loss: number;
  /** Milliseconds of upload, gradient and update. */
  readonly stepMs: number;
  /** Milliseconds that it waited for its batch. */
  readonly waitMs: number;
}

export type StepsProgress =
  | Extract<RunEvent, { readonly event: "message" | "prepare" }>
  | { readonly event: "step"; readonly point: StepPoint };

export interface StepsSummary {
  /** The backend's own line. */
  readonly description: string;
  /** To load libraries, compile both graphs and upload first values. */
  readonly startSeconds: number;
  /** The most that the process held at once, in the host's memory. */
  readonly hostPeakBytes: number;
  /** By how much the use of the graphics cards grew; null where tensors are the host's or no tool tells. */
  readonly deviceBytes: number | null;
  /** What the backend's own count says of tensors that stay between steps. */
  readonly tensorBytes: number;
}

/** A run whose length is a duration or a stream is taken to have this many steps, for its schedule. */
const UNKNOWN_LENGTH = 1000;

/** Reads or renders the data once, so that no backend's process pays for it. */
export async function prepareData(
  { source }: { readonly source: ConfigSource },
  report: (progress: StepsProgress) => void,
): Promise<null> {
  const opened = await openSource(source);
  const run = new Run();
  try {
    const dataset = await createDataset(opened.config.data.train, { opened, on: relay(report) });
    run.onDispose("dataset", () => (dataset as { dispose?: () => unknown }).dispose?.());
    return null;
  } finally {
    await run.dispose();
  }
}

/** The first `steps` steps of the run that the configuration describes. @throws what backend, data and trainer throw. */
export async function compareSteps(
  { source, part, steps }: CompareStepsInput,
  report: (progress: StepsProgress) => void,
): Promise<StepsSummary> {
  const opened = await openSource(source, [`backend=${JSON.stringify(part)}`]);
  const run = new Run();
  try {
    const cardsBefore = await deviceMemoryUsed();
    const begun = performance.now();
    await createComponents({ opened, run, on: relay(report) });
    const { trainer, startMs } = await createTrainer(opened.config, run, begun);
    await fit(opened, run, { trainer, steps, report });
    const backend = run.get(BACKEND);
    const onDevice = backend.capabilities.deviceMemory === "device";
    const cardsAfter = onDevice ? await deviceMemoryUsed() : null;
    return {
      description: backend.describe(),
      startSeconds: startMs / 1000,
      hostPeakBytes: await peakMemory(),
      deviceBytes: cardsAfter === null || cardsBefore === null ? null : cardsAfter - cardsBefore,
      tensorBytes: backend.memory().bytes,
    };
  } finally {
    await run.dispose();
  }
}

function openSource(
  { config, tiny, set = [] }: ConfigSource,
  more: readonly string[] = [],
): Promise<OpenedConfig> {
  return openConfigFile(config, {
    ...(tiny === undefined ? {} : { tiny }),
    set: [...set, ...more],
  });
}

function relay(report: (progress: StepsProgress) => void): (event: RunEvent) => void {
  return (event) => {
    if (event.event !== "progress") report(event);
  };
}

async function createTrainer(
  config: ResolvedConfig,
  run: Run,
  begun: number,
): Promise<{ readonly trainer: Trainer; readonly startMs: number }> {
  const step = buildStep(config, run);
  checkMemory(config, run, step);
  const trainer = await createRunTrainer(config, run, step);
  return { trainer, startMs: performance.now() - begun };
}

interface FitContext {
  readonly trainer: Trainer;
  readonly steps: number;
  readonly report: (progress: StepsProgress) => void;
}

async function fit(
  { config }: OpenedConfig,
  run: Run,
  { trainer, steps, report }: FitContext,
): Promise<void> {
  const loader = createRunLoader(config, run, relay(report));
  const planned = plannedSteps(config, loader.stepsPerEpoch) ?? UNKNOWN_LENGTH;
  await trainer.fit({
    batches: loader.batches({ startStep: 0 }),
    schedule: createSchedule(config.schedule, Math.max(planned, steps)),
    totalSteps: steps,
    on: (event) => {
      if (event.event === "step") report({ event: "step", point: pointOf(event) });
    },
  });
}

function pointOf({ step, loss, stepMs, waitMs }: StepEvent): StepPoint {
  return { step, loss, stepMs, waitMs };
}
