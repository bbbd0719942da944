/** Quantile of Student's t, for the bands of curves. */

/** t with P(T ≤ t) = `probability` for `degrees` ≥ 1 of freedom; by bisection over Simpson's rule, within 1e-6. */
export function studentQuantile(probability: number, degrees: number): number {
  let [low, high] = [0, 700];
  while (high - low > 1e-7) {
    const middle = (low + high) / 2;
    if (cumulative(middle, degrees) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** With t = √ν·tan θ the density is cos^(ν−1) θ over its own integral up to π/2. */
function cumulative(t: number, degrees: number): number {
  const integral = (to: number): number => {
    const steps = 400;
    let sum = 0;
    for (let i = 0; i <= steps; i++) {
      const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
      sum += weight * Math.cos((to * i) / steps) ** (degrees - 1);
    }
    return (sum * to) / steps / 3;
  };
  return 0.5 + (0.5 * integral(Math.atan(t / Math.sqrt(degrees)))) / integral(Math.PI / 2);
}
