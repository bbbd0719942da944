/** A compiled graph on ONNX Runtime: binds feeds, runs when its turn comes, and hands the outputs out. */
import {
  BackendError,
  inputName,
  type DeviceTensor,
  type DimBinding,
  type Executable,
  type RunOptions,
} from "@diptych/core";
import type { Queue } from "@diptych/core/backend";
import { OnnxDeviceTensor } from "./device-tensor.js";
import { bindFeeds, type Feeds } from "./feeds.js";
import type { LoweredGraph } from "./lowering/lower-graph.js";
import { explainMemory } from "./out-of-memory.js";
import {
  involvedTensors,
  planRun,
  stageFeeds,
  type Into,
  type PlannedRun,
  type RunSurroundings,
} from "./plan-run.js";
import type { OrtSession, OrtTensor } from "./runtime/ort-runtime.js";

/** A lowered graph, compiled. */
export interface CompiledModel {
  readonly lowered: LoweredGraph;
  readonly session: OrtSession;
  /** Arrays that the session reads without owning them. */
  readonly keep: unknown;
  /** Inputs that are the same in every run, by name. */
  readonly fixed: ReadonlyMap<string, OrtTensor>;
}

/** What an executable is made of. */
export interface ExecutableParts extends RunSurroundings {
  readonly compiled: CompiledModel;
  /** Compiles the graph for sizes of which some are 0, where the provider's kernels do not take such tensors. */
  readonly compileEmpty: ((binding: DimBinding) => Promise<CompiledModel>) | null;
  readonly queue: Queue;
  readonly label: string;
  /** Called once, when the executable is disposed. */
  readonly onDispose: () => void;
}

/** One call of `run`. */
interface Call {
  readonly feeds: Feeds;
  readonly into: Into;
  readonly staged: ReadonlyMap<string, OrtTensor>;
  readonly binding: DimBinding;
  readonly signal: AbortSignal | undefined;
}

export class OnnxExecutable implements Executable {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly #parts: ExecutableParts;
  /** By the sizes of the symbols. */
  readonly #empty = new Map<string, Promise<CompiledModel>>();
  #disposed = false;

  constructor(parts: ExecutableParts) {
    this.#parts = parts;
    this.inputNames = Object.freeze(parts.graph.inputs.map(({ node }) => inputName(node)));
    this.outputNames = Object.freeze(Object.keys(parts.graph.outputs));
  }

  /** Host feeds are copied before this returns; device tensors are taken when the run's turn comes. */
  async run(
    feeds: Feeds,
    { signal, into = {} }: RunOptions = {},
  ): Promise<Readonly<Record<string, DeviceTensor>>> {
    const { graph, compiled, runtime, queue, label } = this.#parts;
    this.#checkLive();
    const binding = bindFeeds(graph, feeds, { symbols: compiled.lowered.symbols, label });
    const staged = stageFeeds(feeds, runtime);
    const done = queue(() => this.#runNow({ feeds, into, staged, binding, signal }))
      .catch((error: unknown) => {
        throw explainMemory(error, { graph, binding, label });
      })
      .finally(() => {
        for (const memory of staged.values()) memory.dispose();
      });
    for (const tensor of involvedTensors(feeds, into)) tensor.waitFor(done);
    return done;
  }

  async dispose(): Promise<void> {
    if (!this.#disposed) this.#parts.onDispose();
    this.#disposed = true;
    const empty = await Promise.allSettled(this.#empty.values());
    const compiled = empty.flatMap((made) => (made.status === "fulfilled" ? [made.value] : []));
    for (const { session, fixed } of [this.#parts.compiled, ...compiled]) {
      await session.dispose();
      for (const tensor of fixed.values()) tensor.dispose();
    }
  }

  #compiledFor(binding: DimBinding): CompiledModel | Promise<CompiledModel> {
    const { compiled, compileEmpty } = this.#parts;
    if (compileEmpty === null || !Object.values(binding).includes(0)) return compiled;
    const key = JSON.stringify(binding);
    const made = this.#empty.get(key) ?? compileEmpty(binding);
    this.#empty.set(key, made);
    return made;
  }

  #checkLive(): void {
    if (!this.#disposed) return;
    throw new BackendError(
      `backend-onnx/run: executable "${this.#parts.label}": expected it live, got it disposed. Run before dispose().`,
    );
  }

  async #runNow({ binding, signal, ...call }: Call): Promise<Record<string, DeviceTensor>> {
    this.#checkLive();
    signal?.throwIfAborted();
    const compiled = await this.#compiledFor(binding);
    const { fixed } = compiled;
    const staged = fixed.size === 0 ? call.staged : new Map([...fixed, ...call.staged]);
    const planned = planRun({ ...call, staged }, binding, this.#parts);
    for (const { tensor } of planned.spent) tensor.spend();
    try {
      // A run that ended in the middle of an update would leave weights half new: it goes on to its end.
      await runSession(compiled, planned, planned.updates ? undefined : signal);
    } catch (error) {
      for (const { tensor } of planned.spent) tensor.restore();
      for (const { fresh, memory } of planned.outputs) if (fresh) memory.dispose();
      throw error;
    }
    return this.#collect(planned);
  }

  #collect({ outputs, spent }: PlannedRun): Record<string, DeviceTensor> {
    for (const { memory, kept } of spent) if (!kept) memory.dispose();
    const results: Record<string, DeviceTensor> = {};
    for (const { name, dtype, memory, fresh, into } of outputs) {
      if (into && fresh) into.replaceMemory(memory);
      results[name] = into ?? new OnnxDeviceTensor(dtype, memory, this.#parts);
    }
    return results;
  }
}

async function runSession(
  { lowered, session }: CompiledModel,
  planned: PlannedRun,
  signal: AbortSignal | undefined,
): Promise<void> {
  const targets = new Map(
    planned.outputs.map(({ name, memory }) => [lowered.outputNames.get(name) ?? name, memory]),
  );
  await session.run(planned.inputs, targets, signal ? { signal } : {});
}
