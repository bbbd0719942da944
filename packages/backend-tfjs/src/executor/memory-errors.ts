/** What is said when an engine runs out of memory: which tensors of the run are the largest, and what to do. */
import { BackendError, BYTES_PER_ELEMENT, elementCount, type Node } from "@diptych/core";
import type { BoundStep } from "./bound-plan.js";
import type { ConcreteType, Device } from "./device.js";

/** How many tensors are named. */
const NAMED = 3;

const bytesOf = ({ shape, dtype }: ConcreteType): number =>
  elementCount(shape) * BYTES_PER_ELEMENT[dtype];

/** An op and where in the model it was built. */
export function nodeName({ op, origin }: Node): string {
  return origin === "" ? op : `${op} at ${origin}`;
}

/** Whether an engine's message is about memory. */
export function isMemoryError(message: string): boolean {
  return /out of memory|\bOOM\b|alloc|resource ?exhausted|array buffer|invalid typed array length/i.test(
    message,
  );
}

/** The largest tensors of a run, and what makes them smaller. */
export function memoryRemedy(steps: readonly BoundStep[]): string {
  const all = steps.flatMap(({ node, types }) => types.map((type) => ({ node, type })));
  const largest = all.sort((a, b) => bytesOf(b.type) - bytesOf(a.type)).slice(0, NAMED);
  const named = largest.map(
    ({ node, type }) =>
      `${type.dtype}[${type.shape.join(", ")}] of ${nodeName(node)} (${Math.ceil(bytesOf(type) / 2 ** 20)} MiB)`,
  );
  return `Its largest tensors are ${named.join(", ")}. Take a smaller batch or micro-batch.`;
}

/** For an engine that would write past its memory rather than fail. @throws BackendError where a step does not fit. */
export function checkMemory(
  { node, types }: BoundStep,
  steps: readonly BoundStep[],
  { device, label }: { readonly device: Device; readonly label: string },
): void {
  if (device.memoryLimit === undefined) return;
  const wanted = types.reduce((total, type) => total + bytesOf(type), 0);
  const { bytes } = device.usage();
  if (bytes + wanted <= device.memoryLimit) return;
  throw new BackendError(
    `backend-tfjs/run: ${nodeName(node)} of "${label}": expected room for ${wanted} bytes beside the ${bytes} in use, got an engine that holds ${device.memoryLimit} (out of memory). ${memoryRemedy(steps)}`,
  );
}
