/** What a run is fed against what the graph declares: names, dtypes, shapes, and the sizes of symbols. */
import {
  BackendError,
  DtypeError,
  evaluateShape,
  formatShape,
  ShapeError,
  typeOf,
  inputName,
  type DimBinding,
  type Feed,
  type Graph,
} from "@diptych/core";
import { nearestName } from "@diptych/core/plugin";
import { solveSymbols, type SymbolPlan } from "./lowering/symbol-plan.js";

export type Feeds = Readonly<Record<string, Feed>>;

/** @throws BackendError on a name too few or too many. */
function checkNames(feeds: Feeds, names: readonly string[], label: string): void {
  const known = new Set(names);
  const missing = names.filter((name) => !Object.hasOwn(feeds, name));
  if (missing.length > 0) {
    throw new BackendError(
      `backend-onnx/run: feeds of "${label}": expected every input, got none for ${missing.map((name) => `"${name}"`).join(", ")}. Feed it.`,
    );
  }
  for (const name of Object.keys(feeds)) {
    if (known.has(name)) continue;
    const nearest = nearestName(name, names);
    throw new BackendError(
      `backend-onnx/run: feeds of "${label}": expected its ${names.length} inputs and no others, got "${name}". ${nearest === undefined ? "Leave it out." : `Did you mean "${nearest}"?`}`,
    );
  }
}

/**
 * The symbols' sizes for these feeds.
 *
 * @throws BackendError on missing or unknown names, DtypeError and ShapeError on feeds that do not fit.
 */
export function bindFeeds(
  graph: Graph,
  feeds: Feeds,
  { symbols, label }: { symbols: SymbolPlan; label: string },
): DimBinding {
  const names = graph.inputs.map(({ node }) => inputName(node));
  checkNames(feeds, names, label);
  const sizes = (name: string): readonly number[] => feeds[name]?.shape ?? [];
  for (const value of graph.inputs) {
    const name = inputName(value.node);
    const { shape, dtype } = typeOf(value);
    const feed = feeds[name];
    if (feed?.dtype !== dtype) {
      throw new DtypeError(
        `backend-onnx/run: input "${name}" of "${label}": expected ${dtype}, got ${feed?.dtype ?? "nothing"}. Convert it first.`,
      );
    }
    if (feed.shape.length !== shape.length) throw shapeError(name, label, formatShape(shape), feed);
  }
  const binding = solveSymbols(symbols, sizes);
  for (const value of graph.inputs) {
    const name = inputName(value.node);
    const { shape } = typeOf(value);
    const expected = evaluateShape(shape, binding);
    const given = sizes(name);
    if (expected.every((size, axis) => size === given[axis])) continue;
    const bound = Object.entries(binding).map(([symbol, size]) => `${symbol} = ${size}`);
    const where = bound.length > 0 ? ` with ${bound.join(", ")}` : "";
    throw shapeError(name, label, `${formatShape(shape)}${where}`, { shape: given });
  }
  return binding;
}

function shapeError(
  name: string,
  label: string,
  expected: string,
  given: { readonly shape: readonly number[] },
): ShapeError {
  return new ShapeError(
    `backend-onnx/run: input "${name}" of "${label}": expected ${expected}, got [${given.shape.join(", ")}]. Feed that shape.`,
  );
}
