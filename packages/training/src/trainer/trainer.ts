/** The trainer: the compiled step and the state that it keeps on the device, from first values to a trained model. */
import {
  hostTensorFrom,
  scalarHost,
  scalesLoss,
  TrainingError,
  type Backend,
  type DeviceTensor,
  type Executable,
  type HostTensor,
} from "@diptych/core";
import {
  EMA_RATE,
  emaName,
  emaRate,
  INVERSE_LOSS_SCALE,
  LOSS_SCALE,
  REPORT,
  STEP_SCALARS,
  type TrainStep,
} from "../train-step/train-step.js";
import type { TrainingBatch } from "./batches.js";
import { checkPrecision } from "./check-precision.js";
import { calibrate, type CalibrateOptions, type Calibration } from "./calibrate.js";
import { DeviceState } from "./device-state.js";
import { runFit, type FitOptions, type FitResult } from "./fit.js";
import {
  INITIAL_LOSS_SCALE,
  LEAST_LOSS_SCALE,
  nextLossScale,
  type LossScale,
} from "./loss-scale.js";
import { drawRandomInputs } from "./random-inputs.js";
import { parseReport, type StepReport } from "./step-report.js";
import type { TrainingState } from "./training-state.js";

export interface TrainerOptions {
  readonly backend: Backend;
  readonly step: TrainStep;
  /** First values of every parameter and buffer, by name. */
  readonly initial: ReadonlyMap<string, HostTensor>;
  /** Of the random inputs. */
  readonly seed: number;
}

export interface RunStepOptions {
  readonly learningRate: number;
  /** Ends the gradient part; the update, once begun, runs to its end, so that the state stays whole. */
  readonly signal?: AbortSignal | undefined;
  /** Called while the gradient part runs. */
  readonly meanwhile?: () => void;
}

/**
 * `interrupted` and `notFinite` leave the state as it was before the step. `skipped`: in float16 the scaled gradients
 * overflowed; the step counts as done, weights and optimizer are as before, and the loss scale is halved.
 */
export type StepOutcome =
  | { readonly status: "done"; readonly report: StepReport }
  | { readonly status: "skipped"; readonly report: StepReport }
  | { readonly status: "notFinite"; readonly report: StepReport }
  | { readonly status: "interrupted" };

/** Which values of the parameters: the trained ones, or their moving average where the run keeps one. */
export interface ParameterChoice {
  readonly average?: boolean;
}

/**
 * Trains. Equal options, batches and state give equal steps, bit for bit, on the same backend, version and thread count.
 *
 * @example
 * const trainer = await Trainer.create({ backend, step, initial, seed: 0 });
 * await trainer.fit({ batches, schedule, totalSteps: 1000 });
 * const weights = await trainer.readParameters();
 * await trainer.dispose();
 */
export class Trainer {
  readonly trainStep: TrainStep;
  readonly seed: number;
  readonly #device: DeviceState;
  readonly #gradient: Executable;
  readonly #update: Executable;
  #step = 0;
  #skipped = 0;
  #lossScale: LossScale | undefined;
  #totalSteps: number | undefined;
  #failed: unknown;
  #busy = false;
  #disposed = false;
  #drawn:
    { readonly step: number; readonly values: Readonly<Record<string, HostTensor>> } | undefined;

