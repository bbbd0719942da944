/** What each block of a tower costs: parameters, floating-point operations, and memory that training keeps. */
import {
  buildEncoders,
  BYTES_PER_ELEMENT,
  createGraph,
  dimSymbols,
  elementCount,
  evaluateShape,
  gradients,
  input,
  shapeOf,
  type BuiltModel,
  type DimBinding,
  type Encoder,
  type MultiEncoder,
  type Node,
  type Value,
} from "@diptych/core";
import { bind, expandComposites, graphNodes, nodeFlops, nodesInOrder } from "@diptych/core/backend";
import { assignBlocks, blockName, type AssignOptions, type TowerScope } from "./inspect-blocks.js";

export interface BlockCost {
  /** Names that its parameters share, e.g. `visual.layer1.0`. */
  readonly name: string;
  /** Trained values. */
  readonly parameters: number;
  /** Values that are kept and not trained: running statistics. */
  readonly buffers: number;
  /**
   * Of one sample through the tower in evaluation: matrix products and convolutions, a multiply-add counted as two, as
   * `countFlops`.
   */
  readonly flops: number;
  /**
   * Bytes of the values of one sample that the forward part of a training step makes here and its backward part reads:
   * what must be kept between the two. A value is counted once, in the block that makes it; a view (reshape) counts as
   * what it shows; inputs, parameters and constants do not count. Composites are taken whole: a runtime without an
   * attention kernel keeps its probabilities as well.
   */
  readonly activationBytes: number;
}

export interface TowerCost extends Omit<BlockCost, "name"> {
  readonly modality: string;
  readonly blocks: readonly BlockCost[];
}

export interface MeasureOptions {
  /** Samples that activations are counted for. */
  readonly batch?: number;
  /** Levels of names that make a block. */
  readonly depth?: number | undefined;
}

/** Costs of one tower of a model. FLOPs are those of `batch` samples too. */
export function measureTower(
  model: MultiEncoder,
  tower: TowerScope,
  { batch = 1, depth }: MeasureOptions = {},
): TowerCost {
  const { modality } = tower;
  const encoder = model.encoders[modality]!;
  const binding = bindingOf(encoder, batch);
  const only = { ...model, modalities: [modality] };
  const evaluation = buildEncoders({ ...only, mode: "eval" });
  const training = buildEncoders({ ...only, mode: "train" });
  const specs = evaluation.parameters.filter(({ name }) => !SHARED.has(name));
  const assign = { tower, depth, parameters: specs.map(({ name }) => name) };
  const costs = createCosts();
  for (const { name, shape, role } of specs) {
    const key = role === "buffer" ? "buffers" : "parameters";
    costs.add(blockName(name, tower, depth), key, elementCount(shape));
  }
  const pooled = evaluation.encoded[modality]!.pooled;
  const graph = expandComposites(bind(binding).run(createGraph(modality, { pooled })), () => false);
  const nodes = graphNodes(graph);
  const blockOf = assignBlocks(nodes, assign);
  for (const node of nodes) costs.add(blockOf.get(node) ?? "", "flops", nodeFlops(node));
  for (const [block, bytes] of keptBytes(training, modality, { binding, assign })) {
    costs.add(block, "activationBytes", bytes);
  }
  const blocks = costs.blocks();
  return { modality, ...sumCosts(blocks), blocks };
}

/** Of the whole model, though each tower is built with them. */
const SHARED: ReadonlySet<string> = new Set(["logit_scale", "logit_bias"]);

type Amount = Exclude<keyof BlockCost, "name">;

/** Amounts gathered by block, in the order in which blocks are first named. */
function createCosts(): {
  readonly add: (block: string, key: Amount, amount: number) => void;
  readonly blocks: () => readonly BlockCost[];
} {
  const costs = new Map<string, BlockCost>();
  return {
    add: (name, key, amount) => {
      if (amount === 0) return;
      const cost = costs.get(name) ?? { name, ...NOTHING };
      costs.set(name, { ...cost, [key]: cost[key] + amount });
    },
    blocks: () => [...costs.values()],
  };
}

