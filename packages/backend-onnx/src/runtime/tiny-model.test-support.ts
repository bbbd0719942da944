/** Just enough protobuf to write small ONNX models for the runtime's tests, independent of the lowering. */
import { elementTypes } from "./element-type.js";
import type { OrtDtype } from "./ort-runtime.js";

export interface TinyTensor {
  readonly name: string;
  /** A string is an open size. */
  readonly shape: readonly (number | string)[];
  readonly dtype?: OrtDtype;
}

export interface TinyNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  /** Integer attributes. */
  readonly attributes?: Readonly<Record<string, number>>;
}

export interface TinyModel {
  readonly nodes: readonly TinyNode[];
  readonly inputs: readonly TinyTensor[];
  readonly outputs: readonly TinyTensor[];
}

/** A serialised ModelProto, IR 8, opset 17 (or `opset`). */
export function encodeTinyModel({ nodes, inputs, outputs }: TinyModel, opset = 17): Uint8Array {
  const graph = [
    ...nodes.map((node) => field(1, encodeNode(node))),
    field(2, text("tiny")),
    ...inputs.map((tensor) => field(11, encodeValue(tensor))),
    ...outputs.map((tensor) => field(12, encodeValue(tensor))),
  ].flat();
  return Uint8Array.from([
    ...number(1, 8),
    ...field(7, graph),
    ...field(8, [...field(1, []), ...number(2, opset)]),
  ]);
}

function encodeNode({ op, inputs, outputs, name, attributes = {} }: TinyNode): number[] {
  return [
    ...inputs.flatMap((input) => field(1, text(input))),
    ...outputs.flatMap((output) => field(2, text(output))),
    ...(name === undefined ? [] : field(3, text(name))),
    ...field(4, text(op)),
    ...Object.entries(attributes).flatMap(([key, value]) =>
      field(5, [...field(1, text(key)), ...number(3, value), ...number(20, 2)]),
    ),
  ];
}

function encodeValue({ name, shape, dtype = "float32" }: TinyTensor): number[] {
  const dims = shape.flatMap((size) =>
    field(1, typeof size === "string" ? field(2, text(size)) : number(1, size)),
  );
  const tensorType = [...number(1, elementTypes[dtype].code), ...field(2, dims)];
  return [...field(1, text(name)), ...field(2, field(1, tensorType))];
}

function field(tag: number, bytes: readonly number[]): number[] {
  return [...varint(tag * 8 + 2), ...varint(bytes.length), ...bytes];
}

function number(tag: number, value: number): number[] {
  return [...varint(tag * 8), ...varint(value)];
}

function text(value: string): number[] {
  return Array.from(new TextEncoder().encode(value));
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}
