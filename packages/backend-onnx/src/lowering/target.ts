/** What a lowered model may contain: the operator set, and whether ONNX Runtime's own operators may stand in it. */
import type { CompositeName } from "@diptych/core/backend";

export interface LoweringTarget {
  /** Version of ONNX's standard operator set; at least 18. */
  readonly opset: number;
  /** Whether com.microsoft's operators (FusedMatMul, QuickGelu) may be used. */
  readonly contrib: boolean;
  /** Channels in a block of the blocked convolutions that may be used; 0: none. */
  readonly channelBlock: number;
  /** Whether ops on 16-bit floats stay so; else they compute in float32 between two casts. */
  readonly narrowFloats: boolean;
  /** Composites that reach the lowering as they are. */
  readonly composites: ReadonlySet<CompositeName>;
}

/** Composites that ONNX Runtime's CPU provider computes faster, or as exactly in fewer passes, than their parts. */
const CPU_COMPOSITES: readonly CompositeName[] = [
  "mean",
  "softmax",
  "logSoftmax",
  "relu",
  "gelu",
  "geluTanh",
  "quickGelu",
  "layerNorm",
  "batchNorm",
  "l2Normalize",
  "avgPool2d",
];

/** ONNX Runtime's CPU provider. */
export const CPU_TARGET: LoweringTarget = Object.freeze({
  opset: 20,
  contrib: true,
  channelBlock: 0,
  narrowFloats: false,
  composites: new Set(CPU_COMPOSITES),
});

/** Composites that opset 18 has an operator for, or that lower to its operators in fewer steps than their parts. */
const STANDARD_COMPOSITES: readonly CompositeName[] = [
  "mean",
  "softmax",
  "logSoftmax",
  "relu",
  "layerNorm",
  "l2Normalize",
  "avgPool2d",
];

/** Models for other tools: standard operators of opset 18. */
export const EXPORT_TARGET: LoweringTarget = Object.freeze({
  opset: 18,
  contrib: false,
  channelBlock: 0,
  narrowFloats: true,
  composites: new Set(STANDARD_COMPOSITES),
});
