/** Runs the steps of a plan on a device: fills slots, frees each after its last reader, and stops when it is told to. */
import { BackendError, isDiptychError } from "@diptych/core";
import type { BoundStep, BoundSteps } from "./bound-plan.js";
import type { Device, Handle } from "./device.js";
import { checkMemory, isMemoryError, memoryRemedy, nodeName } from "./memory-errors.js";
import type { SlotValues } from "./slot-values.js";

/** How long a run on a synchronous engine may keep the event loop. */
const SLICE_MS = 25;

export interface StepsRun {
  readonly device: Device;
  readonly values: SlotValues;
  readonly label: string;
  readonly signal?: AbortSignal | undefined;
}

/** @throws BackendError naming the op that failed; an AbortError when the signal ends the run. */
export async function runSteps(bound: BoundSteps, run: StepsRun): Promise<void> {
  const { device, values, signal, label } = run;
  const { steps } = bound;
  let sliceEnd = performance.now() + SLICE_MS;
  for (const step of steps) {
    throwIfEnded(signal, label);
    checkMemory(step, steps, run);
    const results = executeStep(step, bound, run);
    step.outputs.forEach((slot, at) => {
      values.set(slot, results[at]!, true);
    });
    for (const slot of step.frees) values.free(slot);
    if (!device.synchronous || performance.now() < sliceEnd) continue;
    await new Promise((resolve) => setImmediate(resolve));
    // Another user of TensorFlow.js may have taken its turn.
    await device.enter();
    sliceEnd = performance.now() + SLICE_MS;
  }
  throwIfEnded(signal, label);
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
  { node, inputs, types }: BoundStep,
  { steps, sizeOf }: BoundSteps,
  { device, values, label }: StepsRun,
): readonly Handle[] {
  try {
    return device.execute({
      node,
      attrs: node.attrs,
      inputs: inputs.map((slot) => values.get(slot)),
      outputs: types,
      sizeOf,
      derive: (index, key, make) => values.derive(inputs[index]!, key, make),
    });
  } catch (error) {
    if (isDiptychError(error)) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const remedy = isMemoryError(message) ? ` ${memoryRemedy(steps)}` : "";
    throw new BackendError(
      `backend-tfjs/run: ${nodeName(node)} of "${label}": ${message}${remedy}`,
      {
        cause: error,
      },
    );
  }
}
