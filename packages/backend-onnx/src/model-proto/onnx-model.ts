/** An ONNX model as plain data: the part of onnx.proto that a lowered graph needs. */

/** Element types, with onnx.proto's numbers. */
export const ONNX_TYPE_NUMBERS = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
} as const;

export type OnnxDtype = keyof typeof ONNX_TYPE_NUMBERS;

/** A constant: row-major little-endian bytes. */
export interface OnnxTensor {
  readonly name: string;
  readonly dtype: OnnxDtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  /** Where the bytes lie in a file beside the model; `bytes` is then not written. */
  readonly external?: { readonly location: string; readonly offset: number };
}

/** Value of a node's attribute. A plain number is an int64; a float says so. */
export type OnnxAttribute =
  | number
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | string
  | readonly number[];

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  /** Empty for standard ops. */
  readonly domain: string;
  /** Names; an empty one is an absent optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** Type of a graph's input or output. A text in `shape` is a symbolic size. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly dtype: OnnxDtype;
  readonly shape: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly name: string;
  /** Operands before their readers. */
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  /** Types of values between, where shape inference would lose them. */
  readonly values: readonly OnnxValueInfo[];
}

export interface OnnxModel {
  /** Version of the standard operator set. */
  readonly opset: number;
  readonly graph: OnnxGraph;
  /** Free text by key, kept with the model. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Domain of ONNX Runtime's own operators. */
export const CONTRIB_DOMAIN = "com.microsoft";
