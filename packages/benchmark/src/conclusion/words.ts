/** Numbers and lists as sentences have them. */
import type { Budget } from "../comparison.js";

/** "a", "a and b", "a, b and c". */
export function listText(parts: readonly string[]): string {
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} and ${last}`;
}

export function seedsText(count: number): string {
  return count === 1 ? "1 seed" : `${count} seeds`;
}

/** Two significant digits, never 0: a p is not known to be 0. */
export function pText(p: number): string {
  if (p < 1e-4) return "p < 0.0001";
  return `p = ${p >= 0.1 ? p.toFixed(2) : String(Number(p.toPrecision(2)))}`;
}

/** A number with its sign as a true minus; `digits` after the point. */
export function signedText(value: number, digits: number): string {
  return value.toFixed(digits).replace("-", "−");
}

export function budgetText({ kind, amount }: Budget): string {
  const number = amount.toLocaleString("en-US", { maximumFractionDigits: 2 });
  switch (kind) {
    case "samples":
      return `${number} pictures seen`;
    case "flops":
      return `${amount.toExponential(2)} floating-point operations`;
    case "seconds":
      return `${number} seconds of training`;
  }
}
