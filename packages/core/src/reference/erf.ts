/** The error function to the last digits of float64 (Abramowitz and Stegun, 7.1.6 and 7.1.14). */

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);

/** 2/√π ∫₀ˣ exp(−t²) dt, within 1e-15. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return NaN;
  if (size > 6) return Math.sign(x);
  // Beyond 2 the rounding of x² inside exp would show; there 1 − erfc has it multiplied by a small number.
  return size <= 2 ? seriesErf(x) : Math.sign(x) * (1 - fractionErfc(size));
}

/** 2/√π·exp(−x²)·Σ 2ⁿx²ⁿ⁺¹/(2n+1)!!: every term has the sign of x, so nothing cancels. */
function seriesErf(x: number): number {
  const square = x * x;
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= (2 * square) / (2 * n + 1);
    total += term;
  }
  return TWO_OVER_SQRT_PI * Math.exp(-square) * total;
}

/** exp(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))) from its 60th term, for x ≥ 2. */
function fractionErfc(x: number): number {
  let tail = x;
  for (let n = 60; n >= 1; n--) tail = x + n / 2 / tail;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * tail);
}
