/** Replaces a composite node by its decomposition, also inside decompositions. */
import type { Node, Value } from "../graph/node.js";
import { atOrigin } from "../graph/origin.js";
import { rewriteValues } from "../graph/traverse.js";
import { opDef } from "./op-table.js";

/** The node's outputs from primitives and from composites that `keep` accepts; undefined when the node itself stays. */
export function expandComposite(
  node: Node,
  inputs: readonly Value[],
  keep: (op: string, node: Node) => boolean,
): readonly Value[] | undefined {
  const def = opDef(node.op);
  if (def.kind === "primitive" || keep(node.op, node)) return undefined;
  const parts = atOrigin(node.origin, node.recompute, () => def.decompose(inputs, node.attrs));
  // The operands are final: only what the decomposition added is looked at again.
  const boundary = new Set(inputs.map((value) => value.node));
  return parts.map(
    rewriteValues(parts, (inner, operands) => expandComposite(inner, operands, keep), boundary),
  );
}
