/** The error function and gelu by a table: a cubic between two of its entries. */
import { floatsOf, inputOf, type WasmKernel } from "./wasm-memory.js";

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);

/** Beyond, erf is 1 to the last digit of float32. */
const END = 4;
/** Entries to one: a cubic through values and slopes is off by less than (1/64)⁴/384·max|erf⁗| < 2e-9. */
const STEPS = 64;

/** erf x = 2/√π·exp(−x²)·Σ 2ⁿx²ⁿ⁺¹/(2n+1)!! (Abramowitz and Stegun, 7.1.6): every term has the sign of x. */
function erf(x: number): number {
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return TWO_OVER_SQRT_PI * Math.exp(-x * x) * total;
}

let table: Float64Array | undefined;

/** Coefficients of each cubic from −END on, by powers of how far x is from its left entry. */
function erfTable(): Float64Array {
  if (table) return table;
  table = new Float64Array(4 * 2 * END * STEPS);
  for (let i = 0; i < 2 * END * STEPS; i++) {
    const [x0, x1] = [i / STEPS - END, (i + 1) / STEPS - END];
    const [y0, y1] = [erf(x0), erf(x1)];
    const [s0, s1] = [x0, x1].map((x) => (TWO_OVER_SQRT_PI * Math.exp(-x * x)) / STEPS) as [
      number,
      number,
    ];
    table.set([y0, s0, 3 * (y1 - y0) - 2 * s0 - s1, 2 * (y0 - y1) + s0 + s1], 4 * i);
  }
  return table;
}

/** y = erf x. Two loops rather than one with a flag: entries are many, and each counts. */
function fillErf(y: Float32Array, x: Float32Array): void {
  const cubics = erfTable();
  for (let i = 0; i < x.length; i++) {
    const place = x[i]! * STEPS + END * STEPS;
    if (place <= 0) y[i] = -1;
    else if (place >= 2 * END * STEPS) y[i] = 1;
    else {
      // NaN comes here: its t is NaN.
      const left = place | 0;
      const t = place - left;
      const at = 4 * left;
      y[i] = cubics[at]! + t * (cubics[at + 1]! + t * (cubics[at + 2]! + t * cubics[at + 3]!));
    }
  }
}

/** y = x/2·(1 + erf(x/√2)). */
function fillGelu(y: Float32Array, x: Float32Array): void {
  const cubics = erfTable();
  const scale = Math.SQRT1_2 * STEPS;
  for (let i = 0; i < x.length; i++) {
    const value = x[i]!;
    const place = value * scale + END * STEPS;
    if (place <= 0) y[i] = -0;
    else if (place >= 2 * END * STEPS) y[i] = value;
    else {
      const left = place | 0;
      const t = place - left;
      const at = 4 * left;
      const rest = cubics[at + 1]! + t * (cubics[at + 2]! + t * cubics[at + 3]!);
      y[i] = 0.5 * value * (1 + cubics[at]! + t * rest);
    }
  }
}

const kernelOf =
  (fill: (y: Float32Array, x: Float32Array) => void): WasmKernel =>
  (call) => {
    const { backend } = call;
    const x = inputOf(call, "x");
    const y = backend.makeOutput(x.shape, "float32");
    fill(floatsOf(backend, y), floatsOf(backend, x));
    return y;
  };

export const GAUSSIAN_KERNELS = { Erf: kernelOf(fillErf), Gelu: kernelOf(fillGelu) };
