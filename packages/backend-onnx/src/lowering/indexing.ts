/** Lowerings of indexing. */
import type { PrimitiveAttrs } from "@diptych/core/backend";
import { ONNX_TYPE_NUMBERS } from "../model-proto/onnx-model.js";
import { operand, type Lowering } from "./lowering.js";
import type { Name } from "./onnx-builder.js";

const take: Lowering<PrimitiveAttrs["take"]> = ({ attrs, inputs }, { onnx }) =>
  onnx.node("Gather", inputs, { axis: attrs.axis });

/** Half of the bits of an int32: both halves are exact in float32. */
const HALF = 2 ** 16;

const takeAlong: Lowering<PrimitiveAttrs["takeAlong"]> = (node, { onnx }) => {
  const { axis } = node.attrs;
  const [x, indices] = [operand(node, 0), operand(node, 1)];
  const gather = (name: Name): Name => onnx.node("GatherElements", [name, indices.name], { axis });
  if (x.dtype !== "int32" || onnx.target.integerKernels) return gather(x.name);
  // By float32 numbers, in two halves.
  const half = onnx.scalar("int32", HALF);
  const high = onnx.node("Div", [x.name, half]);
  const low = onnx.node("Sub", [x.name, onnx.node("Mul", [high, half])]);
  const [taken, rest] = [high, low].map((part) => {
    const moved = gather(onnx.node("Cast", [part], { to: ONNX_TYPE_NUMBERS.float32 }));
    return onnx.node("Cast", [moved], { to: ONNX_TYPE_NUMBERS.int32 });
  });
  return onnx.node("Add", [onnx.node("Mul", [taken ?? "", half]), rest ?? ""]);
};

/** Not ScatterND: with repeated indices and more than one thread, ONNX Runtime's loses additions on the CPU. */
const scatterAdd: Lowering<PrimitiveAttrs["scatterAdd"]> = ({ attrs, inputs }, { onnx }) =>
  onnx.node("ScatterElements", inputs, { axis: attrs.axis, reduction: "add" });

export const INDEXING_LOWERINGS = { take, takeAlong, scatterAdd };
