/**
 * Which input axis tells the size of each symbol. An axis `coefficient*symbol + rest`, where `rest` has only symbols
 * that are known before, defines the symbol; the host and the lowered graph follow the same plan.
 */
import {
  dimSymbols,
  formatDim,
  inputName,
  isSymbolic,
  mulDims,
  shapeOf,
  ShapeError,
  subDims,
  symbolDim,
  type Dim,
  type DimBinding,
  type Value,
} from "@diptych/core";

/** Where a symbol is read off. */
export interface SymbolSource {
  readonly symbol: string;
  readonly input: string;
  readonly axis: number;
  /** The axis's size: `coefficient * symbol + rest`. */
  readonly dim: Dim;
  readonly coefficient: number;
  readonly rest: Dim;
}

/** Sources in an order in which each `rest` is known. */
export type SymbolPlan = readonly SymbolSource[];

interface Axis {
  readonly input: string;
  readonly axis: number;
  readonly dim: Dim;
}

/** The one unknown symbol of `dim`, if it stands in it linearly with a number before it. */
function solveFor(
  dim: Dim,
  known: ReadonlySet<string>,
): Omit<SymbolSource, "input" | "axis" | "dim"> | undefined {
  if (!isSymbolic(dim)) return undefined;
  const unknown = dimSymbols(dim).filter((symbol) => !known.has(symbol));
  const [symbol] = unknown;
  if (symbol === undefined || unknown.length > 1) return undefined;
  const terms = dim.terms.filter((term) => term.symbols.includes(symbol));
  const [term] = terms;
  if (terms.length !== 1 || !term || term.symbols.length !== 1) return undefined;
  const { coefficient } = term;
  return { symbol, coefficient, rest: subDims(dim, mulDims(coefficient, symbolDim(symbol))) };
}

/** Sources of every symbol that the inputs' shapes define. Plain axes come before those that need a division. */
export function planSymbols(inputs: readonly Value[]): SymbolPlan {
  const axes: Axis[] = inputs.flatMap((value) =>
    shapeOf(value).map((dim, axis) => ({ input: inputName(value.node), axis, dim })),
  );
  axes.sort((a, b) => formatDim(a.dim).length - formatDim(b.dim).length);
  const known = new Set<string>();
  const plan: SymbolSource[] = [];
  for (let before = -1; before < plan.length;) {
    before = plan.length;
    for (const { input, axis, dim } of axes) {
      const solved = solveFor(dim, known);
      if (!solved) continue;
      known.add(solved.symbol);
      plan.push(Object.freeze({ ...solved, input, axis, dim }));
    }
  }
  return Object.freeze(plan);
}

/** What each symbol is, given the sizes of the inputs. @throws ShapeError where a size leaves no whole number. */
export function solveSymbols(
  plan: SymbolPlan,
  sizes: (input: string) => readonly number[],
): DimBinding {
  const binding: Record<string, number> = {};
  for (const { symbol, input, axis, dim, coefficient, rest } of plan) {
    const size = sizes(input)[axis] ?? 0;
    const value = (size - evaluateRest(rest, binding)) / coefficient;
    if (!Number.isInteger(value) || value < 0) {
      throw new ShapeError(
        `backend-onnx/run: input "${input}": expected axis ${axis} to be ${formatDim(dim)} for a whole ${symbol} of at least 0, got ${size}. Feed another size.`,
      );
    }
    binding[symbol] = value;
  }
  return binding;
}

/** As `evaluateDim`, but a rest may be negative: `tokens-1` has the rest −1. */
function evaluateRest(rest: Dim, binding: DimBinding): number {
  if (!isSymbolic(rest)) return rest;
  return rest.terms.reduce(
    (sum, { coefficient, symbols }) =>
      sum + symbols.reduce((product, symbol) => product * (binding[symbol] ?? 0), coefficient),
    0,
  );
}
