/** Which output takes the memory of which input, checked when a graph is compiled. */
import { BackendError } from "../errors.js";
import { inputName, type Graph } from "../graph/graph.js";
import { typeOf, type ValueType } from "../graph/node.js";
import { nearestName } from "../plugin/nearest-name.js";
import { equalShapes, formatShape } from "../tensor/shape.js";

/** Output name → name of the input that it spends. */
export type Donations = ReadonlyMap<string, string>;

/** @throws BackendError on an unknown name, two inputs for one output, or types that differ. */
export function checkDonations(
  graph: Graph,
  donate: Readonly<Record<string, string>>,
  /** Starts the errors: `package/compile: donation of "label"`. */
  where: string,
): Donations {
  const inputs = new Map(graph.inputs.map((value) => [inputName(value.node), typeOf(value)]));
  const outputs = new Map(
    Object.entries(graph.outputs).map(([name, value]) => [name, typeOf(value)]),
  );
  const donations = new Map<string, string>();
  for (const [input, output] of Object.entries(donate)) {
    const from = inputs.get(input) ?? unknownName("input", input, [...inputs.keys()], where);
    const to = outputs.get(output) ?? unknownName("output", output, [...outputs.keys()], where);
    const other = donations.get(output);
    if (other !== undefined) {
      throw new BackendError(
        `${where}: expected one input for output "${output}", got "${other}" and "${input}". Donate one.`,
      );
    }
    if (from.dtype !== to.dtype || !equalShapes(from.shape, to.shape)) {
      throw new BackendError(
        `${where}: expected output "${output}" to be of input "${input}"'s type ${formatType(from)}, got ${formatType(to)}. Donate an input of the output's type.`,
      );
    }
    donations.set(output, input);
  }
  return donations;
}

function formatType({ dtype, shape }: ValueType): string {
  return `${dtype}${formatShape(shape)}`;
}

function unknownName(what: string, name: string, known: readonly string[], where: string): never {
  const nearest = nearestName(name, known);
  throw new BackendError(
    `${where}: expected an ${what} of the graph, got "${name}".${nearest === undefined ? "" : ` Did you mean "${nearest}"?`}`,
  );
}
