import { describe, expect, it } from "vitest";
import { formatBudget, parseBudget, stepsWithin } from "./budget.js";

describe("a budget", () => {
  it.each([
    ["samples=200k", "samples", 200_000],
    ["samples=76.8k", "samples", 76_800],
    ["samples = 1_000_000", "samples", 1e6],
    ["samples=1,500", "samples", 1500],
    ["FLOPs=2e15", "flops", 2e15],
    ["flops=1.5P", "flops", 1.5e15],
    ["flops=3T", "flops", 3e12],
    ["seconds=120", "seconds", 120],
  ])("reads %s", (text, kind, amount) => {
    expect(parseBudget(text)).toEqual({ kind, amount });
  });
  it.each([
    "",
    "200k",
    "samples",
    "samples=",
    "samples=0",
    "samples=-5",
    "steps=5",
    "samples=many",
    "samples=1q",
  ])("refuses %j, saying what it takes", (text) => {
    expect(() => parseBudget(text)).toThrow(
      /expected samples=200k, flops=2e15 or seconds=120, got/,
    );
  });
  it("is said in its unit", () => {
    expect(formatBudget({ kind: "samples", amount: 200_000 })).toBe("200,000 pictures");
    expect(formatBudget({ kind: "flops", amount: 2e15 })).toBe("2.00e+15 FLOPs");
    expect(formatBudget({ kind: "seconds", amount: 90 })).toBe("90 seconds of training");
  });
});

describe("steps within a budget", () => {
  const cost = { samples: 192, flops: 5e9 };
  it("are whole, and never more than it pays for", () => {
    expect(stepsWithin({ kind: "samples", amount: 76_800 }, "a", cost)).toBe(400);
    expect(stepsWithin({ kind: "samples", amount: 76_799 }, "a", cost)).toBe(399);
    expect(stepsWithin({ kind: "flops", amount: 2.4e10 }, "a", cost)).toBe(4);
  });
  it("are as many as their time allows where it is of seconds", () => {
    const timed = { ...cost, seconds: 0.4 };
    expect(stepsWithin({ kind: "seconds", amount: 60 }, "a", timed)).toBe(150);
    expect(() =>
      stepsWithin({ kind: "seconds", amount: 2 }, "a", { ...cost, seconds: 2.5 }),
    ).toThrow(/--budget seconds=3 or more/);
    expect(() => stepsWithin({ kind: "seconds", amount: 60 }, "a", cost)).toThrow(/to be timed/);
  });
  it("are at least one: what one costs is said", () => {
    expect(() => stepsWithin({ kind: "samples", amount: 191 }, "mine", cost)).toThrow(
      /budget of mine: expected at least one step, 192 pictures, got 191 pictures\. Give --budget samples=192 or more/,
    );
    expect(() => stepsWithin({ kind: "flops", amount: 1e9 }, "mine", cost)).toThrow(
      /--budget flops=5\.00e\+9 or more/,
    );
  });
});
