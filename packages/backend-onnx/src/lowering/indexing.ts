/** Lowerings of indexing. */
import type { PrimitiveAttrs } from "@diptych/core/backend";
import type { Lowering } from "./lowering.js";

const take: Lowering<PrimitiveAttrs["take"]> = ({ attrs, inputs }, { onnx }) =>
  onnx.node("Gather", inputs, { axis: attrs.axis });

const takeAlong: Lowering<PrimitiveAttrs["takeAlong"]> = ({ attrs, inputs }, { onnx }) =>
  onnx.node("GatherElements", inputs, { axis: attrs.axis });

/** Not ScatterND: with repeated indices and more than one thread, ONNX Runtime's loses additions on the CPU. */
const scatterAdd: Lowering<PrimitiveAttrs["scatterAdd"]> = ({ attrs, inputs }, { onnx }) =>
  onnx.node("ScatterElements", inputs, { axis: attrs.axis, reduction: "add" });

export const INDEXING_LOWERINGS = { take, takeAlong, scatterAdd };
