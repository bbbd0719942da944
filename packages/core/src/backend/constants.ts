/** Inputs whose values are known when a graph is compiled: they are not fed. */
import { BackendError } from "../errors.js";
import { inputName, type Graph } from "../graph/graph.js";
import { typeOf } from "../graph/node.js";
import type { HostTensor } from "../tensor/host-tensor.js";
import { equalShapes, formatShape } from "../tensor/shape.js";

/** Values by input name; names that a graph has not are passed over. */
export type Constants = ReadonlyMap<string, HostTensor>;

/**
 * The graph without the inputs that have constants.
 *
 * @param where Starts the error: `package/compile`.
 * @throws BackendError on a constant of another type.
 */
export function withoutConstants(
  graph: Graph,
  constants: Constants,
  { where, label }: { readonly where: string; readonly label: string },
): Graph {
  const inputs = graph.inputs.filter((value) => {
    const name = inputName(value.node);
    const constant = constants.get(name);
    if (!constant) return true;
    const { dtype, shape } = typeOf(value);
    if (constant.dtype === dtype && equalShapes(shape, constant.shape)) return false;
    throw new BackendError(
      `${where}: constant "${name}" of "${label}": expected ${dtype}${formatShape(shape)}, got ${constant.dtype}${formatShape(constant.shape)}. Load the parameters of this model.`,
    );
  });
  return { ...graph, inputs };
}
