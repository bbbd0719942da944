/**
 * Which block of a model each parameter and each node belongs to. A block is what people count: a transformer block, a
 * residual block, the stem's convolutions one by one, the pool.
 */
import { inputName, type Node } from "@diptych/core";

/** A tower: how it is called, and the scope of its parameters ("" where they stand at the root). */
export interface TowerScope {
  readonly modality: string;
  readonly scope: string;
}

/**
 * The block of a dotted name: up to its first number (`visual.layer1.0`, `transformer.resblocks.3`), or the first name in
 * the tower (`visual.conv1`, `token_embedding`); with `depth`, that many names.
 */
export function blockName(path: string, { scope }: TowerScope, depth?: number): string {
  const names = path.split(".");
  const first = scope === "" ? 0 : scope.split(".").length;
  if (depth !== undefined) return names.slice(0, Math.max(1, depth)).join(".");
  const number = names.findIndex((name, i) => i >= first && /^\d+$/.test(name));
  return names.slice(0, (number < 0 ? first : number) + 1).join(".");
}

export interface AssignOptions {
  readonly tower: TowerScope;
  /** Names of the tower's parameters. */
  readonly parameters: readonly string[];
  readonly depth?: number | undefined;
}

/**
 * The block of each node of a tower: of the scope that it was built in where that names a block, else of a parameter
 * that it reads, else of its first operand that has one, else of its first reader.
 *
 * @param nodes Operands before their readers.
 */
export function assignBlocks(
  nodes: readonly Node[],
  { tower, parameters, depth }: AssignOptions,
): ReadonlyMap<Node, string> {
  const blocks = new Set(parameters.map((name) => blockName(name, tower, depth)));
  const found = new Map<Node, string>();
  const ofOrigin = ({ origin }: Node): string | undefined => {
    const block = blockName(origin.replaceAll("/", "."), tower, depth);
    return blocks.has(block) ? block : undefined;
  };
  const ofParameter = (node: Node): string | undefined => {
    const source = node.inputs.map((value) => unarranged(value.node)).find(isParameter);
    return source && blockName(inputName(source), tower, depth);
  };
  const ofOperand = (node: Node): string | undefined =>
    node.inputs.map((value) => found.get(value.node)).find((block) => block !== undefined);
  for (const node of nodes) {
    const block = ofOrigin(node) ?? ofParameter(node) ?? ofOperand(node);
    if (block !== undefined) found.set(node, block);
  }
  // What comes before the first parameter: the patches of a picture.
  for (const node of nodes.toReversed()) {
    const block = found.get(node);
    if (block === undefined) continue;
    for (const { node: operand } of node.inputs) {
      if (!found.has(operand)) found.set(operand, block);
    }
  }
  return found;
}

const isParameter = (node: Node): boolean => node.op === "parameter";

const REARRANGING: ReadonlySet<string> = new Set(["reshape", "transpose", "broadcast", "cast"]);

function unarranged(node: Node): Node {
  let source = node;
  while (REARRANGING.has(source.op) && source.inputs[0]) source = source.inputs[0].node;
  return source;
}
