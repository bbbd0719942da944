/**
 * int8 as a rewrite of a lowered model. Products with a constant matrix: the matrix in int8 with a scale per column, the
 * other operand quantised per tensor in every run (DynamicQuantizeLinear, uint8), the sum in int32. Tables that are looked up (embeddings): int8 with
 * a scale per row. All else (attention's own products, norms, softmax, activations, convolutions) stays float32.
 */
import { bytesOf, floatsOf, foldConstants, withoutUnread } from "../model-proto/fold-constants.js";
import {
  CONTRIB_DOMAIN,
  ONNX_TYPE_NUMBERS,
  type OnnxDtype,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
} from "../model-proto/onnx-model.js";
import { quantizeColumns, quantizeRows, REDUCED_LEVELS, WIDE_LEVELS } from "./quantize-weight.js";

export interface QuantizeOptions {
  /**
   * Weights in 7 bits: for x86 processors without VNNI, whose sums of two 8-bit products saturate at 16 bits. Costs half
   * of the weights' resolution.
   */
  readonly reduceRange: boolean;
  /** Whether com.microsoft's fused operators may be used. */
  readonly contrib: boolean;
  /**
   * Whether filters of convolutions are stored in int8, with a scale per output channel, and widened when the model is
   * loaded: a smaller file, at float32's speed.
   */
  readonly filters?: boolean;
}

/** Matrices and tables of fewer entries stay float32: they cost nothing. */
const SMALLEST = 2048;

/** The graph with its constant matrices and tables in int8. */
export function quantizeGraph(given: OnnxGraph, options: QuantizeOptions): OnnxGraph {
  const graph = foldConstants(given);
  const rewrite = createRewrite(graph, options);
  for (const node of graph.nodes) {
    if (rewrite.absorbed.has(node)) continue;
    const replaced = quantizeProduct(node, rewrite) ??
      quantizeLookup(node, rewrite) ??
      (options.filters ? quantizeFilter(node, rewrite) : undefined) ?? [node];
    rewrite.nodes.push(...replaced);
  }
  return withoutUnread({
    ...graph,
    nodes: rewrite.nodes,
    initializers: [...graph.initializers, ...rewrite.initializers],
  });
}

interface Rewrite extends QuantizeOptions {
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  readonly readers: ReadonlyMap<string, readonly OnnxNode[]>;
  readonly outputs: ReadonlySet<string>;
  readonly nodes: OnnxNode[];
  readonly initializers: OnnxTensor[];
  /** Nodes that another one computes as well. */
  readonly absorbed: Set<OnnxNode>;
  /** Values that are quantised already: codes, scale and zero point. */
  readonly quantized: Map<string, readonly [string, string, string]>;
}

function createRewrite(graph: OnnxGraph, options: QuantizeOptions): Rewrite {
  const readers = new Map<string, OnnxNode[]>();
  for (const node of graph.nodes) {
    for (const name of node.inputs) {
      const found = readers.get(name);
      if (found) found.push(node);
      else readers.set(name, [node]);
    }
  }
  return {
    ...options,
    constants: new Map(graph.initializers.map((tensor) => [tensor.name, tensor])),
    readers,
    outputs: new Set(graph.outputs.map(({ name }) => name)),
    nodes: [],
    initializers: [],
    absorbed: new Set(),
    quantized: new Map(),
  };
}

function addTensor(
  { initializers }: Rewrite,
  name: string,
  tensor: { dtype: OnnxDtype; shape: readonly number[]; values: ArrayBufferView },
): string {
  const { dtype, shape, values } = tensor;
  initializers.push({ name, dtype, shape, bytes: bytesOf(values) });
  return name;
}

interface Product {
  readonly weight: OnnxTensor;
  readonly rows: number;
  readonly columns: number;
  readonly transposed: boolean;
}

/** A product with a constant matrix on the right, without anything that the integer product has not. */
function productOf(node: OnnxNode, { constants }: Rewrite): Product | undefined {
  const { op, inputs, attributes } = node;
  const weight = constants.get(inputs[1] ?? "");
  if (weight?.dtype !== "float32" || weight.shape.length !== 2) return undefined;
  const [first = 0, second = 0] = weight.shape;
  if (first * second < SMALLEST) return undefined;
  if (op === "MatMul") return { weight, rows: first, columns: second, transposed: false };
  if (op !== "Gemm" || inputs.length > 2 || attributes["transA"] === 1) return undefined;
  const transposed = attributes["transB"] === 1;
  const [rows, columns] = transposed ? [second, first] : [first, second];
  return { weight, rows, columns, transposed };
}

function quantizeProduct(node: OnnxNode, rewrite: Rewrite): readonly OnnxNode[] | undefined {
  const product = productOf(node, rewrite);
  const [x = "", , ...rest] = node.inputs;
  const [y = ""] = node.outputs;
  if (!product || rest.length > 0) return undefined;
  const { weight, rows, columns } = product;
  const levels = rewrite.reduceRange ? REDUCED_LEVELS : WIDE_LEVELS;
  const { codes, scales } = quantizeColumns(floatsOf(weight), product, levels);
  const codesName = addTensor(rewrite, `${y}.weight`, {
    dtype: "int8",
    shape: [rows, columns],
    values: codes,
  });
  const scalesName = addTensor(rewrite, `${y}.weightScales`, {
    dtype: "float32",
    shape: [columns],
    values: scales,
  });
  const [quantize, [xCodes, xScale, xZero]] = quantizedOperand(x, node.name, rewrite);
  if (rewrite.contrib) {
    const bias = absorbBias(y, columns, rewrite);
    const operands = [xCodes, codesName, xScale, scalesName, xZero];
    const fused = bias ? [...operands, "", bias.name] : operands;
    return [
      ...quantize,
      made(node, "MatMulIntegerToFloat", fused, {
        outputs: [bias?.result ?? y],
        domain: CONTRIB_DOMAIN,
      }),
    ];
  }
  // In the order in which ONNX Runtime's own fusion looks for them.
  return [
    ...quantize,
    made(node, "MatMulInteger", [xCodes, codesName, xZero], { outputs: [`${y}.sums`] }),
    made(node, "Cast", [`${y}.sums`], {
      outputs: [`${y}.floats`],
      attributes: { to: ONNX_TYPE_NUMBERS.float32 },
    }),
    made(node, "Mul", [xScale, scalesName], { outputs: [`${y}.factor`] }),
    made(node, "Mul", [`${y}.floats`, `${y}.factor`], { outputs: [y] }),
  ];
}

