/**
 * imageLayout: pictures as NHWC for backends that want them so. Convolutions and pooling are rebuilt with `layout` NHWC;
 * what lies between them (elementwise ops, reductions, windows) is computed in that order as well, so that transposes
 * stand only where pictures enter and leave. The graph's inputs and outputs stay NCHW, filters OIHW.
 */
import type { BackendCapabilities } from "../contracts/backend.js";
import { createGraph, graphNodes, type Graph } from "../graph/graph.js";
import { rankOf, shapeOf, type Attrs, type Node, type Value } from "../graph/node.js";
import { nodeValues } from "../graph/builder.js";
import { atOrigin } from "../graph/origin.js";
import { withInputs } from "../graph/traverse.js";
import { TO_NCHW, TO_NHWC, toNhwc } from "../ops/primitives/image-axes.js";
import { broadcast, reshape, transpose } from "../ops/primitives/layout.js";
import type { Dim } from "../tensor/dim.js";
import type { Shape } from "../tensor/shape.js";
import type { Pass } from "./pass.js";
import { rebuildNode } from "./rebuild.js";

/** Ops that treat every entry alike, whatever the order of axes. */
const ELEMENTWISE: ReadonlySet<string> = new Set([
  ...["add", "sub", "mul", "div", "max", "neg", "abs", "exp", "log", "log1p", "sqrt", "tanh"],
  ...["sigmoid", "erf", "compare", "and", "or", "not", "select", "cast", "stopGradient"],
  ...["relu", "gelu", "geluTanh", "quickGelu", "softplus", "clamp"],
]);

/** A value's two faces, by the value in the graph as it was; at least one is known. */
interface Faces {
  readonly planar: Map<Value, Value>;
  /** NHWC faces; those of {@link resident} were computed so. */
  readonly moved: Map<Value, Value>;
  readonly resident: Set<Value>;
}

/** x with its axes permuted; a reshape where entries stay in their order. */
function permuted(x: Value, permutation: readonly number[]): Value {
  const shape = shapeOf(x);
  const long = permutation.filter((axis) => shape[axis] !== 1);
  const inOrder = long.every((axis, i) => i === 0 || axis > long[i - 1]!);
  if (!inOrder) return transpose(x, permutation);
  return reshape(
    x,
    permutation.map((axis) => shape[axis]!),
  );
}

/** The value as in the graph before, NCHW where it is a picture. */
function planarOf(value: Value, { planar, moved }: Faces): Value {
  const known = planar.get(value);
  if (known) return known;
  const { origin, recompute } = value.node;
  const made = atOrigin(origin, recompute, () => permuted(moved.get(value)!, TO_NCHW));
  planar.set(value, made);
  return made;
}

/** The value as NHWC, axes that it lacks put in front as 1; scalars stay. */
function movedOf(value: Value, faces: Faces): Value {
  const known = faces.moved.get(value);
  if (known) return known;
  if (rankOf(value) === 0) return planarOf(value, faces);
  const { node } = value;
  const made = atOrigin(node.origin, node.recompute, () => {
    const [source] = node.inputs;
    // Stretching comes after moving: a few entries are moved, not a picture.
    if (node.op === "broadcast" && source && rankOf(source) <= 4)
      return broadcast(movedOf(source, faces), toNhwc(shapeOf(value)));
    const x = planarOf(value, faces);
    const missing = new Array<Dim>(4 - rankOf(x)).fill(1);
    return permuted(reshape(x, [...missing, ...shapeOf(x)]), TO_NHWC);
  });
  faces.moved.set(value, made);
  return made;
}

/** How a node looks in NHWC: its operands and attributes, undefined where it stays as it was. */
type Move = (
  node: Node,
  faces: Faces,
) => { readonly inputs: readonly Value[]; readonly attrs: Attrs } | undefined;

const isResident = ({ inputs: [x] }: Node, { resident }: Faces): boolean =>
  x !== undefined && resident.has(x);

/** Convolutions and pooling always move. */
const picture: Move = ({ inputs: [x, ...others], attrs, op }, faces) => {
  const shape = attrs["inputShape"] as Shape | undefined;
  const both = op === "conv2dFilterGradient";
  return {
    inputs: [
      movedOf(x!, faces),
      ...others.map((value) => (both ? movedOf(value, faces) : planarOf(value, faces))),
    ],
    attrs: { ...attrs, layout: "NHWC", ...(shape ? { inputShape: toNhwc(shape) } : {}) },
  };
};

/** A norm over the samples of each channel moves with its picture; the vectors stay. */
const normalised: Move = (node, faces) => {
  const [x, ...vectors] = node.inputs;
  if (!isResident(node, faces) || node.outputs[0]?.shape.length !== 4) return undefined;
  return {
    inputs: [movedOf(x!, faces), ...vectors.map((value) => planarOf(value, faces))],
    attrs: { ...node.attrs, layout: "NHWC" },
  };
};

