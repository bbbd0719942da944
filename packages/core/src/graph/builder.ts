/** The one place where nodes are made: runs the op's shape rule and freezes the result. Building never merges nodes. */
import { ShapeError } from "../errors.js";
import type { Attrs, Node, Value } from "./node.js";
import type { OpDef } from "./op-def.js";
import { originNow, recomputeNow } from "./origin.js";

/** All outputs of a new node. */
export function buildNode<A extends Attrs>(
  def: OpDef<A>,
  inputs: readonly Value[],
  attrs: A,
): readonly Value[] {
  const types = def.infer(
    inputs.map((value) => {
      const type = value.node.outputs[value.index];
      if (!type)
        throw new ShapeError(
          `core/${def.name}: input: expected an existing output, got index ${value.index}.`,
        );
      return type;
    }),
    attrs,
  );
  const node: Node = Object.freeze({
    op: def.name,
    inputs: Object.freeze([...inputs]),
    attrs: Object.freeze({ ...attrs }),
    outputs: Object.freeze(types.map((type) => Object.freeze({ ...type }))),
    origin: originNow(),
    recompute: recomputeNow(),
  });
  return nodeValues(node);
}

/** The only output of a new node. */
export function buildValue<A extends Attrs>(
  def: OpDef<A>,
  inputs: readonly Value[],
  attrs: A,
): Value {
  const [value] = buildNode(def, inputs, attrs);
  if (!value) throw new ShapeError(`core/${def.name}: outputs: expected one, got none.`);
  return value;
}

const valuesOf = new WeakMap<Node, readonly Value[]>();

/** The values of a node: the same objects each time, so that identity can be used as a key. */
export function nodeValues(node: Node): readonly Value[] {
  let values = valuesOf.get(node);
  if (!values) {
    values = Object.freeze(node.outputs.map((_, index) => Object.freeze({ node, index })));
    valuesOf.set(node, values);
  }
  return values;
}
