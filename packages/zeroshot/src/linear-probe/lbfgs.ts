/** L-BFGS in float64: Nocedal & Wright, Numerical Optimization (2nd ed.), algorithms 7.4 and 7.5. */
import { findStep, type LinePoint } from "./line-search.js";

export interface Evaluated {
  readonly value: number;
  readonly gradient: Float64Array;
}

export interface LbfgsOptions {
  readonly start: Float64Array;
  readonly objective: (x: Float64Array) => Promise<Evaluated>;
  readonly maxIterations: number;
  /** Ends where no entry of the gradient is larger. */
  readonly tolerance: number;
  /** Ends where an iteration gains no more than this share of the value (or of 1); 64 roundings, as scikit-learn. */
  readonly valueTolerance?: number;
  /** Corrections kept; 10 as in SciPy. */
  readonly memory?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onIteration?: ((iteration: number) => void) | undefined;
}

export interface LbfgsResult extends Evaluated {
  readonly x: Float64Array;
  readonly iterations: number;
  readonly evaluations: number;
  /** What ended it; `line`: no step gains anything any more. */
  readonly reason: "gradient" | "value" | "line" | "iterations";
}

/** Minimises a smooth function. @throws the signal's reason once it is aborted. */
export async function minimise(options: LbfgsOptions): Promise<LbfgsResult> {
  const { start, maxIterations, tolerance, memory = 10, signal, onIteration } = options;
  const { valueTolerance = 64 * Number.EPSILON } = options;
  let evaluations = 0;
  const objective = (x: Float64Array): Promise<Evaluated> => {
    signal?.throwIfAborted();
    evaluations += 1;
    return options.objective(x);
  };
  let x = start;
  let current = await objective(x);
  const pairs: CorrectionPair[] = [];
  for (let iteration = 0; ; iteration++) {
    const done = (reason: LbfgsResult["reason"], iterations = iteration): LbfgsResult =>
      Object.freeze({ ...current, x, iterations, evaluations, reason });
    if (largest(current.gradient) <= tolerance) return done("gradient");
    if (iteration >= maxIterations) return done("iterations");
    const direction = descend(current.gradient, pairs);
    const found = await searchAlong(objective, {
      x,
      current,
      direction,
      isFirst: pairs.length === 0,
    });
    if (!found) {
      if (pairs.length === 0) return done("line");
      // Old corrections may be at fault: once more along the gradient itself.
      pairs.length = 0;
      continue;
    }
    const step = subtract(found.x, x);
    const change = subtract(found.gradient, current.gradient);
    const product = dot(step, change);
    if (product > Number.EPSILON * dot(change, change)) {
      pairs.push({ step, change, product });
      if (pairs.length > memory) pairs.shift();
    }
    const gain = current.value - found.value;
    const scale = Math.max(Math.abs(current.value), Math.abs(found.value), 1);
    x = found.x;
    current = found;
    onIteration?.(iteration + 1);
    if (gain <= valueTolerance * scale) return done("value", iteration + 1);
  }
}

interface CorrectionPair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly product: number;
}

/** −H∇f by the two-loop recursion (algorithm 7.4), H₀ = (sᵀy / yᵀy) I. */
function descend(gradient: Float64Array, pairs: readonly CorrectionPair[]): Float64Array {
  const q = Float64Array.from(gradient);
  const alphas: number[] = [];
  for (const { step, change, product } of [...pairs].reverse()) {
    const alpha = dot(step, q) / product;
    alphas.push(alpha);
    addScaled(q, change, -alpha);
  }
  const last = pairs.at(-1);
  const scale = last ? last.product / dot(last.change, last.change) : 1;
  for (let i = 0; i < q.length; i++) q[i] = (q[i] ?? 0) * scale;
  for (const { step, change, product } of pairs) {
    const beta = dot(change, q) / product;
    addScaled(q, step, (alphas.pop() ?? 0) - beta);
  }
  for (let i = 0; i < q.length; i++) q[i] = -(q[i] ?? 0);
  return q;
}

async function searchAlong(
  objective: LbfgsOptions["objective"],
  {
    x,
    current,
    direction,
    isFirst,
  }: { x: Float64Array; current: Evaluated; direction: Float64Array; isFirst: boolean },
): Promise<(Evaluated & { readonly x: Float64Array }) | undefined> {
  const slope = dot(current.gradient, direction);
  if (!(slope < 0)) return undefined;
  const seen = new Map<number, Evaluated & { readonly x: Float64Array }>();
  const at = async (step: number): Promise<LinePoint> => {
    const there = Float64Array.from(x);
    addScaled(there, direction, step);
    const found = await objective(there);
    seen.set(step, { ...found, x: there });
    return { step, value: found.value, slope: dot(found.gradient, direction) };
  };
  // Without corrections the direction's length says nothing: at most a step of length 1.
  const firstStep = isFirst ? Math.min(1, 1 / Math.sqrt(dot(direction, direction))) : 1;
  const start = { step: 0, value: current.value, slope };
  const found = await findStep({ start, firstStep, at });
  return found && seen.get(found.step);
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += (a[i] ?? 0) * (b[i] ?? 0);
  return total;
}

function subtract(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - (b[i] ?? 0));
}

function addScaled(to: Float64Array, values: Float64Array, scale: number): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] ?? 0) + scale * (values[i] ?? 0);
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