/** Elementwise ops move with any of their operands. */
const elementwise: Move = ({ inputs, attrs, outputs }, faces) => {
  const follows = inputs.some((value) => faces.resident.has(value));
  if (!follows || outputs[0]?.shape.length !== 4) return undefined;
  return { inputs: inputs.map((value) => movedOf(value, faces)), attrs };
};

/** A window moves with what it cuts or pads. */
const window: Move = (node, faces) => {
  if (!isResident(node, faces)) return undefined;
  const begins = toNhwc(node.attrs["begins"] as readonly Dim[]);
  const shape = toNhwc(node.attrs["shape"] as Shape);
  return { inputs: [movedOf(node.inputs[0]!, faces)], attrs: { begins, shape } };
};

const stretch: Move = (node, faces) => {
  const shape = node.attrs["shape"] as Shape;
  if (!isResident(node, faces) || shape.length !== 4) return undefined;
  return { inputs: [movedOf(node.inputs[0]!, faces)], attrs: { shape: toNhwc(shape) } };
};

const joined: Move = ({ inputs, attrs }, faces) => {
  if (!inputs.some((value) => faces.resident.has(value))) return undefined;
  const axis = TO_NCHW[attrs["axis"] as number]!;
  return { inputs: inputs.map((value) => movedOf(value, faces)), attrs: { axis } };
};

/** Reductions move where the axes that are left keep their order. */
const reduction: Move = (node, faces) => {
  if (!isResident(node, faces)) return undefined;
  const { axes, keepDims } = node.attrs as { axes: readonly number[]; keepDims: boolean };
  const left = [0, 1, 2, 3].filter((axis) => !axes.includes(axis)).map((axis) => TO_NCHW[axis]!);
  const inOrder = left.every((axis, i) => i === 0 || axis > left[i - 1]!);
  if (!keepDims && !inOrder) return undefined;
  const at = axes.map((axis) => TO_NCHW[axis]!).sort((a, b) => a - b);
  return { inputs: [movedOf(node.inputs[0]!, faces)], attrs: { axes: at, keepDims } };
};

const MOVES: Readonly<Record<string, Move>> = {
  conv2d: picture,
  conv2dInputGradient: picture,
  conv2dFilterGradient: picture,
  avgPool2d: picture,
  batchNorm: normalised,
  slice: window,
  pad: window,
  broadcast: stretch,
  concat: joined,
  sum: reduction,
  reduceMax: reduction,
  mean: reduction,
};

/** Ops whose result is planar although their operands moved: filters, and what reductions without kept axes leave. */
const isPicture = (node: Node): boolean =>
  node.outputs[0]?.shape.length === 4 && node.op !== "conv2dFilterGradient";

function moveNode(node: Node, faces: Faces): void {
  const [value, ...statistics] = nodeValues(node);
  const rule = ELEMENTWISE.has(node.op) ? elementwise : MOVES[node.op];
  const move = rule?.(node, faces);
  if (move) {
    const [result, ...others] = rebuildNode(node, move.inputs, move.attrs);
    faces[isPicture(node) ? "moved" : "planar"].set(value!, result!);
    statistics.forEach((vector, i) => faces.planar.set(vector, others[i]!));
    if (isPicture(node)) faces.resident.add(value!);
  } else if (node.op === "after" && isResident(node, faces)) {
    const [x, dependency] = node.inputs as [Value, Value];
    const awaited = faces.moved.get(dependency) ?? planarOf(dependency, faces);
    faces.moved.set(value!, rebuildNode(node, [movedOf(x, faces), awaited])[0]!);
    faces.resident.add(value!);
  } else if (node.op === "transpose" && isResident(node, faces)) {
    const order = (node.attrs["permutation"] as readonly number[]).map((axis) => TO_NCHW[axis]!);
    const x = movedOf(node.inputs[0]!, faces);
    faces.planar.set(
      value!,
      atOrigin(node.origin, node.recompute, () => permuted(x, order)),
    );
  } else {
    const inputs = node.inputs.map((operand) => planarOf(operand, faces));
    const results = withInputs(node, inputs);
    nodeValues(node).forEach((output, i) => faces.planar.set(output, results[i]!));
  }
}

/** The graph with NHWC pictures inside. */
export function moveImages(graph: Graph): Graph {
  const faces: Faces = { planar: new Map(), moved: new Map(), resident: new Set() };
  for (const node of graphNodes(graph)) moveNode(node, faces);
  return createGraph(
    graph.name,
    Object.fromEntries(
      Object.entries(graph.outputs).map(([name, value]) => [name, planarOf(value, faces)]),
    ),
    graph.inputs.map((value) => planarOf(value, faces)),
  );
}

/** Moves pictures where the backend wants NHWC; the graph as it is where it wants NCHW. */
export const imageLayout = (layout: BackendCapabilities["imageLayout"]): Pass => ({
  name: "imageLayout",
  run: (graph) => (layout === "NHWC" ? moveImages(graph) : graph),
});
