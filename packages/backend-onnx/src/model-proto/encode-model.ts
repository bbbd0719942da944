/** Serialises an ONNX model. Field numbers are those of onnx.proto (github.com/onnx/onnx, onnx/onnx.proto). */
import {
  ONNX_TYPE_NUMBERS,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from "./onnx-model.js";
import {
  bytesField,
  encodedBytes,
  floatField,
  intField,
  intsField,
  joinEncoded,
  messageField,
  stringField,
  type Encoded,
} from "./protobuf.js";

/** AttributeProto.AttributeType. */
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, floats: 6, ints: 7 } as const;

/** The oldest IR version that has the operator set. */
function irVersion(opset: number): number {
  if (opset >= 21) return 10;
  return opset >= 19 ? 9 : 8;
}

function encodeAttribute(name: string, value: OnnxAttribute): Encoded {
  const head = stringField(1, name);
  if (typeof value === "number") {
    return joinEncoded([head, intField(3, value), intField(20, ATTRIBUTE_TYPE.int)]);
  }
  if (typeof value === "string") {
    return joinEncoded([head, stringField(4, value), intField(20, ATTRIBUTE_TYPE.string)]);
  }
  if ("float" in value) {
    return joinEncoded([head, floatField(2, value.float), intField(20, ATTRIBUTE_TYPE.float)]);
  }
  if ("floats" in value) {
    const floats = value.floats.map((item) => floatField(7, item));
    return joinEncoded([head, ...floats, intField(20, ATTRIBUTE_TYPE.floats)]);
  }
  return joinEncoded([head, intsField(8, value), intField(20, ATTRIBUTE_TYPE.ints)]);
}

function encodeNode(node: OnnxNode): Encoded {
  return joinEncoded([
    ...node.inputs.map((name) => stringField(1, name)),
    ...node.outputs.map((name) => stringField(2, name)),
    stringField(3, node.name),
    stringField(4, node.op),
    ...Object.entries(node.attributes).map(([name, value]) =>
      messageField(5, encodeAttribute(name, value)),
    ),
    ...(node.domain === "" ? [] : [stringField(7, node.domain)]),
  ]);
}

function encodeEntry(key: string, value: string): Encoded {
  return joinEncoded([stringField(1, key), stringField(2, value)]);
}

function encodeTensor({ name, dtype, shape, bytes, external }: OnnxTensor): Encoded {
  const data = external
    ? [
        messageField(13, encodeEntry("location", external.location)),
        messageField(13, encodeEntry("offset", String(external.offset))),
        messageField(13, encodeEntry("length", String(bytes.length))),
        intField(14, 1),
      ]
    : [bytesField(9, bytes)];
  return joinEncoded([
    intsField(1, shape),
    intField(2, ONNX_TYPE_NUMBERS[dtype]),
    stringField(8, name),
    ...data,
  ]);
}

function encodeValueInfo({ name, dtype, shape }: OnnxValueInfo): Encoded {
  const dims = shape.map((dim) =>
    messageField(1, typeof dim === "number" ? intField(1, dim) : stringField(2, dim)),
  );
  const tensorType = joinEncoded([
    intField(1, ONNX_TYPE_NUMBERS[dtype]),
    messageField(2, joinEncoded(dims)),
  ]);
  return joinEncoded([stringField(1, name), messageField(2, messageField(1, tensorType))]);
}

function encodeGraph(graph: OnnxGraph): Encoded {
  return joinEncoded([
    ...graph.nodes.map((node) => messageField(1, encodeNode(node))),
    stringField(2, graph.name),
    ...graph.initializers.map((tensor) => messageField(5, encodeTensor(tensor))),
    ...graph.inputs.map((info) => messageField(11, encodeValueInfo(info))),
    ...graph.outputs.map((info) => messageField(12, encodeValueInfo(info))),
    ...graph.values.map((info) => messageField(13, encodeValueInfo(info))),
  ]);
}

function encodeOpset(domain: string, version: number): Encoded {
  return joinEncoded([stringField(1, domain), intField(2, version)]);
}

/** A serialised ModelProto. */
export function encodeModel({ opset, graph, metadata }: OnnxModel): Uint8Array {
  // ONNX Runtime's own domains: all at version 1.
  const domains = [...new Set(graph.nodes.map((node) => node.domain))].filter((d) => d !== "");
  return encodedBytes(
    joinEncoded([
      intField(1, irVersion(opset)),
      stringField(2, "diptych"),
      messageField(7, encodeGraph(graph)),
      messageField(8, encodeOpset("", opset)),
      ...domains.map((domain) => messageField(8, encodeOpset(domain, 1))),
      ...Object.entries(metadata).map(([key, value]) => messageField(14, encodeEntry(key, value))),
    ]),
  );
}