/** A node beside or instead of `node`, under a name that says which one. */
function made(
  node: OnnxNode,
  op: string,
  inputs: readonly string[],
  {
    outputs,
    domain = "",
    attributes = {},
  }: Pick<OnnxNode, "outputs"> & Partial<Pick<OnnxNode, "domain" | "attributes">>,
): OnnxNode {
  return { name: `${node.name}.${outputs[0] ?? op}`, op, domain, inputs, outputs, attributes };
}

/** The operand in 8 bits, once for all its readers. */
function quantizedOperand(
  x: string,
  reader: string,
  { quantized }: Rewrite,
): readonly [readonly OnnxNode[], readonly [string, string, string]] {
  const known = quantized.get(x);
  if (known) return [[], known];
  const names = [`${x}.codes`, `${x}.scale`, `${x}.zero`] as const;
  quantized.set(x, names);
  const node: OnnxNode = {
    name: `${reader}.quantize`,
    op: "DynamicQuantizeLinear",
    domain: "",
    inputs: [x],
    outputs: names,
    attributes: {},
  };
  return [[node], names];
}

/** The bias that is added to a product and to nothing else, whose sum takes the product's place. */
function absorbBias(
  product: string,
  columns: number,
  { readers, constants, outputs, absorbed }: Rewrite,
): { readonly name: string; readonly result: string } | undefined {
  const [reader, other] = readers.get(product) ?? [];
  if (!reader || other || reader.op !== "Add" || outputs.has(product)) return undefined;
  const name = reader.inputs.find((input) => input !== product) ?? "";
  const bias = constants.get(name);
  const [result] = reader.outputs;
  if (bias?.dtype !== "float32" || bias.shape.length !== 1 || bias.shape[0] !== columns)
    return undefined;
  if (result === undefined) return undefined;
  absorbed.add(reader);
  return { name, result };
}

/** Rows of a constant table: codes and scales are looked up, and multiplied. */
function quantizeLookup(node: OnnxNode, rewrite: Rewrite): readonly OnnxNode[] | undefined {
  const [table = "", ids = ""] = node.inputs;
  const [y = ""] = node.outputs;
  const values = rewrite.constants.get(table);
  if (node.op !== "Gather" || node.attributes["axis"] !== 0) return undefined;
  if (values?.dtype !== "float32" || values.shape.length !== 2) return undefined;
  const [rows = 0, width = 0] = values.shape;
  if (rows * width < SMALLEST) return undefined;
  const { codes, scales } = quantizeRows(floatsOf(values), rows);
  const codesName = addTensor(rewrite, `${y}.table`, {
    dtype: "int8",
    shape: [rows, width],
    values: codes,
  });
  const scalesName = addTensor(rewrite, `${y}.tableScales`, {
    dtype: "float32",
    shape: [rows, 1],
    values: scales,
  });
  const { attributes } = node;
  const [chosen, floats, scale] = [`${y}.row`, `${y}.rowFloats`, `${y}.rowScale`];
  return [
    made(node, "Gather", [codesName, ids], { outputs: [chosen], attributes }),
    made(node, "Cast", [chosen], {
      outputs: [floats],
      attributes: { to: ONNX_TYPE_NUMBERS.float32 },
    }),
    made(node, "Gather", [scalesName, ids], { outputs: [scale], attributes }),
    made(node, "Mul", [floats, scale], { outputs: [y] }),
  ];
}

/** The filter of a convolution, [outChannels, …], from int8. */
function quantizeFilter(node: OnnxNode, rewrite: Rewrite): readonly OnnxNode[] | undefined {
  const [x = "", filter = "", ...rest] = node.inputs;
  const values = rewrite.constants.get(filter);
  if (node.op !== "Conv" || values?.dtype !== "float32") return undefined;
  const [outChannels = 0] = values.shape;
  if (values.bytes.byteLength / 4 < SMALLEST) return undefined;
  const { codes, scales } = quantizeRows(floatsOf(values), outChannels);
  const { shape } = values;
  const each = [outChannels, ...shape.slice(1).map(() => 1)];
  const [y = ""] = node.outputs;
  const codesName = addTensor(rewrite, `${y}.filter`, { dtype: "int8", shape, values: codes });
  const scalesName = addTensor(rewrite, `${y}.filterScales`, {
    dtype: "float32",
    shape: each,
    values: scales,
  });
  const [floats, wide] = [`${y}.filterFloats`, `${y}.filterWide`];
  return [
    made(node, "Cast", [codesName], {
      outputs: [floats],
      attributes: { to: ONNX_TYPE_NUMBERS.float32 },
    }),
    made(node, "Mul", [floats, scalesName], { outputs: [wide] }),
    { ...node, inputs: [x, wide, ...rest] },
  ];
}
