/** Dims: integers, or integer polynomials over named symbols in a normal form whose text is their identity. */
import { ShapeError } from "../errors.js";

/** One term of a polynomial: `coefficient * product of symbols` (symbols sorted, repeated for powers). */
export interface DimTerm {
  readonly coefficient: number;
  readonly symbols: readonly string[];
}

/** A polynomial that is not a plain number; `key` is its normal form, e.g. `12*batch+1`. */
export interface SymbolicDim {
  readonly terms: readonly DimTerm[];
  readonly key: string;
}

/** Number of entries along an axis: a non-negative integer or a polynomial over symbols. */
export type Dim = number | SymbolicDim;

/** What each symbol stands for in one binding. */
export type DimBinding = Readonly<Record<string, number>>;

const SYMBOL = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The dim that is one symbol. @throws ShapeError when `name` is no identifier. */
export function symbolDim(name: string): SymbolicDim {
  if (!SYMBOL.test(name)) {
    throw new ShapeError(
      `core/symbolDim: name: expected an identifier, got "${name}". Use letters, digits and _.`,
    );
  }
  return Object.freeze({ terms: Object.freeze([term(1, [name])]), key: name });
}

/** A dim from its text (`64`, `batch`, `12*batch+1`, `77-tokens`), the inverse of {@link formatDim}. */
export function parseDim(text: string): Dim {
  // Spaces may stand around operators, not inside names and numbers.
  const compact = text.trim().replace(/\s*([*+-])\s*/g, "$1");
  const parts = compact.match(/[+-]?[^+-]+/g);
  if (!parts || parts.join("") !== compact) throw badDim(text);
  const terms = parts.map((part) => {
    let coefficient = part.startsWith("-") ? -1 : 1;
    const symbols: string[] = [];
    for (const factor of part.replace(/^[+-]/, "").split("*")) {
      if (/^\d+$/.test(factor)) coefficient *= Number(factor);
      else if (SYMBOL.test(factor)) symbols.push(factor);
      else throw badDim(text);
    }
    return term(coefficient, symbols.sort());
  });
  return normalise(terms);
}

export function addDims(...dims: readonly Dim[]): Dim {
  return normalise(dims.flatMap(termsOf));
}

export function subDims(a: Dim, b: Dim): Dim {
  return addDims(a, mulDims(-1, b));
}

export function mulDims(...dims: readonly Dim[]): Dim {
  return dims.reduce<Dim>((product, dim) => {
    // Adding 0 turns −0 into 0, so that a dim has one form.
    if (typeof product === "number" && typeof dim === "number") return product * dim + 0;
    const terms = termsOf(product).flatMap((p) =>
      termsOf(dim).map((q) =>
        term(p.coefficient * q.coefficient, [...p.symbols, ...q.symbols].sort()),
      ),
    );
    return normalise(terms);
  }, 1);
}

/** `a / b` where it is exact for every binding. @throws ShapeError where it is not. */
export function divideDims(a: Dim, b: Dim): Dim {
  const quotient = divideExactly(a, b);
  if (quotient === undefined) {
    throw new ShapeError(
      `core/divideDims: quotient: expected ${formatDim(b)} to divide ${formatDim(a)} exactly, got a remainder.`,
    );
  }
  return quotient;
}

/**
 * `a / b` where exact for every binding, undefined otherwise and for b = 0. Division by the leading term, in an order
 * of monomials that multiplication keeps, finds the quotient whenever there is one (Cox, Little and O'Shea, Ideals,
 * Varieties, and Algorithms, section 2.3).
 */
export function divideExactly(a: Dim, b: Dim): Dim | undefined {
  const divisor = termsOf(b).toSorted(compareTerms)[0]!;
  if (b === 0) return undefined;
  let rest = a;
  const quotient: DimTerm[] = [];
  while (rest !== 0) {
    const next = divideTerm(termsOf(rest).toSorted(compareTerms)[0]!, divisor);
    if (!next) return undefined;
    quotient.push(next);
    rest = subDims(rest, mulDims(normalise([next]), b));
  }
  return normalise(quotient);
}

function divideTerm(a: DimTerm, b: DimTerm): DimTerm | undefined {
  const symbols = [...a.symbols];
  for (const symbol of b.symbols) {
    const at = symbols.indexOf(symbol);
    if (at < 0) return undefined;
    symbols.splice(at, 1);
  }
  return a.coefficient % b.coefficient === 0
    ? term(a.coefficient / b.coefficient, symbols)
    : undefined;
}

