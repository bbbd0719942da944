/** 16-bit floats: ops that compute do so in float32 between two casts, as most CPU kernels have no 16-bit form. */
import { type Attrs, type DType, type ValueType } from "@diptych/core";
import { ONNX_TYPE_NUMBERS } from "../model-proto/onnx-model.js";
import type { LoweredNode, Lowering } from "./lowering.js";
import type { OnnxBuilder, Name } from "./onnx-builder.js";
import type { LoweringTarget } from "./target.js";

/** Ops whose kernels move, name or cast entries of any dtype (Expand is not among them). */
const ANY_DTYPE: ReadonlySet<string> = new Set([
  "input",
  "parameter",
  "constant",
  "cast",
  "stopGradient",
  "after",
  "reshape",
  "transpose",
  "slice",
  "concat",
  "take",
  "takeAlong",
]);

function isNarrow(dtype: DType): boolean {
  return dtype === "float16" || dtype === "bfloat16";
}

function widened(type: ValueType): ValueType {
  return isNarrow(type.dtype) ? { ...type, dtype: "float32" } : type;
}

function castTo(onnx: OnnxBuilder, value: Name, dtype: DType): Name {
  return onnx.node("Cast", [value], { to: ONNX_TYPE_NUMBERS[dtype] });
}

function hasKernel({ narrowFloats }: LoweringTarget, op: string, dtype: DType): boolean {
  if (typeof narrowFloats === "boolean") return narrowFloats;
  return dtype === "float16" ? narrowFloats.float16.has(op) : narrowFloats.bfloat16.has(op);
}

/** The lowering with casts around it where the node has 16-bit operands or results. */
export function withWideFloats(op: string, lowering: Lowering): Lowering {
  return (node, context) => {
    const types = [...node.inputTypes, ...node.outputTypes];
    const narrow = types.find(({ dtype }) => isNarrow(dtype))?.dtype;
    if (narrow === undefined || ANY_DTYPE.has(op)) return lowering(node, context);
    if (hasKernel(context.onnx.target, op, narrow))
      return lowering(node, { ...context, float: narrow });
    const { onnx } = context;
    const wide: LoweredNode<Attrs> = {
      attrs: node.attrs,
      inputs: node.inputs.map((name, i) =>
        isNarrow(node.inputTypes[i]?.dtype ?? "float32") ? castTo(onnx, name, "float32") : name,
      ),
      inputTypes: node.inputTypes.map(widened),
      outputTypes: node.outputTypes.map(widened),
    };
    const results = [lowering(wide, context)].flat();
    return node.outputTypes.map(({ dtype }, i) => {
      const result = results[i] ?? "";
      return isNarrow(dtype) ? castTo(onnx, result, dtype) : result;
    });
  };
}
