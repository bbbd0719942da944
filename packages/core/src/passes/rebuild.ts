/** Rebuilding a node over other operands or attributes: its types are inferred anew, its origin kept. */
import { buildNode } from "../graph/builder.js";
import type { Attrs, Node, Value } from "../graph/node.js";
import { atOrigin } from "../graph/origin.js";
import { opDef } from "../ops/op-table.js";

export function rebuildNode(
  node: Node,
  inputs: readonly Value[],
  attrs: Attrs = node.attrs,
): readonly Value[] {
  return atOrigin(node.origin, node.recompute, () => buildNode(opDef(node.op), inputs, attrs));
}
