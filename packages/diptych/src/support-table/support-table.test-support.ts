// docs/support.md as text: what each op becomes on each backend and engine, from what their lowerings do.
import {
  createGraph,
  input,
  isLeafInput,
  symbolDim,
  type BackendCapabilities,
  type DType,
  type Graph,
  type Node,
  type Value,
} from "@diptych/core";
import { isCompositeName, isPrimitiveName, nodeValues } from "@diptych/core/backend";
import { buildCase, OP_CASES, type OpCase } from "@diptych/core/reference";

/** One column: a backend with the settings that choose an engine or provider. */
export interface SupportColumn {
  readonly backend: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly capabilities: Pick<BackendCapabilities, "dtypes" | "emulatedDtypes">;
  readonly kernels: Readonly<Record<string, readonly string[] | null>>;
}

/** A graph with one node of each op, by op: of its first case, of those whose sizes are numbers where there are any. */
export function opGraphs(): Readonly<Record<string, Graph>> {
  const graphs: Record<string, Graph> = {};
  for (const opCase of OP_CASES.toSorted((a, b) => symbolsOf(a).length - symbolsOf(b).length)) {
    const graph = graphs[opCase.op] ?? graphOf(opCase);
    if (graph) graphs[opCase.op] = graph;
  }
  return graphs;
}

function symbolsOf({ bindings }: OpCase): readonly string[] {
  return Object.keys(bindings[0] ?? {});
}

function graphOf(opCase: OpCase): Graph | undefined {
  const { outputs } = buildCase(opCase, "float32", { forwardOnly: true });
  const node = findNode(
    outputs.map((value) => value.node),
    opCase.op,
  );
  if (!node) return undefined;
  // Operands become inputs, so that nothing else is lowered with it.
  const inputs = node.inputs.map((value, i) => {
    const { shape, dtype } = value.node.outputs[value.index]!;
    return input(`x${i}`, shape, dtype);
  });
  const alone: Node = Object.freeze({ ...node, inputs });
  const results = nodeValues(alone).map((value, i) => [`y${i}`, value] as const);
  // Sizes of symbols are known from inputs.
  const sized = symbolsOf(opCase).map((symbol) => input(symbol, [symbolDim(symbol)]));
  return createGraph(opCase.op, Object.fromEntries(results), [...leavesOf(alone), ...sized]);
}

/** The node itself where it is fed, else its operands. */
function leavesOf(node: Node): readonly Value[] {
  return isLeafInput(node) ? nodeValues(node) : node.inputs;
}

function findNode(nodes: readonly Node[], op: string): Node | undefined {
  for (const node of nodes) {
    const found =
      node.op === op
        ? node
        : findNode(
            node.inputs.map((value) => value.node),
            op,
          );
    if (found) return found;
  }
  return undefined;
}

/** Move nothing, or only say what a tensor is called. */
const FREE: ReadonlySet<string> = new Set(["Reshape", "Identity"]);

function cell(kernels: readonly string[] | null | undefined): string {
  if (kernels === undefined) return "?";
  if (kernels === null) return "○";
  const computing = kernels.filter((kernel) => !FREE.has(kernel));
  return computing.length > 1 ? `◐ ${computing.length}` : "●";
}

const titleOf = ({ backend, settings }: SupportColumn): string =>
  `${backend} ${Object.values(settings).join(" ")}`;

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function opTable(columns: readonly SupportColumn[], ops: readonly string[]): string {
  return markdownTable(
    ["op", ...columns.map(titleOf)],
    ops.map((op) => [`\`${op}\``, ...columns.map(({ kernels }) => cell(kernels[op]))]),
  );
}

const DTYPES: readonly DType[] = ["float32", "bfloat16", "float16", "int32", "bool"];

function dtypeTable(columns: readonly SupportColumn[]): string {
  return markdownTable(
    ["dtype", ...columns.map(titleOf)],
    DTYPES.map((dtype) => [
      dtype,
      ...columns.map(({ capabilities: { dtypes, emulatedDtypes } }) => {
        if (!dtypes.has(dtype)) return "–";
        return emulatedDtypes?.has(dtype) ? "emulated" : "native";
      }),
    ]),
  );
}

function detailsOf(column: SupportColumn): string {
  const rows = Object.entries(column.kernels).flatMap(([op, kernels]) =>
    kernels && kernels.length > 0 ? [[`\`${op}\``, kernels.join(", ")]] : [],
  );
  return `### ${titleOf(column)}\n\n${markdownTable(["op", "kernels"], rows)}`;
}

/** The whole page, before formatting. */
export function supportPage(columns: readonly SupportColumn[]): string {
  const ops = [...new Set(OP_CASES.map(({ op }) => op))];
  return `# What runs where

<!-- Written by \`npm run docs:support\` from the lowerings themselves; a test fails when they change and this page does not. -->

Every backend computes every op: what it has no kernel for is put together from others. The engine \`node-gpu\` of
TensorFlow.js lowers as \`node\` does.

- ● one kernel (or none: reshapes and names cost nothing)
- ◐ put together by the backend from so many different kernels
- ○ expanded by core into primitives before the backend sees it

## Primitives

${opTable(columns, ops.filter(isPrimitiveName))}

## Composites

${opTable(columns, ops.filter(isCompositeName))}

## Types

Native: computed in that type. Emulated: it may stand in a graph, and is computed in float32 between two casts. bfloat16 on
TensorFlow.js's \`node\` needs a processor with AVX512-BF16 or AMX, or a card of compute capability 8.0.

${dtypeTable(columns)}

## Kernels by op

Of one typical call each; other shapes and attributes may take others.

${columns.map(detailsOf).join("\n\n")}
`;
}

/** The page as rows of cells without the columns and sections named `title`, so that layout does not count. */
export function comparableRows(page: string, without?: string): readonly string[] {
  const rows: string[] = [];
  let dropped: number | undefined;
  let skipping = false;
  for (const line of page.split("\n")) {
    if (line.startsWith("#")) skipping = without !== undefined && line === `### ${without}`;
    if (skipping || line.trim() === "") continue;
    if (!line.startsWith("|")) {
      dropped = undefined;
      rows.push(line.trim());
      continue;
    }
    const cells = line
      .split("|")
      .slice(1, -1)
      .map((text) => text.trim().replace(/^-+$/, "-"));
    if (without !== undefined && cells.includes(without)) dropped = cells.indexOf(without);
    rows.push(cells.filter((_, i) => i !== dropped).join("|"));
  }
  return rows;
}