/** Larger monomials first: by degree, then by the powers of the symbols in alphabetical order. */
function compareTerms({ symbols: a }: DimTerm, { symbols: b }: DimTerm): number {
  if (a.length !== b.length) return b.length - a.length;
  const at = a.findIndex((symbol, i) => symbol !== b[i]);
  return at < 0 ? 0 : a[at]! < b[at]! ? -1 : 1;
}

/** Equal for every binding: the normal forms are the same. */
export function equalDims(a: Dim, b: Dim): boolean {
  return typeof a === "number" || typeof b === "number" ? a === b : a.key === b.key;
}

export function formatDim(dim: Dim): string {
  return typeof dim === "number" ? String(dim) : dim.key;
}

export function isSymbolic(dim: Dim): dim is SymbolicDim {
  return typeof dim !== "number";
}

/** The symbols of a dim, sorted. */
export function dimSymbols(dim: Dim): readonly string[] {
  return [...new Set(termsOf(dim).flatMap((t) => t.symbols))].sort();
}

/** Replaces the symbols that `binding` names; others stay. @throws ShapeError when a size or the result is negative or no integer. */
export function bindDim(dim: Dim, binding: DimBinding): Dim {
  const given = (symbol: string): boolean => Object.hasOwn(binding, symbol);
  if (typeof dim === "number" || !dimSymbols(dim).some(given)) return dim;
  const terms = dim.terms.map(({ coefficient, symbols }) => {
    let value = coefficient;
    const rest: string[] = [];
    for (const symbol of symbols) {
      const bound = given(symbol) ? binding[symbol] : undefined;
      if (bound === undefined) rest.push(symbol);
      else value *= checkedSize(symbol, bound);
    }
    return term(value, rest);
  });
  const bound = normalise(terms);
  if (typeof bound === "number" && bound < 0) {
    throw new ShapeError(
      `core/bindDim: ${dim.key}: expected a size of at least 0, got ${bound} (with ${JSON.stringify(binding)}).`,
    );
  }
  return bound;
}

function checkedSize(symbol: string, size: number): number {
  if (Number.isInteger(size) && size >= 0) return size;
  throw new ShapeError(
    `core/bindDim: ${symbol}: expected an integer of at least 0, got ${size}. Bind symbols to sizes.`,
  );
}

/** The number that a dim is under `binding`. @throws ShapeError naming the symbols that are missing. */
export function evaluateDim(dim: Dim, binding: DimBinding): number {
  const bound = bindDim(dim, binding);
  if (typeof bound === "number") return bound;
  throw new ShapeError(
    `core/evaluateDim: ${formatDim(dim)}: expected a size for each symbol, got none for ${dimSymbols(bound).join(", ")}. Bind it.`,
  );
}

function term(coefficient: number, symbols: readonly string[]): DimTerm {
  return Object.freeze({ coefficient, symbols: Object.freeze([...symbols]) });
}

function termsOf(dim: Dim): readonly DimTerm[] {
  return typeof dim === "number" ? [term(dim, [])] : dim.terms;
}

function normalise(terms: readonly DimTerm[]): Dim {
  const byMonomial = new Map<string, DimTerm>();
  for (const { coefficient, symbols } of terms) {
    const monomial = symbols.join("*");
    const before = byMonomial.get(monomial)?.coefficient ?? 0;
    byMonomial.set(monomial, term(before + coefficient, symbols));
  }
  const kept = [...byMonomial.entries()]
    .filter(([, t]) => t.coefficient !== 0)
    // Higher degree first, then by name; the constant comes last: `batch*tokens+12*batch+1`.
    .sort(([a, s], [b, t]) => t.symbols.length - s.symbols.length || (a < b ? -1 : a > b ? 1 : 0))
    .map(([, t]) => t);
  const only = kept[0];
  if (!only) return 0;
  if (kept.length === 1 && only.symbols.length === 0) return only.coefficient;
  // A leading negative term reads worse than `77-tokens`.
  const leading = kept.findIndex((t) => t.coefficient > 0);
  const ordered =
    leading > 0 ? [kept[leading] ?? only, ...kept.filter((_, i) => i !== leading)] : kept;
  const key = ordered.map((t, i) => formatTerm(t, i === 0)).join("");
  return Object.freeze({ terms: Object.freeze(kept), key });
}

function formatTerm({ coefficient, symbols }: DimTerm, first: boolean): string {
  const sign = coefficient < 0 ? "-" : first ? "" : "+";
  const size = Math.abs(coefficient);
  const factors = size === 1 && symbols.length > 0 ? symbols : [String(size), ...symbols];
  return sign + factors.join("*");
}

function badDim(text: string): ShapeError {
  return new ShapeError(
    `core/parseDim: text: expected an integer polynomial such as "12*batch+1", got "${text}". Use symbols, integers, *, + and -.`,
  );
}
