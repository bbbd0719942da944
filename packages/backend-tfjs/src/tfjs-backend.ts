/** The backend: compiles graphs to plans and runs them on an engine of TensorFlow.js. */
import {
  BackendError,
  DtypeError,
  type Backend,
  type BackendCapabilities,
  type CompileOptions,
  type Executable,
  type Graph,
  type HostTensor,
} from "@diptych/core";
import {
  checkDonations,
  elideBroadcasts,
  prepareForBackend,
  runPasses,
  withoutConstants,
  type Constants,
} from "@diptych/core/backend";
import { chooseEngine } from "./engines/choose-engine.js";
import type { Engine, EngineChoice } from "./engines/engine.js";
import { bindSteps } from "./executor/bound-plan.js";
import { TfjsDeviceTensor, type LiveTensors } from "./executor/device-tensor.js";
import { foldScales } from "./executor/fold-scales.js";
import { planGraph, type GraphPlan } from "./executor/graph-plan.js";
import { enqueue } from "./executor/run-queue.js";
import { runSteps } from "./executor/run-steps.js";
import { SlotValues } from "./executor/slot-values.js";
import { TfjsExecutable } from "./executor/tfjs-executable.js";

export interface TfjsBackendOptions {
  /** `auto` (default): the fastest that is installed: node-gpu, node, webgpu, wasm, cpu. */
  readonly engine?: EngineChoice;
  /** Threads within one operator, of `node`; default: all cores. */
  readonly threads?: number;
  /** Receives which engine was chosen and why, and warnings; default: a warning of the process. */
  readonly log?: (line: string) => void;
}

/** A backend that also tells what its engine counts. */
export interface TfjsBackend extends Backend {
  /** Tensors that the engine itself counts as alive, small constants that it keeps and those of other users included. */
  engineUsage(): { readonly tensors: number; readonly bytes: number };
}

/**
 * Creates the backend `tfjs`.
 *
 * @throws BackendError when the engine is not installed or has no device; says what brings it.
 *
 * @example
 * const backend = await createTfjsBackend({ engine: "wasm" });
 * const executable = await backend.compile(graph);
 * const { y } = await executable.run({ x: hostTensorFrom("float32", [2], [1, 2]) });
 */
export async function createTfjsBackend(options: TfjsBackendOptions = {}): Promise<TfjsBackend> {
  return new EngineBackend(await enqueue(() => chooseEngine(options)));
}

class EngineBackend implements TfjsBackend {
  readonly name = "tfjs";
  readonly capabilities: BackendCapabilities;
  readonly #engine: Engine;
  readonly #live: LiveTensors = new Set();
  readonly #executables = new Set<Executable>();
  #ending: Promise<void> | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.capabilities = Object.freeze({ ...engine.capabilities, donation: true });
  }

  describe(): string {
    return `tfjs: ${this.#engine.description}`;
  }

  async compile(given: Graph, options: CompileOptions = {}): Promise<Executable> {
    const { donate = {}, constants = new Map<string, HostTensor>(), label = given.name } = options;
    this.#checkLive("compile");
    const where = `backend-tfjs/compile: donation of "${label}"`;
    const donations = checkDonations(given, donate, where);
    const prepared = prepareForBackend(given, this.capabilities, `tfjs ${this.#engine.name}`);
    const known = new Set(constants.keys());
    const graph = runPasses(prepared, [elideBroadcasts, foldScales(known)]);
    const fed = withoutConstants(graph, constants, { where: "backend-tfjs/compile", label });
    const plan = planGraph(graph, known);
    const residents = await enqueue(() => this.#fold(plan, constants, label));
    const { device } = this.#engine;
    const executable: Executable = new TfjsExecutable({
      graph: fed,
      plan,
      residents,
      device,
      live: this.#live,
      donations,
      label,
      onDispose: () => this.#executables.delete(executable),
    });
    this.#executables.add(executable);
    return executable;
  }

  async upload(tensor: HostTensor): Promise<TfjsDeviceTensor> {
    this.#checkLive("upload");
    const { device, capabilities } = this.#engine;
    if (!capabilities.dtypes.has(tensor.dtype)) {
      throw new DtypeError(
        `backend-tfjs/upload: dtype: expected one that engine ${this.#engine.name} has (${[...capabilities.dtypes].join(", ")}), got ${tensor.dtype}. Convert it first.`,
      );
    }
    return new TfjsDeviceTensor(tensor, device.upload(tensor), { device, live: this.#live });
  }

  memory(): { readonly tensors: number; readonly bytes: number } {
    let bytes = 0;
    for (const tensor of this.#live) bytes += tensor.byteLength;
    return { tensors: this.#live.size, bytes };
  }

  engineUsage(): { readonly tensors: number; readonly bytes: number } {
    return this.#engine.device.usage();
  }

  dispose(): Promise<void> {
    this.#ending ??= this.#dispose();
    return this.#ending;
  }

  async #dispose(): Promise<void> {
    await Promise.all([...this.#executables].map((executable) => executable.dispose()));
    for (const tensor of [...this.#live]) tensor.dispose();
    await enqueue(async () => {
      this.#engine.device.dispose();
    });
  }

  #checkLive(doing: string): void {
    if (this.#ending === undefined) return;
    throw new BackendError(
      `backend-tfjs/${doing}: backend: expected it live, got it disposed. Create another one.`,
    );
  }

  /** Uploads the constants and computes what depends on them alone. */
  async #fold(plan: GraphPlan, constants: Constants, label: string): Promise<SlotValues> {
    const { device } = this.#engine;
    const values = new SlotValues(device, plan.slots);
    try {
      await device.enter();
      for (const { slot, value } of plan.constants)
        values.set(slot, device.upload(value, "lasting"), true);
      for (const { name, slot } of plan.given)
        values.set(slot, device.upload(constants.get(name)!, "lasting"), true);
      await runSteps(bindSteps(plan.foldSteps, {}), { device, values, label });
      for (const { slot } of [...plan.constants, ...plan.given])
        if (!plan.readAtRun.has(slot)) values.free(slot);
      return values;
    } catch (error) {
      values.freeAll();
      throw error;
    }
  }
}