const NOTHING: Readonly<Record<Amount, number>> = {
  parameters: 0,
  buffers: 0,
  flops: 0,
  activationBytes: 0,
};

/** Sums over blocks or towers. */
export function sumCosts(parts: readonly Omit<BlockCost, "name">[]): Omit<BlockCost, "name"> {
  const sum = (key: Amount): number => parts.reduce((total, part) => total + part[key], 0);
  return {
    parameters: sum("parameters"),
    buffers: sum("buffers"),
    flops: sum("flops"),
    activationBytes: sum("activationBytes"),
  };
}

/** Tokens of a text whose tower does not say how many it takes: CLIP's. */
const CLIP_CONTEXT = 77;

/** Sizes of a tower's symbols: `batch` for the first axis of its inputs, the context length for others. */
function bindingOf({ inputs, facts }: Encoder, batch: number): DimBinding {
  const { contextLength } = facts;
  const length = typeof contextLength === "number" ? contextLength : CLIP_CONTEXT;
  const binding: Record<string, number> = {};
  for (const { shape } of inputs) {
    shape.forEach((dim, axis) => {
      for (const symbol of dimSymbols(dim)) binding[symbol] ??= axis === 0 ? batch : length;
    });
  }
  return binding;
}

interface KeptOptions {
  readonly binding: DimBinding;
  readonly assign: AssignOptions;
}

/** Bytes by block of forward values that derivatives of the pooled features by the parameters read. */
function keptBytes(
  model: BuiltModel,
  modality: string,
  { binding, assign }: KeptOptions,
): ReadonlyMap<string, number> {
  const { pooled } = model.encoded[modality]!;
  const weights = model.parameters.flatMap(({ name, role }) =>
    role === "weight" && !SHARED.has(name) ? [model.values.get(name)!] : [],
  );
  const derived = gradients({
    outputs: [pooled],
    cotangents: [input("cotangent", shapeOf(pooled))],
    wrt: weights,
    carry: [...model.bufferUpdates.values()],
  });
  const forward = nodesInOrder([...derived.outputs, ...derived.carried]);
  const backward = nodesInOrder(derived.gradients, new Set(forward));
  const kept = keptValues(new Set(forward), backward);
  const blockOf = assignBlocks(forward, assign);
  const bytes = new Map<string, number>();
  for (const [node, indices] of kept) {
    const block = blockOf.get(node) ?? "";
    for (const index of indices) {
      const { shape, dtype } = node.outputs[index]!;
      const size = elementCount(evaluateShape(shape, binding)) * BYTES_PER_ELEMENT[dtype];
      bytes.set(block, (bytes.get(block) ?? 0) + size);
    }
  }
  return bytes;
}

/** Ops that show what their operand holds. */
const VIEWS: ReadonlySet<string> = new Set(["reshape", "stopGradient", "after"]);
/** What is there anyway. */
const LEAVES: ReadonlySet<string> = new Set(["input", "parameter", "constant", "iota", "dimSize"]);

function keptValues(
  forward: ReadonlySet<Node>,
  backward: readonly Node[],
): ReadonlyMap<Node, ReadonlySet<number>> {
  const kept = new Map<Node, Set<number>>();
  for (const reader of backward) {
    for (const operand of reader.inputs) {
      if (!forward.has(operand.node)) continue;
      const { node, index } = shown(operand);
      if (LEAVES.has(node.op)) continue;
      const indices = kept.get(node) ?? new Set();
      kept.set(node, indices.add(index));
    }
  }
  return kept;
}

function shown(value: Value): Value {
  let at = value;
  while (VIEWS.has(at.node.op) && at.node.inputs[0]) at = at.node.inputs[0];
  return at;
}
