/**
 * How a graph is run node by node: the order, where each value is kept, and after which step it is read no more. Made
 * once per graph; sizes are put in per run.
 */
import { inputName, isLeafInput, type Graph, type HostTensor, type Node } from "@diptych/core";
import { executionOrder, nodeValues } from "@diptych/core/backend";
import type { Value } from "@diptych/core";

/** Position of a value's tensor in a run. */
export type Slot = number;

export interface PlannedStep {
  readonly node: Node;
  readonly inputs: readonly Slot[];
  /** A slot for each output. */
  readonly outputs: readonly Slot[];
  /** Slots whose last reader this step is; outputs that nobody reads are among them. */
  readonly free: readonly Slot[];
}

export interface ExecutionPlan {
  readonly slots: number;
  /** Inputs that are fed in each run, by name. */
  readonly fed: ReadonlyMap<string, Slot>;
  /** Constants of the graph. */
  readonly constants: readonly { readonly slot: Slot; readonly value: HostTensor }[];
  readonly steps: readonly PlannedStep[];
  /** Inputs that no step reads. */
  readonly unread: readonly Slot[];
  /** Where each output is found once all steps ran. */
  readonly outputs: ReadonlyMap<string, Slot>;
}

export function planExecution(graph: Graph): ExecutionPlan {
  const nodes = executionOrder(graph);
  const slots = new Map<Value, Slot>();
  for (const node of nodes)
    for (const value of nodeValues(node)) slots.set(value, slots.size);
  const slotOf = (value: Value): Slot => slots.get(value)!;
  const kept = new Set(Object.values(graph.outputs).map(slotOf));
  const computed = nodes.filter((node) => !isLeafInput(node) && node.op !== "constant");
  const lastReader = new Map<Slot, Node>();
  for (const node of computed) {
    for (const value of nodeValues(node)) lastReader.set(slotOf(value), node);
    for (const value of node.inputs) lastReader.set(slotOf(value), node);
  }
  const steps = computed.map((node): PlannedStep => {
    const inputs = node.inputs.map(slotOf);
    const outputs = nodeValues(node).map(slotOf);
    const touched = [...new Set([...inputs, ...outputs])];
    const free = touched.filter((slot) => lastReader.get(slot) === node && !kept.has(slot));
    return { node, inputs, outputs, free };
  });
  const fed = new Map(
    graph.inputs.map((value) => [inputName(value.node), slotOf(value)] as const),
  );
  return {
    slots: slots.size,
    fed,
    constants: nodes
      .filter(({ op }) => op === "constant")
      .map((node) => ({
        slot: slotOf(nodeValues(node)[0]!),
        value: node.attrs["value"] as HostTensor,
      })),
    steps,
    unread: [...fed.values()].filter((slot) => !lastReader.has(slot) && !kept.has(slot)),
    outputs: new Map(
      Object.entries(graph.outputs).map(([name, value]) => [name, slotOf(value)] as const),
    ),
  };
}
