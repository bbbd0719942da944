/** Booleans where kernels that move entries do not take them: moved as float32 between two casts, which keeps 0 and 1. */
import type { Attrs, ValueType } from "@diptych/core";
import { ONNX_TYPE_NUMBERS } from "../model-proto/onnx-model.js";
import type { LoweredNode, Lowering } from "./lowering.js";

/** Ops of which some kernel takes no booleans. */
const MOVES: ReadonlySet<string> = new Set([
  "reshape",
  "transpose",
  "broadcast",
  "slice",
  "pad",
  "concat",
  "take",
  "takeAlong",
  "after",
]);

function widened(type: ValueType): ValueType {
  return type.dtype === "bool" ? { ...type, dtype: "float32" } : type;
}

/** The lowering as it is, or with float32 in place of booleans where the target's kernels do not take them. */
export function withWideBools(op: string, lowering: Lowering): Lowering {
  return (node, context) => {
    const { onnx } = context;
    const isBool = node.outputTypes.some(({ dtype }) => dtype === "bool");
    if (onnx.target.integerKernels || !MOVES.has(op) || !isBool) return lowering(node, context);
    const wide: LoweredNode<Attrs> = {
      attrs: node.attrs,
      inputs: node.inputs.map((name, i) =>
        node.inputTypes[i]?.dtype === "bool"
          ? onnx.node("Cast", [name], { to: ONNX_TYPE_NUMBERS.float32 })
          : name,
      ),
      inputTypes: node.inputTypes.map(widened),
      outputTypes: node.outputTypes.map(widened),
    };
    return [lowering(wide, context)]
      .flat()
      .map((result) => onnx.node("Cast", [result], { to: ONNX_TYPE_NUMBERS.bool }));
  };
}