  private constructor(
    options: TrainerOptions,
    device: DeviceState,
    executables: readonly [Executable, Executable],
  ) {
    this.trainStep = options.step;
    this.seed = options.seed;
    this.#device = device;
    [this.#gradient, this.#update] = executables;
    this.#lossScale = scalesLoss(options.step.precision) ? INITIAL_LOSS_SCALE : undefined;
  }

  /**
   * Compiles both graphs and uploads first values.
   *
   * @throws ConfigError where the backend lacks the step's precision; TrainingError where `initial` does not fit;
   * BackendError where a graph does not compile.
   */
  static async create(options: TrainerOptions): Promise<Trainer> {
    const { backend, step, initial } = options;
    checkPrecision(step.precision, backend);
    const gradient = await backend.compile(step.gradient, { label: "gradient" });
    let update: Executable | undefined;
    try {
      update = await backend.compile(step.update, { label: "update", donate: step.donate });
      const device = await DeviceState.create(backend, step, initial);
      return new Trainer(options, device, [gradient, update]);
    } catch (error) {
      await update?.dispose();
      await gradient.dispose();
      throw error;
    }
  }

  /** Steps done: the number of the next one. */
  get step(): number {
    return this.#step;
  }

  /** Of these, the ones that overflowed in float16 and changed nothing. */
  get skippedSteps(): number {
    return this.#skipped;
  }

  /** What the next step's loss is multiplied by; undefined but in float16. */
  get lossScale(): number | undefined {
    return this.#lossScale?.scale;
  }

  /** All steps of the run, once known: from `fit` or from a loaded state. */
  get totalSteps(): number | undefined {
    return this.#totalSteps;
  }

  /** Whether the state can be read: false after a failure in the middle of an update. */
  get intact(): boolean {
    return this.#failed === undefined;
  }

  /** Runs until `totalSteps` are done or the signal comes; see {@link FitOptions}. */
  async fit(options: FitOptions): Promise<FitResult> {
    return this.#exclusive("fit", () => {
      this.#totalSteps = options.totalSteps;
      return runFit(this, options);
    });
  }

  /** How many steps fit into a duration, by running a few and then going back to the state as it is now. */
  async calibrateSteps(options: CalibrateOptions): Promise<Calibration> {
    return this.#exclusive("calibrateSteps", () => calibrate(this, options));
  }

  /** One step; `fit` is made of these. @throws BackendError, TrainingError on a batch that lacks an input. */
  async runStep(
    { feeds }: Pick<TrainingBatch, "feeds">,
    { learningRate, signal, meanwhile }: RunStepOptions,
  ): Promise<StepOutcome> {
    this.#checkIntact("runStep");
    const names = this.#gradient.inputNames;
    await this.#device.feed(pick({ ...feeds, ...this.#randomInputs(this.#step) }, names));
    await this.#device.feed(this.#stepScalars(learningRate));
    if (this.#lossScale)
      await this.#device.feed({ [LOSS_SCALE]: scalarHost("float32", this.#lossScale.scale) });
    let report: StepReport;
    try {
      const running = this.#gradient.run(this.#device.feeds(names), {
        into: this.#device.work(),
        ...(signal ? { signal } : {}),
      });
      meanwhile?.();
      this.#randomInputs(this.#step + 1);
      const outputs = await running;
      report = parseReport(this.trainStep.reportNames, await outputs[REPORT]!.read());
    } catch (error) {
      if (signal?.aborted && error instanceof Error && error.name === "AbortError")
        return { status: "interrupted" };
      throw error;
    }
    if (!report.finite) return this.#overflowed(report);
    await this.#runUpdate();
    this.#step += 1;
    this.#lossScale &&= nextLossScale(this.#lossScale, true);
    return { status: "done", report };
  }

  /** In float16 a gradient that is not finite says first of all that the loss was multiplied by too much. */
  #overflowed(report: StepReport): StepOutcome {
    if (!this.#lossScale || this.#lossScale.scale <= LEAST_LOSS_SCALE)
      return { status: "notFinite", report };
    this.#lossScale = nextLossScale(this.#lossScale, false);
    this.#step += 1;
    this.#skipped += 1;
    return { status: "skipped", report };
  }

  /** The whole state, on the host; `metadata` is saved with it. */
  async readState(metadata: Readonly<Record<string, unknown>> = {}): Promise<TrainingState> {
    this.#checkIntact("readState");
    const tensors = await this.#device.read(this.trainStep.state.map(({ name }) => name));
    return Object.freeze({
      tensors,
      metadata: Object.freeze({
        ...metadata,
        kind: "diptych-training-state" as const,
        version: 1 as const,
        step: this.#step,
        seed: this.seed,
        optimizer: this.trainStep.optimizer.name,
        precision: this.trainStep.precision,
        skippedSteps: this.#skipped,
        ...(this.#lossScale ? { lossScale: this.#lossScale } : {}),
        ...(this.#totalSteps === undefined ? {} : { totalSteps: this.#totalSteps }),
      }),
    });
  }

  /** Goes on from a state as if the run had never stopped. @throws TrainingError where it was made with another seed. */
  async loadState({ tensors, metadata }: TrainingState): Promise<void> {
    this.#checkIntact("loadState");
    if (metadata.seed !== this.seed) {
      throw new TrainingError(
        `training/loadState: seed: expected ${this.seed}, got a state of seed ${metadata.seed}. Resume with the seed that the run began with.`,
      );
    }
    const missing = this.trainStep.state.filter(({ name }) => !tensors.has(name));
    if (missing[0]) {
      throw new TrainingError(
        `training/loadState: tensors: expected all ${this.trainStep.state.length} of the state, got none for "${missing[0].name}" (${missing.length} are missing). Read the state with readTrainingState.`,
      );
    }
    await this.#device.write(
      new Map(this.trainStep.state.map(({ name }) => [name, tensors.get(name)!])),
    );
    this.#step = metadata.step;
    this.#skipped = metadata.skippedSteps;
    // Absent where the run went on in another precision before.
    if (this.#lossScale) this.#lossScale = metadata.lossScale ?? INITIAL_LOSS_SCALE;
    this.#totalSteps = metadata.totalSteps;
  }

  /** Every parameter and buffer by name, on the host. */
  async readParameters(choice: ParameterChoice = {}): Promise<Map<string, HostTensor>> {
    this.#checkIntact("readParameters");
    const names = this.#parameterNames(choice);
    const values = await this.#device.read([...names.values()]);
    return new Map([...names].map(([name, from]) => [name, values.get(from)!]));
  }

  /** The same on the device, to feed another executable. Borrowed: they hold until the next step. */
  deviceParameters(choice: ParameterChoice = {}): Readonly<Record<string, DeviceTensor>> {
    this.#checkIntact("deviceParameters");
    return Object.fromEntries(
      [...this.#parameterNames(choice)].map(([name, from]) => [name, this.#device.state(from)]),
    );
  }

  /** Gives back executables and device memory; a second call does nothing. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#gradient.dispose();
    await this.#update.dispose();
    this.#device.dispose();
  }

  /** Parameter name → name of the state tensor that holds the chosen value. */
  #parameterNames({ average = false }: ParameterChoice): ReadonlyMap<string, string> {
    const averaged = new Set(this.trainStep.state.map(({ name }) => name));
    return new Map(
      this.trainStep.parameters.map(({ name }) => [
        name,
        average && averaged.has(emaName(name)) ? emaName(name) : name,
      ]),
    );
  }

  /** Drawn once per step, usually while the step before runs. */
  #randomInputs(step: number): Readonly<Record<string, HostTensor>> {
    if (this.#drawn?.step !== step) {
      const values = drawRandomInputs(this.trainStep.randomInputs, this.seed, step);
      this.#drawn = { step, values };
    }
    return this.#drawn.values;
  }

  #stepScalars(learningRate: number): Readonly<Record<string, HostTensor>> {
    const { optimizer, ema, scalarNames } = this.trainStep;
    if (scalarNames.length === 0) return {};
    // Steps that were skipped are none to the optimizer, as in PyTorch.
    const updates = this.#step - this.#skipped;
    const values: Record<string, number> = {
      ...optimizer.scalars(updates, learningRate),
      ...(ema === null ? {} : { [EMA_RATE]: emaRate(ema, updates) }),
      ...(this.#lossScale ? { [INVERSE_LOSS_SCALE]: 1 / this.#lossScale.scale } : {}),
    };
    const vector = scalarNames.map((name) => {
      const value = values[name];
      if (value !== undefined) return value;
      throw new TrainingError(
        `training/Trainer: optimizer ${optimizer.name}: expected a step scalar "${name}", got ${Object.keys(values).join(", ")}. Let scalars() give all of scalarNames.`,
      );
    });
    return { [STEP_SCALARS]: hostTensorFrom("float32", [vector.length], vector) };
  }

  async #runUpdate(): Promise<void> {
    try {
      this.#device.advance(await this.#update.run(this.#device.feeds(this.#update.inputNames)));
    } catch (error) {
      // Donated tensors may be half written: what is on the device is no state any more.
      this.#failed = error;
      throw error;
    }
  }

  #checkIntact(what: string): void {
    if (this.#failed === undefined) return;
    throw new TrainingError(
      `training/${what}: state: expected a whole one, got one that a failed update left behind. Resume from the last checkpoint.`,
      { cause: this.#failed },
    );
  }

  async #exclusive<T>(what: string, run: () => Promise<T>): Promise<T> {
    if (this.#busy) {
      throw new TrainingError(
        `training/${what}: trainer: expected it to be idle, got a run in progress. Await that first.`,
      );
    }
    this.#busy = true;
    try {
      return await run();
    } finally {
      this.#busy = false;
    }
  }
}

function pick(
  values: Readonly<Record<string, HostTensor>>,
  names: readonly string[],
): Readonly<Record<string, HostTensor>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = values[name];
      return value ? [[name, value] as const] : [];
    }),
  );
}
