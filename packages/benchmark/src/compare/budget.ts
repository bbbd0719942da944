/** Budgets as people write them, and the steps that they buy. */
import { ConfigError, InternalError } from "@diptych/core";
import type { Budget } from "../comparison.js";

const KINDS = ["samples", "flops", "seconds"] as const;
const SUFFIXES: Readonly<Record<string, number>> = Object.freeze({
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  p: 1e15,
});
const UNITS: Readonly<Record<Budget["kind"], string>> = Object.freeze({
  samples: "pictures",
  flops: "FLOPs",
  seconds: "seconds of training",
});

/** `samples=200k`, `flops=2e15`, `seconds=120`. @throws ConfigError on anything else. */
export function parseBudget(text: string): Budget {
  const [, name = "", number = "", suffix = ""] =
    /^\s*([a-z]+)\s*=\s*([\d_,.]+(?:e[+-]?\d+)?)\s*([kmgtp]?)\s*$/i.exec(text) ?? [];
  const kind = KINDS.find((known) => known === name.toLowerCase());
  const amount = Number(number.replace(/[_,]/g, "")) * (SUFFIXES[suffix.toLowerCase()] ?? 1);
  if (kind && number !== "" && Number.isFinite(amount) && amount > 0) {
    return Object.freeze({ kind, amount });
  }
  throw new ConfigError(
    `benchmark/parseBudget: budget: expected samples=200k, flops=2e15 or seconds=120, got "${text}".`,
  );
}

/** `200,000 pictures`. */
export function formatBudget({ kind, amount }: Budget): string {
  const number = amount >= 1e9 ? amount.toExponential(2) : amount.toLocaleString("en");
  return `${number} ${UNITS[kind]}`;
}

/** What one step of a method costs. */
export interface StepCost {
  /** Pictures. */
  readonly samples: number;
  readonly flops: number;
  /** On this machine, where it was timed. */
  readonly seconds?: number;
}

/** Whole steps that a budget pays for. @throws ConfigError where it does not pay for one. */
export function stepsWithin(budget: Budget, method: string, cost: StepCost): number {
  const price = cost[budget.kind];
  if (price === undefined) {
    throw new InternalError(
      `benchmark/compare: budget of ${method}: expected its steps to be timed, got none.`,
    );
  }
  const steps = Math.floor(budget.amount / price);
  if (steps >= 1) return steps;
  const least = {
    samples: `samples=${price}`,
    flops: `flops=${price.toExponential(2)}`,
    seconds: `seconds=${Math.ceil(price)}`,
  }[budget.kind];
  throw new ConfigError(
    `benchmark/compare: budget of ${method}: expected at least one step, ${formatBudget({ kind: budget.kind, amount: price })}, got ${formatBudget(budget)}. Give --budget ${least} or more, or a smaller batch.`,
  );
}
