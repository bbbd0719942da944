/** A compiled graph on an engine: binds feeds, runs when its turn comes, and hands the outputs out. */
import {
  BackendError,
  evaluateShape,
  typeOf,
  type DeviceTensor,
  type DimBinding,
  type Executable,
  type Feed,
  type Graph,
  type HostTensor,
  type RunOptions,
} from "@diptych/core";
import { bindFeeds, checkKnownNames, type Donations } from "@diptych/core/backend";
import { createStepBinder, type BoundSteps } from "./bound-plan.js";
import { checkSameType, TfjsDeviceTensor, type LiveTensors } from "./device-tensor.js";
import type { Device, Handle } from "./device.js";
import type { GraphPlan } from "./graph-plan.js";
import { enqueue } from "./run-queue.js";
import { runSteps, throwIfEnded } from "./run-steps.js";
import { SlotValues } from "./slot-values.js";

type Feeds = Readonly<Record<string, Feed>>;
type Into = Readonly<Record<string, DeviceTensor>>;
type Outputs = Record<string, DeviceTensor>;

/** What an executable is made of. */
export interface ExecutableParts {
  /** As it runs, without the inputs that are constants. */
  readonly graph: Graph;
  readonly plan: GraphPlan;
  /** What was made when compiling, and stays. */
  readonly residents: SlotValues;
  readonly device: Device;
  readonly live: LiveTensors;
  readonly donations: Donations;
  readonly label: string;
  /** Called once, when the executable is disposed. */
  readonly onDispose: () => void;
}

/** One call of `run`. */
interface Call {
  readonly feeds: Feeds;
  readonly into: Into;
  readonly staged: ReadonlyMap<string, Handle>;
  readonly binding: DimBinding;
  readonly signal: AbortSignal | undefined;
}

/** A fed tensor whose handle a run may free. */
interface SpentTensor {
  readonly tensor: TfjsDeviceTensor;
  readonly handle: Handle;
  /** The slot that owns the handle, where it is fed once; else it is freed at the end. */
  readonly slot: number | undefined;
}

export class TfjsExecutable implements Executable {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly #parts: ExecutableParts;
  readonly #bind: (binding: DimBinding) => BoundSteps;
  readonly #ending = new AbortController();
  #disposed: Promise<void> | undefined;

  constructor(parts: ExecutableParts) {
    this.#parts = parts;
    this.inputNames = Object.freeze(parts.plan.feeds.map(({ name }) => name));
    this.outputNames = Object.freeze(Object.keys(parts.graph.outputs));
    this.#bind = createStepBinder(parts.plan.steps);
  }

  /** Host feeds are copied before this returns; device tensors are taken when the run's turn comes. */
  async run(feeds: Feeds, { signal, into = {} }: RunOptions = {}): Promise<Outputs> {
    const { graph, device, label } = this.#parts;
    this.#checkLive();
    const where = `backend-tfjs/run: "${label}"`;
    checkKnownNames(where, "feeds", Object.keys(feeds), this.inputNames);
    checkKnownNames(where, "into", Object.keys(into), this.outputNames);
    const binding = bindFeeds(where, graph.inputs, feeds);
    const staged = stageFeeds(feeds, device);
    const done = enqueue(() => this.#runNow({ feeds, into, staged, binding, signal })).finally(
      () => {
        for (const handle of staged.values()) device.free(handle);
      },
    );
    for (const tensor of involvedTensors(feeds, into)) tensor.waitFor(done);
    return done;
  }

