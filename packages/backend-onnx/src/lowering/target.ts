/** What a lowered model may contain: the operator set, and whether ONNX Runtime's own operators may stand in it. */
import type { CompositeName } from "@diptych/core/backend";

/** Ops of core, beside those that move entries, with kernels for a 16-bit float. */
export interface NarrowKernels {
  readonly float16: ReadonlySet<string>;
  readonly bfloat16: ReadonlySet<string>;
}

export interface LoweringTarget {
  /** Version of ONNX's standard operator set; at least 18. */
  readonly opset: number;
  /** Whether com.microsoft's operators (QuickGelu, the 8-bit products) may be used. */
  readonly contrib: boolean;
  /** Whether its FusedMatMul may be, which reads stacks of matrices transposed. */
  readonly fusedMatMul: boolean;
  /** Whether kernels that move entries, and Neg, Abs, And and Or, take int32 and booleans; else they go by floats or sums. */
  readonly integerKernels: boolean;
  /** Whether kernels know products and maxima over no entries; else they are written out. */
  readonly emptyKernels: boolean;
  /** Whether Log of 0 and ReduceMax of −∞ alone are −∞. */
  readonly infinities: boolean;
  /** Whether ConvTranspose is right where it has groups. */
  readonly groupedConvTranspose: boolean;
  /** Channels in a block of the blocked convolutions that may be used; 0: none. */
  readonly channelBlock: number;
  /** Whether ops on 16-bit floats stay so, or which of them do; the others compute in float32 between two casts. */
  readonly narrowFloats: boolean | NarrowKernels;
  /** Composites that reach the lowering as they are. */
  readonly composites: ReadonlySet<CompositeName>;
}

/** Composites that ONNX Runtime's CPU provider computes faster, or as exactly in fewer passes, than their parts. */
const CPU_COMPOSITES: readonly CompositeName[] = [
  "mean",
  "countTrue",
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
  fusedMatMul: true,
  integerKernels: true,
  emptyKernels: true,
  infinities: true,
  groupedConvTranspose: true,
  channelBlock: 0,
  narrowFloats: false,
  composites: new Set(CPU_COMPOSITES),
});

const ARITHMETIC = ["add", "sub", "mul", "div"];

const PRODUCTS = ["matmul", "conv2d", "conv2dInputGradient", "conv2dFilterGradient"];

/** Elementwise ops and softmax: what stands between two products in mixed precision. */
const FLOAT16_KERNELS: ReadonlySet<string> = new Set([
  ...ARITHMETIC,
  ...PRODUCTS,
  ...[
    "neg",
    "abs",
    "exp",
    "sqrt",
    "tanh",
    "sigmoid",
    "erf",
    "relu",
    "gelu",
    "quickGelu",
    "softmax",
  ],
]);

/** Those of the CPU that ONNX Runtime's CUDA provider has kernels for: it multiplies no unsigned bytes. */
const CUDA_COMPOSITES: readonly CompositeName[] = CPU_COMPOSITES.filter(
  (name) => name !== "countTrue",
);

/** Those that its WebGPU provider has kernels for: no LogSoftmax either, no batch norm in training. */
const WEBGPU_COMPOSITES: readonly CompositeName[] = CUDA_COMPOSITES.filter(
  (name) => name !== "logSoftmax" && name !== "batchNorm",
);

/** ONNX Runtime's WebGPU provider. */
export const WEBGPU_TARGET: LoweringTarget = Object.freeze({
  ...CPU_TARGET,
  fusedMatMul: false,
  integerKernels: false,
  emptyKernels: false,
  infinities: false,
  groupedConvTranspose: false,
  narrowFloats: { float16: FLOAT16_KERNELS, bfloat16: new Set<string>() },
  composites: new Set(WEBGPU_COMPOSITES),
});

/** ONNX Runtime's CUDA provider. Its kernels for bfloat16 are few (docs/OperatorKernels.md of ONNX Runtime): products and sums. */
export const CUDA_TARGET: LoweringTarget = Object.freeze({
  ...CPU_TARGET,
  narrowFloats: { float16: FLOAT16_KERNELS, bfloat16: new Set([...ARITHMETIC, "matmul"]) },
  composites: new Set(CUDA_COMPOSITES),
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
  ...CPU_TARGET,
  opset: 18,
  contrib: false,
  fusedMatMul: false,
  narrowFloats: true,
  composites: new Set(STANDARD_COMPOSITES),
});
