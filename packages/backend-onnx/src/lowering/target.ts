/** What a lowered model may contain: the operator set, and whether ONNX Runtime's own operators may stand in it. */
import type { CompositeName } from "@diptych/core/backend";

export interface LoweringTarget {
  /** Version of ONNX's standard operator set; at least 18. */
  readonly opset: number;
  /** Whether com.microsoft's operators (FusedMatMul, QuickGelu) may be used. */
  readonly contrib: boolean;
  /** Channels in a block of the blocked convolutions that may be used; 0: none. */
  readonly channelBlock: number;
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
  composites: new Set(CPU_COMPOSITES),
});

/** Models for other tools: standard operators of opset 18, nothing that hides an intermediate. */
export const EXPORT_TARGET: LoweringTarget = Object.freeze({
  opset: 18,
  contrib: false,
  channelBlock: 0,
  composites: new Set<CompositeName>(),
});
