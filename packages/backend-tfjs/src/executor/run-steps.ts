/** Runs the steps of a plan on a device: fills slots, frees each after its last reader, stops when it is told to. */
import {
  BackendError,
  BYTES_PER_ELEMENT,
  elementCount,
  InternalError,
  isDiptychError,
} from "@diptych/core";
import type { BoundSteps } from "./bound-plan.js";
import type { ConcreteType, Device, Handle } from "./device.js";
import type { Step } from "./graph-plan.js";

/** How long a run on a synchronous engine may keep the event loop. */
const SLICE_MS = 25;

/** What lies in the slots of one run, or of what is resident. */
export class SlotValues {
  readonly #device: Device;
  readonly #handles: (Handle | undefined)[];
  readonly #owned: boolean[];
  readonly #derived = new Map<number, Map<string, Handle>>();
  readonly #base: SlotValues | undefined;

  /** `base`: values of an earlier run that are read here, and stay. */
  constructor(device: Device, slots: number, base?: SlotValues) {
    this.#device = device;
    this.#handles = new Array<Handle | undefined>(slots);
    this.#owned = new Array<boolean>(slots).fill(false);
    this.#base = base;
  }

  /** Puts a handle in a slot; an owned one is freed with the slot. */
  set(slot: number, handle: Handle, owned: boolean): void {
    this.#handles[slot] = handle;
    this.#owned[slot] = owned;
  }

  get(slot: number): Handle {
    const handle = this.#handles[slot];
    if (handle) return handle;
    if (this.#base) return this.#base.get(slot);
    throw new InternalError(`backend-tfjs/run: slot ${slot} is empty.`);
  }

  /** Gives an owned handle away, and leaves the slot empty. */
  take(slot: number): Handle {
    const handle = this.get(slot);
    this.#handles[slot] = undefined;
    this.#freeDerived(slot);
    return handle;
  }

  derive(slot: number, key: string, make: () => Handle): Handle {
    if (!this.#handles[slot] && this.#base) return this.#base.derive(slot, key, make);
    const ofSlot = this.#derived.get(slot) ?? new Map<string, Handle>();
    this.#derived.set(slot, ofSlot);
    const known = ofSlot.get(key);
    if (known) return known;
    const made = make();
    ofSlot.set(key, made);
    return made;
  }

  /** Whether an owned handle lies in the slot. */
  owns(slot: number): boolean {
    return this.#handles[slot] !== undefined && this.#owned[slot] === true;
  }

  free(slot: number): void {
    this.#freeDerived(slot);
    const handle = this.#handles[slot];
    if (handle && this.#owned[slot]) this.#device.free(handle);
    this.#handles[slot] = undefined;
  }

  freeAll(): void {
    for (let slot = 0; slot < this.#handles.length; slot++) this.free(slot);
  }

  #freeDerived(slot: number): void {
    const ofSlot = this.#derived.get(slot);
    if (!ofSlot) return;
    for (const handle of ofSlot.values()) this.#device.free(handle);
    this.#derived.delete(slot);
  }
}

export interface StepsRun {
  readonly device: Device;
  readonly values: SlotValues;
  readonly label: string;
  readonly signal?: AbortSignal | undefined;
}

/** @throws BackendError naming the op that failed; the signal's reason when it ends the run. */
export async function runSteps(bound: BoundSteps, run: StepsRun): Promise<void> {
  const { device, values, signal } = run;
  const { steps, types, sizeOf } = bound;
  let sliceEnd = performance.now() + SLICE_MS;
  for (let i = 0; i < steps.length; i++) {
    throwIfEnded(signal, run.label);
    const step = steps[i]!;
    if (device.memoryLimit !== undefined) checkMemory(bound, i, run, device.memoryLimit);
    const results = executeStep(step, types[i]!, { ...run, sizeOf, bound });
    step.outputs.forEach((slot, at) => {
      values.set(slot, results[at]!, true);
    });
    for (const slot of step.frees) values.free(slot);
    if (device.synchronous && performance.now() > sliceEnd) {
      await new Promise((resolve) => setImmediate(resolve));
      // Another user of TensorFlow.js may have taken its turn.
      await device.enter();
      sliceEnd = performance.now() + SLICE_MS;
    }
  }
  throwIfEnded(signal, run.label);
}

/** @throws an AbortError whatever the signal's reason is, unless that is an error of ours. */
export function throwIfEnded(signal: AbortSignal | undefined, label: string): void {
  if (!signal?.aborted) return;
  const reason: unknown = signal.reason;
  if (isDiptychError(reason)) throw reason;
  const error = new DOMException(
    `backend-tfjs/run: "${label}" was ended before it finished.`,
    "AbortError",
  );
  throw Object.assign(error, { cause: reason });
}

function executeStep(
  { node, inputs }: Step,
  outputs: readonly ConcreteType[],
  {
    device,
    values,
    label,
    sizeOf,
    bound,
  }: StepsRun & Pick<BoundSteps, "sizeOf"> & { readonly bound: BoundSteps },
): readonly Handle[] {
  try {
    return device.execute({
      node,
      attrs: node.attrs,
      inputs: inputs.map((slot) => values.get(slot)),
      outputs,
      sizeOf,
      derive: (index, key, make) => values.derive(inputs[index]!, key, make),
    });
  } catch (error) {
    if (isDiptychError(error)) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const where = `op ${node.op}${node.origin === "" ? "" : ` at ${node.origin}`} of "${label}"`;
    const memory = isMemoryError(message) ? ` ${memoryRemedy(bound)}` : "";
    throw new BackendError(`backend-tfjs/run: ${where}: ${message}.${memory}`, { cause: error });
  }
}

function isMemoryError(message: string): boolean {
  return /out of memory|\boom\b|allocat|resource exhausted|array buffer|invalid typed array length/i.test(
    message,
  );
}

const bytesOf = ({ shape, dtype }: ConcreteType): number =>
  elementCount(shape) * BYTES_PER_ELEMENT[dtype];

/** Where an engine would write past its memory rather than fail. */
function checkMemory(bound: BoundSteps, at: number, run: StepsRun, limit: number): void {
  const wanted = bound.types[at]!.reduce((total, type) => total + bytesOf(type), 0);
  const { bytes } = run.device.usage();
  if (bytes + wanted <= limit) return;
  const { node } = bound.steps[at]!;
  throw new BackendError(
    `backend-tfjs/run: op ${node.op}${node.origin === "" ? "" : ` at ${node.origin}`} of "${run.label}": expected ${wanted} bytes beside the ${bytes} in use, got an engine that holds ${limit}. ${memoryRemedy(bound)}`,
  );
}

/** The largest tensors of a run, and what to do about them. */
export function memoryRemedy({ steps, types }: BoundSteps): string {
  const all = steps.flatMap(({ node }, i) => types[i]!.map((type) => ({ node, type })));
  const largest = all.sort((a, b) => bytesOf(b.type) - bytesOf(a.type)).slice(0, 3);
  const named = largest.map(
    ({ node, type }) =>
      `${node.op}${node.origin === "" ? "" : ` at ${node.origin}`} ${type.dtype}[${type.shape.join(", ")}]`,
  );
  return `The largest tensors are ${named.join("; ")}. Take a smaller micro-batch (training.microBatch).`;
}
