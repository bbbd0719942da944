/** Training a configuration in a run folder: lock, resume, steps, checkpoints, log, model, evaluation. */
import { join } from "node:path";
import { countParameters, type HostTensor, type TrainingPrecision } from "@diptych/core";
import { Run } from "@diptych/core/plugin";
import { runState, writeJsonAtomically } from "@diptych/checkpoints";
import type { Loader } from "@diptych/data";
import {
  acquireRunLock,
  createCheckpointer,
  createJsonlLog,
  precisionNotice,
  type Trainer,
  type Checkpointer,
  type FitResult,
  type TrainingEvent,
} from "@diptych/training";
import {
  BACKEND,
  createComponents,
  createSchedule,
  DATASET,
  LOSS,
  MODEL,
  TEACHERS,
  TOKENIZER,
} from "./components.js";
import type { Evaluations } from "./evaluate.js";
import {
  createMidwayEvaluation,
  evaluateRun,
  type EvaluateRunOptions,
  type Midway,
} from "./evaluate-run.js";
import { weightsFingerprint } from "./fingerprint.js";
import type { OpenedConfig } from "./load-config.js";
import { saveModel } from "./model-folder.js";
import { identifyDataset, type MeasuredData } from "./measured-data.js";
import { trainedPictures, type LoadedModel } from "./read-model.js";
import { resumeRun, savedTokenizer } from "./resume-run.js";
import { decideSteps } from "./run-length.js";
import { createProgressMeter, type RunListener } from "./run-events.js";
import {
  batchSizes,
  buildStep,
  checkMemory,
  createRunLoader,
  createRunTrainer,
  runStepFlops,
} from "./run-step.js";
import { planScores, type ScorePlan } from "./score/plan-scores.js";
import type { TeacherFacts } from "./teachers/open-teachers.js";
import { createTrainingClock } from "./training-clock.js";

export interface TrainOptions {
  readonly opened: OpenedConfig;
  /** Folder of the run; made where it is missing. */
  readonly out: string;
  /** Go on from the newest checkpoint in `out`. */
  readonly resume?: boolean;
  /** Ends training after the step in flight, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly on?: RunListener;
  /** Evaluators of this configuration instead of the run's own: a comparison measures all its runs alike. */
  readonly evaluateWith?: OpenedConfig;
  /** Evaluations during the run. Their time is not counted in `seconds`. */
  readonly midway?: Midway;
  /** Whether data are hashed when training has ended, which reads or lists all their files. */
  readonly fingerprints?: boolean;
}

/** What a trained model is and what it was made from. */
export interface TrainedModel {
  /** SHA-256 over the names, shapes and values of the weights. */
  readonly weights: string;
  /** How its pictures are prepared. */
  readonly pictures: LoadedModel["pictures"];
  /** The data that it was trained on; hashed where `fingerprints` asks for it. */
  readonly data: MeasuredData;
}

/** What a run came to. */
export interface TrainSummary {
  /** False when it was interrupted. */
  readonly finished: boolean;
  /** Steps done, and those of the whole run. */
  readonly step: number;
  readonly totalSteps: number;
  /** Of training, in this process. */
  readonly seconds: number;
  /** Pictures seen in the whole run. */
  readonly images: number;
  readonly loss: number | null;
  /** Trained values. */
  readonly params: number;
  /** Floating-point operations of one step ({@link stepFlops}), its teachers' included. */
  readonly flops: number;
  /** Models that the loss was taught by. */
  readonly teachers: readonly TeacherFacts[];
  /** Mean wait of a step for its batch, in milliseconds. */
  readonly meanWaitMs: number;
  readonly precision: TrainingPrecision;
  /** Steps of the run that overflowed in float16 and changed nothing. */
  readonly skippedSteps: number;
  readonly backend: string;
  readonly seed: number;
  /** Folder of the trained model, once finished, and what it was made from. */
  readonly modelPath?: string;
  readonly trained?: TrainedModel;
  readonly evaluations: Evaluations;
}

/**
 * Trains.
 *
 * @throws TrainingError where the folder holds a run and `resume` is not set, is in use, or a loss is not finite; and
 * what data, backend and checkpoints throw.
 */
export async function train(options: TrainOptions): Promise<TrainSummary> {
  const lock = await acquireRunLock(options.out);
  const run = new Run();
  run.onDispose("lock", () => lock.release());
  try {
    return await trainLocked(options, run);
  } finally {
    await run.dispose();
  }
}

async function trainLocked(options: TrainOptions, run: Run): Promise<TrainSummary> {
  const { opened, out, resume = false, signal, on = () => undefined } = options;
  const { config } = opened;
  const checkpointer = createCheckpointer({
    folder: out,
    format: runState,
    every: config.training.checkpointEvery,
    keepLast: config.training.keepLast,
    report: (text) => on({ event: "message", text }),
  });
  const tokenizer = await savedTokenizer(checkpointer, { out, resume });
  await createComponents({ opened, run, on, signal, tokenizer });
  await writeJsonAtomically(join(out, "config.json"), config.plain);
  const step = buildStep(config, run);
  // A loss whose scores cannot be built is refused now rather than when it has been trained.
  const scoring = planScores(run.get(MODEL), run.get(LOSS));
  checkMemory(config, run, step);
  const notice = precisionNotice(step.precision, run.get(BACKEND));
  if (notice) on({ event: "message", text: notice });
  const loader = createRunLoader(config, run, on);
  const trainer = await createRunTrainer(config, run, step);
  const teachers = run.get(TEACHERS).map(({ facts }) => facts);
  if (resume) await resumeRun(checkpointer, trainer, { config, teachers, on });
  const totalSteps = await decideSteps(config, { trainer, loader, signal, on });
  const flops = runStepFlops(config, run, step);
  const facts = { totalSteps, flops, teachers, scoring };
  const result = await fit(options, run, { trainer, loader, checkpointer, ...facts });
  return finish(options, run, { trainer, result, ...facts });
}