  dispose(): Promise<void> {
    const { label, residents, onDispose } = this.#parts;
    this.#disposed ??= enqueue(async () => {
      residents.freeAll();
    });
    onDispose();
    this.#ending.abort(disposedError(label));
    return this.#disposed;
  }

  #checkLive(): void {
    if (this.#disposed) throw disposedError(this.#parts.label);
  }

  async #runNow(call: Call): Promise<Outputs> {
    const { device, plan, residents, label } = this.#parts;
    const { binding, signal } = call;
    this.#checkLive();
    throwIfEnded(signal, label);
    const targets = this.#checkInto(call.into, binding);
    const fed = this.#fedTensors(call.feeds);
    const values = new SlotValues(device, plan.slots, residents);
    await device.enter();
    const spent = this.#fill(values, call, { fed, targets });
    for (const tensor of fed.values()) tensor.hold();
    try {
      // A run that ended in the middle of an update would leave weights half new: it goes on to its end.
      const signals = [this.#ending.signal, ...(signal ? [signal] : [])];
      const ending = spent.length > 0 ? undefined : AbortSignal.any(signals);
      await runSteps(this.#bind(binding), { device, values, label, signal: ending });
      checkDevice(device, label);
      const outputs = this.#collect(values, targets);
      for (const { handle, slot } of spent) if (slot === undefined) device.free(handle);
      return outputs;
    } catch (error) {
      restoreSpent(spent, values);
      throw error;
    } finally {
      values.freeAll();
      for (const tensor of fed.values()) tensor.release();
    }
  }

  /** Puts the feeds in their slots. A donated tensor's handle becomes the run's own. */
  #fill(
    values: SlotValues,
    { staged }: Call,
    {
      fed,
      targets,
    }: {
      readonly fed: ReadonlyMap<string, TfjsDeviceTensor>;
      readonly targets: ReadonlyMap<string, TfjsDeviceTensor>;
    },
  ): readonly SpentTensor[] {
    const { plan, donations } = this.#parts;
    const kept = new Set(targets.values());
    const donated = new Set([...donations.values()].map((input) => fed.get(input)));
    const times = timesFed(fed);
    const spent = new Map<TfjsDeviceTensor, SpentTensor>();
    for (const { name, slot, unread } of plan.feeds) {
      const tensor = fed.get(name);
      // What the caller wants a result in stays theirs.
      if (!tensor || !donated.has(tensor) || kept.has(tensor)) {
        const handle = tensor?.handle(`feed "${name}"`) ?? staged.get(name)!;
        values.set(slot, handle, false);
        continue;
      }
      const handle = spent.get(tensor)?.handle ?? tensor.spend();
      const once = times.get(tensor) === 1 && !unread;
      values.set(slot, handle, once);
      if (!spent.has(tensor)) spent.set(tensor, { tensor, handle, slot: once ? slot : undefined });
    }
    return [...spent.values()];
  }

  #fedTensors(feeds: Feeds): ReadonlyMap<string, TfjsDeviceTensor> {
    const fed = new Map<string, TfjsDeviceTensor>();
    for (const [name, feed] of Object.entries(feeds)) {
      if ("data" in feed) continue;
      const tensor = this.#ownTensor(feed, `feed "${name}"`);
      tensor.handle(`feed "${name}" of "${this.#parts.label}"`);
      fed.set(name, tensor);
    }
    return fed;
  }

  #checkInto(into: Into, binding: DimBinding): ReadonlyMap<string, TfjsDeviceTensor> {
    const { graph } = this.#parts;
    const targets = new Map<string, TfjsDeviceTensor>();
    for (const [name, given] of Object.entries(into)) {
      const what = `into "${name}"`;
      const target = this.#ownTensor(given, what);
      target.handle(what);
      const { dtype, shape } = typeOf(graph.outputs[name]!);
      checkSameType(what, { dtype, shape: evaluateShape(shape, binding) }, target);
      if ([...targets.values()].includes(target)) {
        throw new BackendError(
          `backend-tfjs/run: ${what}: expected a tensor of its own, got one that another output is written into. Give each output its own.`,
        );
      }
      targets.set(name, target);
    }
    return targets;
  }

  #ownTensor(tensor: DeviceTensor, what: string): TfjsDeviceTensor {
    if (tensor instanceof TfjsDeviceTensor && tensor.isOf(this.#parts.live)) return tensor;
    throw new BackendError(
      `backend-tfjs/run: ${what}: expected a tensor of this backend, got one of another. Read it and upload it here.`,
    );
  }

  #collect(values: SlotValues, targets: ReadonlyMap<string, TfjsDeviceTensor>): Outputs {
    const { plan, device, graph, live } = this.#parts;
    // Aliases first: taking empties a slot.
    const aliases = new Map(
      plan.outputs.flatMap(({ name, slot, take }) =>
        take ? [] : [[name, device.alias(values.get(slot))] as const],
      ),
    );
    const results: Outputs = {};
    for (const { name, slot } of plan.outputs) {
      const handle = aliases.get(name) ?? values.take(slot);
      const target = targets.get(name);
      target?.replace(handle);
      const { dtype } = typeOf(graph.outputs[name]!);
      results[name] =
        target ?? new TfjsDeviceTensor({ dtype, shape: handle.shape }, handle, { device, live });
    }
    return Object.freeze(results);
  }
}

function disposedError(label: string): BackendError {
  return new BackendError(
    `backend-tfjs/run: executable "${label}": expected it live, got it disposed. Run before dispose().`,
  );
}

/** Copies of the host feeds on the device, by input. */
function stageFeeds(feeds: Feeds, device: Device): ReadonlyMap<string, Handle> {
  const staged = new Map<string, Handle>();
  for (const [name, feed] of Object.entries(feeds))
    if ("data" in feed) staged.set(name, device.upload(feed satisfies HostTensor));
  return staged;
}

/** Under how many names each tensor is fed. */
function timesFed(
  fed: ReadonlyMap<string, TfjsDeviceTensor>,
): ReadonlyMap<TfjsDeviceTensor, number> {
  const times = new Map<TfjsDeviceTensor, number>();
  for (const tensor of fed.values()) times.set(tensor, (times.get(tensor) ?? 0) + 1);
  return times;
}

/** The device tensors that a run reads or writes. */
function involvedTensors(feeds: Feeds, into: Into): readonly TfjsDeviceTensor[] {
  const given = [...Object.values(feeds), ...Object.values(into)];
  return given.filter((tensor) => tensor instanceof TfjsDeviceTensor);
}

/** After a run that failed: what was not freed yet is its owner's again. */
function restoreSpent(spent: readonly SpentTensor[], values: SlotValues): void {
  for (const { tensor, handle, slot } of spent) {
    if (slot !== undefined && !values.owns(slot)) continue;
    if (slot !== undefined) values.set(slot, handle, false);
    tensor.restore();
  }
}

/** @throws BackendError when the device failed behind the calls' back. */
function checkDevice(device: Device, label: string): void {
  const failure = device.takeFailure?.();
  if (failure === undefined) return;
  throw new BackendError(
    `backend-tfjs/run: "${label}": expected a working device, got: ${failure}`,
  );
}
