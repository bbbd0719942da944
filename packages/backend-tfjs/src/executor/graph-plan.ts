/**
 * The plan of a graph, made once: which node runs when, in which slots its operands lie, and which slots are free
 * afterwards. What depends on constants alone runs when the graph is compiled.
 */
import {
  BYTES_PER_ELEMENT,
  inputName,
  isLeafInput,
  isSymbolic,
  shapeSize,
  type AttrValue,
  type Graph,
  type HostTensor,
  type Node,
  type Value,
  type ValueType,
} from "@diptych/core";
import { executionOrder } from "@diptych/core/backend";

/** A node with the slots that it reads and fills. */
export interface Step {
  readonly node: Node;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Slots whose last reader this is, and results that nobody reads. */
  readonly frees: readonly number[];
}

/** A constant of the graph. */
export interface ConstantSlot {
  readonly slot: number;
  readonly value: HostTensor;
}

/** An input that is fed or, as a constant, given once. */
export interface FedSlot {
  readonly name: string;
  readonly slot: number;
  /** Whether no node reads it. */
  readonly unread: boolean;
}

export interface OutputSlot {
  readonly name: string;
  readonly slot: number;
  /** Whether the result may be handed out as it is: it is no input, constant, or another output. */
  readonly take: boolean;
}

export interface GraphPlan {
  readonly slots: number;
  /** Run once, when the graph is compiled; what they leave is resident. */
  readonly foldSteps: readonly Step[];
  readonly steps: readonly Step[];
  readonly constants: readonly ConstantSlot[];
  /** Inputs that are given once. */
  readonly given: readonly FedSlot[];
  readonly feeds: readonly FedSlot[];
  readonly outputs: readonly OutputSlot[];
  /** Resident slots that runs read. */
  readonly readAtRun: ReadonlySet<number>;
}

/** Up to this many bytes a result is kept although its operands take less. */
const SMALL_BYTES = 1 << 16;

/** Bytes of a value; undefined where its size is open. */
function staticBytes({ shape, dtype }: ValueType): number | undefined {
  const size = shapeSize(shape);
  return isSymbolic(size) ? undefined : size * BYTES_PER_ELEMENT[dtype];
}

/** Whether an attribute has a size that only a run tells. */
function isOpen(value: AttrValue): boolean {
  if (Array.isArray(value)) return (value as readonly AttrValue[]).some(isOpen);
  return typeof value === "object" && "terms" in value && isSymbolic(value);
}

/** Whether a node is worth keeping in its result: sizes are known, and it does not take more memory than what it is made of. */
function isCheap({ inputs, outputs, attrs }: Node): boolean {
  if (Object.values(attrs).some(isOpen)) return false;
  let made = 0;
  for (const output of outputs) {
    const bytes = staticBytes(output);
    if (bytes === undefined) return false;
    made += bytes;
  }
  if (made <= SMALL_BYTES) return true;
  const given = inputs.reduce(
    (total, { node, index }) => total + (staticBytes(node.outputs[index]!) ?? 0),
    0,
  );
  return made <= given;
}

/** Slots by value, in the order in which they are asked for. */
class SlotTable {
  readonly #slots = new Map<Node, number[]>();
  count = 0;

  of({ node, index }: Value): number {
    return this.ofNode(node)[index]!;
  }

  ofNode(node: Node): readonly number[] {
    const known = this.#slots.get(node);
    if (known) return known;
    const made = node.outputs.map(() => this.count++);
    this.#slots.set(node, made);
    return made;
  }
}

/** `constants`: the inputs that are not fed. */
export function planGraph(graph: Graph, constants: ReadonlySet<string>): GraphPlan {
  const order = executionOrder(graph);
  const table = new SlotTable();
  const known = new Set<Node>();
  const folded: Node[] = [];
  const run: Node[] = [];
  const values: ConstantSlot[] = [];
  for (const node of order) {
    if (isLeafInput(node)) {
      if (constants.has(inputName(node))) known.add(node);
    } else if (node.op === "constant") {
      known.add(node);
      values.push({ slot: table.ofNode(node)[0]!, value: node.attrs["value"] as HostTensor });
    } else if (node.inputs.every((value) => known.has(value.node)) && isCheap(node)) {
      known.add(node);
      folded.push(node);
    } else run.push(node);
  }
  const outputSlots = Object.entries(graph.outputs).map(
    ([name, value]) => [name, table.of(value), value] as const,
  );
  const kept = new Set(outputSlots.map(([, slot]) => slot));
  const foldedKept = new Set([
    ...kept,
    ...run.flatMap(({ inputs }) => inputs.map((value) => table.of(value))),
  ]);
  const resident = new Set([...known].flatMap((node) => table.ofNode(node)));
  const taken = new Set<number>();
  const outputs = outputSlots.map(([name, slot, { node }]) => {
    const take = !isLeafInput(node) && !resident.has(slot) && !taken.has(slot);
    taken.add(slot);
    return Object.freeze({ name, slot, take });
  });
  const read = new Set(order.flatMap(({ inputs }) => inputs.map((value) => table.of(value))));
  const leaves = graph.inputs.map(({ node }) => {
    const [slot] = table.ofNode(node);
    return { name: inputName(node), slot: slot!, unread: !read.has(slot!) && !kept.has(slot!) };
  });
  return Object.freeze({
    foldSteps: toSteps(folded, foldedKept, table),
    steps: toSteps(run, new Set([...kept, ...resident]), table),
    constants: values,
    given: leaves.filter(({ name }) => constants.has(name)),
    feeds: leaves.filter(({ name }) => !constants.has(name)),
    outputs,
    slots: table.count,
    readAtRun: foldedKept,
  });
}

/** Steps in the nodes' order; a slot outside of `kept` is freed after its last reader, or at once where nobody reads it. */
function toSteps(
  nodes: readonly Node[],
  kept: ReadonlySet<number>,
  table: SlotTable,
): readonly Step[] {
  const lastReader = new Map<number, Node>();
  for (const node of nodes) {
    for (const slot of table.ofNode(node)) lastReader.set(slot, node);
    for (const value of node.inputs) lastReader.set(table.of(value), node);
  }
  return nodes.map((node) => {
    const inputs = node.inputs.map((value) => table.of(value));
    const outputs = table.ofNode(node);
    const candidates = new Set([...inputs, ...outputs]);
    const frees = [...candidates].filter(
      (slot) => !kept.has(slot) && lastReader.get(slot) === node,
    );
    return Object.freeze({ node, inputs, outputs, frees });
  });
}
