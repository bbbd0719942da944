/**
 * Collects the nodes and constants of one lowered graph. Equal constants and equal size computations are made once.
 * Values are names; a lowering asks for nodes and gets the names of their results.
 */
import {
  hostBytes,
  hostTensorFrom,
  InternalError,
  isSymbolic,
  type DType,
  type HostTensor,
  type Shape,
} from "@diptych/core";
import type {
  OnnxAttribute,
  OnnxDtype,
  OnnxNode,
  OnnxTensor,
  OnnxValueInfo,
} from "../model-proto/onnx-model.js";
import type { LoweringTarget } from "./target.js";

/** A value of the ONNX graph. Names made here start with a slash, which no parameter's does. */
export type Name = string;

export type OnnxAttributes = Readonly<Record<string, OnnxAttribute>>;

export interface OnnxBuilder {
  readonly target: LoweringTarget;
  /** A node with one result. */
  node(op: string, inputs: readonly Name[], attributes?: OnnxAttributes, domain?: string): Name;
  /** A node with several results. */
  nodes(
    op: string,
    inputs: readonly Name[],
    attributes: OnnxAttributes,
    outputs: number,
  ): readonly Name[];
  /** The graph input of this name. */
  input(name: string): Name;
  constant(tensor: HostTensor): Name;
  /** A scalar constant. */
  scalar(dtype: DType, value: number): Name;
  /** An int64 vector. */
  ints(values: readonly number[]): Name;
  /** The value made for `key` before, or a new one. */
  share(key: string, make: () => Name): Name;
  /** Tells a value's type where ONNX Runtime cannot infer it. */
  declare(value: Name, dtype: DType, shape: Shape): void;
  /** Names of the nodes made from now on start with this. */
  setPrefix(prefix: string): void;
  built(): BuiltNodes;
}

/** What a builder has collected. */
export interface BuiltNodes {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly values: readonly OnnxValueInfo[];
}

/** Constants up to this many bytes are compared by content. */
const SHARED_CONSTANT_BYTES = 1024;

export function onnxShape(shape: Shape): readonly (number | string)[] {
  return shape.map((dim) => (isSymbolic(dim) ? dim.key : dim));
}

function int64Bytes(values: readonly number[]): Uint8Array {
  return new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
}

/** @param inputs ONNX name of each graph input. */
export function createOnnxBuilder(
  target: LoweringTarget,
  inputs: ReadonlyMap<string, Name>,
): OnnxBuilder {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const values: OnnxValueInfo[] = [];
  const shared = new Map<string, Name>();
  let prefix = "";
  let valueCount = 0;
  let nodeCount = 0;

  const share = (key: string, make: () => Name): Name => {
    const found = shared.get(key) ?? make();
    shared.set(key, found);
    return found;
  };

  const addInitializer = (dtype: OnnxDtype, shape: readonly number[], bytes: Uint8Array): Name => {
    const add = (): Name => {
      const name = `/const${initializers.length}`;
      initializers.push({ name, dtype, shape, bytes });
      return name;
    };
    if (bytes.length > SHARED_CONSTANT_BYTES) return add();
    return share(`${dtype}[${shape.join(",")}]${Buffer.from(bytes).toString("base64")}`, add);
  };

  const addNode = (
    op: string,
    operands: readonly Name[],
    attributes: OnnxAttributes,
    { domain = "", outputs = 1 },
  ): readonly Name[] => {
    const results = Array.from({ length: outputs }, () => `/v${valueCount++}`);
    nodes.push({
      name: `${prefix}.${nodeCount++}`,
      op,
      domain,
      inputs: operands,
      outputs: results,
      attributes,
    });
    return results;
  };

  const node: OnnxBuilder["node"] = (op, operands, attributes = {}, domain = "") => {
    const [result] = addNode(op, operands, attributes, { domain });
    if (result === undefined)
      throw new InternalError(`backend-onnx/lowering: ${op}: expected one result, got none.`);
    return result;
  };

  return {
    target,
    node,
    nodes: (op, operands, attributes, outputs) => addNode(op, operands, attributes, { outputs }),
    input: (name) => {
      const found = inputs.get(name);
      if (found === undefined)
        throw new InternalError(
          `backend-onnx/lowering: input "${name}": expected it among the graph's inputs.`,
        );
      return found;
    },
    constant: (tensor) => addInitializer(tensor.dtype, tensor.shape, hostBytes(tensor)),
    scalar: (dtype, value) =>
      addInitializer(dtype, [], hostBytes(hostTensorFrom(dtype, [], [value]))),
    ints: (numbers) => addInitializer("int64", [numbers.length], int64Bytes(numbers)),
    share,
    declare: (name, dtype, shape) => values.push({ name, dtype, shape: onnxShape(shape) }),
    setPrefix: (next) => {
      prefix = next;
    },
    built: () => ({ nodes, initializers, values }),
  };
}
