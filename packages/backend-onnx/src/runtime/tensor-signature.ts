/** What a model says of its inputs and outputs, and the check of tensors against it. */
import { BackendError } from "@diptych/core";
import { printTensorType } from "./element-type.js";
import type { OrtDtype, OrtTensor } from "./ort-runtime.js";

/** One input or output of a model. */
export interface TensorSignature {
  readonly name: string;
  readonly dtype: OrtDtype;
  /** Sizes; null is one that the model leaves open. */
  readonly shape: readonly (number | null)[];
}

/** The names of one side of a session, and how a tensor of that side is found. */
export interface TensorLookup<Found> {
  readonly label: string;
  readonly kind: "input" | "output";
  readonly signatures: readonly TensorSignature[];
  find(tensor: OrtTensor, name: string): Found;
}

/**
 * What is found for each signature, in order; null where `given` has no such name.
 * @throws BackendError for an unknown name, a wrong dtype or shape.
 */
export function findOutputs<Found>(
  lookup: TensorLookup<Found>,
  given: ReadonlyMap<string, OrtTensor>,
): (Found | null)[] {
  let count = 0;
  const found = lookup.signatures.map((signature) => {
    const tensor = given.get(signature.name);
    if (tensor === undefined) return null;
    count += 1;
    checkFit(lookup, signature, tensor);
    return lookup.find(tensor, signature.name);
  });
  if (count !== given.size) throw unknownName(lookup, given);
  return found;
}

/** As `findOutputs`, but none may be missing. */
export function findInputs<Found>(
  lookup: TensorLookup<Found>,
  given: ReadonlyMap<string, OrtTensor>,
): Found[] {
  return findOutputs(lookup, given).map((found, index) => {
    if (found !== null) return found;
    throw new BackendError(
      `backend-onnx/run: inputs of "${lookup.label}": expected one named "${lookup.signatures[index]?.name}", ` +
        `got ${listNames(given.keys())}. Add it to the map.`,
    );
  });
}

function checkFit<Found>(
  { label, kind }: TensorLookup<Found>,
  signature: TensorSignature,
  tensor: OrtTensor,
): void {
  const { dtype, shape } = signature;
  const isFitting =
    tensor.dtype === dtype &&
    tensor.shape.length === shape.length &&
    shape.every((size, axis) => size === null || size === tensor.shape[axis]);
  if (isFitting) return;
  throw new BackendError(
    `backend-onnx/run: ${kind} "${signature.name}" of "${label}": expected ${printTensorType(dtype, shape)}, ` +
      `got ${printTensorType(tensor.dtype, tensor.shape)}. Allocate it with the shape and dtype that the graph was compiled for.`,
  );
}

function unknownName<Found>(
  lookup: TensorLookup<Found>,
  given: ReadonlyMap<string, unknown>,
): BackendError {
  const known = new Set(lookup.signatures.map(({ name }) => name));
  const unknown = Array.from(given.keys()).filter((name) => !known.has(name));
  return new BackendError(
    `backend-onnx/run: ${lookup.kind}s of "${lookup.label}": expected names among ${listNames(known)}, ` +
      `got ${listNames(unknown)}. Remove or rename it.`,
  );
}

function listNames(names: Iterable<string>): string {
  const quoted = Array.from(names, (name) => `"${name}"`);
  const shown = quoted.slice(0, 8).join(", ") || "none";
  return quoted.length > 8 ? `${shown} and ${quoted.length - 8} more` : shown;
}
