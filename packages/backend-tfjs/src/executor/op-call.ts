/** Reading a call's operands and results, in lowerings of every engine. */
import { InternalError, type Attrs } from "@diptych/core";
import type { ConcreteType, Handle, OpCall } from "./device.js";

/** Operand `index`. */
export function operand<T extends Handle, A extends Attrs>(
  { inputs, node }: OpCall<T, A>,
  index: number,
): T {
  const tensor = inputs[index];
  if (tensor) return tensor;
  throw new InternalError(
    `backend-tfjs/lowering: ${node.op}: expected operand ${index}, got none.`,
  );
}

/** Type of the first result. */
export function resultOf<T extends Handle, A extends Attrs>({
  outputs,
  node,
}: OpCall<T, A>): ConcreteType {
  const [type] = outputs;
  if (type) return type;
  throw new InternalError(`backend-tfjs/lowering: ${node.op}: expected a result, got none.`);
}