/** What is known of a run before its first step. */
interface RunFacts {
  readonly totalSteps: number;
  readonly flops: number;
  readonly teachers: readonly TeacherFacts[];
  readonly scoring: ScorePlan | undefined;
}

interface FitContext extends RunFacts {
  readonly trainer: Trainer;
  readonly loader: Loader;
  readonly checkpointer: Checkpointer;
}

/** With the loss of the last step done here. */
type Fitted = FitResult & { readonly loss: number | null };

async function fit(options: TrainOptions, run: Run, context: FitContext): Promise<Fitted> {
  const { opened, out, signal, on = () => undefined } = options;
  const { trainer, loader, checkpointer, totalSteps, flops, teachers, scoring } = context;
  const { config } = opened;
  const logPath = join(out, "log.jsonl");
  const log = createJsonlLog(logPath, { resumeStep: trainer.step });
  run.onDispose("log", () => log.close());
  const clock = createTrainingClock(logPath, trainer.step);
  const meter = createProgressMeter();
  const { logEvery } = config.training;
  const isLogged = (event: TrainingEvent): boolean =>
    event.event !== "step" || event.step % logEvery === 0 || event.step + 1 === totalSteps;
  // Asked for every step, logged or not: the clock counts them all.
  const factsOf = (event: TrainingEvent): object => {
    if (event.event === "start") return { flops, teachers };
    return event.event === "step" ? { trainingSeconds: clock.after(event) } : {};
  };
  let loss: number | null = null;
  const average = config.training.ema !== null;
  const midway = createMidwayEvaluation(run, options.midway, {
    ...evaluationOf(options),
    fingerprints: false,
    scoring,
    average,
  });
  const result = await trainer.fit({
    batches: loader.batches({ startStep: trainer.step }),
    schedule: createSchedule(config.schedule, totalSteps),
    totalSteps,
    signal,
    saver: checkpointer,
    metadata: { config: config.plain, tokenizer: run.get(TOKENIZER).toJSON(), teachers },
    on: async (event) => {
      const facts = factsOf(event);
      if (isLogged(event)) log.write({ ...event, ...facts });
      if (event.event !== "step") return;
      loss = event.loss;
      on(meter(event));
      await midway.at(event.step + 1, trainer);
    },
  });
  return { ...result, seconds: result.seconds - midway.seconds(), loss };
}

interface FinishContext extends RunFacts {
  readonly trainer: Trainer;
  readonly result: Fitted;
}

async function finish(
  options: TrainOptions,
  run: Run,
  context: FinishContext,
): Promise<TrainSummary> {
  const { opened, out } = options;
  const { trainer, result, scoring, totalSteps, flops, teachers } = context;
  const { config } = opened;
  const summary = {
    finished: result.reason === "finished",
    step: result.step,
    totalSteps,
    seconds: result.seconds,
    images: result.step * batchSizes(config).imageBatch,
    loss: result.loss,
    params: countParameters(trainer.trainStep.parameters),
    flops,
    teachers,
    meanWaitMs: result.meanWaitMs,
    precision: config.training.precision,
    skippedSteps: result.skippedSteps,
    backend: run.get(BACKEND).describe(),
    seed: config.seed,
  };
  if (!summary.finished) return { ...summary, evaluations: {} };
  const modelPath = join(out, "model");
  const parameters = await trainer.readParameters({ average: config.training.ema !== null });
  const saved = withoutLoss(parameters, scoring);
  const tokenizer = run.get(TOKENIZER);
  await saveModel(modelPath, { config, tokenizer, parameters: saved, step: result.step });
  const trained: TrainedModel = {
    weights: weightsFingerprint(saved),
    pictures: trainedPictures(config.data, run.get(MODEL)),
    data: await identifyDataset(run.get(DATASET), config.data.train, options.fingerprints),
  };
  await trainer.dispose();
  const evaluations = await evaluateRun(run, parameters, { ...evaluationOf(options), scoring });
  return { ...summary, modelPath, trained, evaluations };
}

/** A model is its towers, its scale and what its scores read; what else the loss had stays in the run's checkpoints. */
function withoutLoss(
  parameters: ReadonlyMap<string, HostTensor>,
  scoring: ScorePlan | undefined,
): ReadonlyMap<string, HostTensor> {
  const scored = new Set(scoring?.parameters.map(({ name }) => name));
  return new Map([...parameters].filter(([name]) => !name.startsWith("loss.") || scored.has(name)));
}

function evaluationOf({
  opened,
  evaluateWith = opened,
  fingerprints = false,
  signal,
  on = () => undefined,
}: TrainOptions): Omit<EvaluateRunOptions, "scoring"> {
  return { opened, evaluateWith, fingerprints, signal, on };
}
