import { describe, expect, it } from "vitest";
import { COMPOSITE_NAMES } from "../ops/composite-defs.js";
import { PRIMITIVE_NAMES } from "../ops/primitive-table.js";
import { bindFeeds } from "../backend/bind-feeds.js";
import { evaluateGraph } from "./evaluate.js";
import type { Float64Tensor } from "./float64-tensor.js";
import { checkGradients } from "./gradient-check.js";
import { OP_CASES, opCasesOf } from "./op-cases.js";
import type { Expectation, OpCase } from "./op-cases/op-case.js";
import { buildCase, caseFeeds, caseGraph } from "./op-cases/run-case.js";

/** float32 constants in the graph and in the values fed leave 6e-8. */
const TOLERANCE = 1e-6;

function expectEntries(got: Float64Tensor, expected: readonly Expectation[]): void {
  expect(got.data).toHaveLength(expected.length);
  const largest = Math.max(
    0,
    ...expected
      .filter((entry) => typeof entry === "number" && Number.isFinite(entry))
      .map((entry) => Math.abs(Number(entry))),
  );
  expected.forEach((entry, i) => {
    const value = got.data[i]!;
    if (entry === "finite") expect(value).toSatisfy(Number.isFinite);
    else if (Number.isFinite(entry))
      expect(Math.abs(value - entry)).toBeLessThanOrEqual(TOLERANCE * largest);
    else expect(value).toBe(entry);
  });
}

function checkExpected(opCase: OpCase): void {
  const built = buildCase(opCase, "float32");
  for (const binding of opCase.bindings) {
    const feeds = caseFeeds(opCase, built, binding);
    for (const [name, feed] of Object.entries(feeds)) if (name.startsWith("d")) feed.data.fill(1);
    const results = evaluateGraph(caseGraph(opCase, built), feeds);
    opCase.expected?.forEach((entries, i) => expectEntries(results[`y${i}`]!, entries));
    opCase.expectedGradients?.forEach((entries, i) => expectEntries(results[`g${i}`]!, entries));
  }
}

function checkSlopes(opCase: OpCase): void {
  const built = buildCase(opCase, "float32", { forwardOnly: true });
  for (const binding of opCase.bindings) {
    const feeds = caseFeeds(opCase, built, binding);
    checkGradients({
      what: `${opCase.op}: ${opCase.name}`,
      build: opCase.build,
      inputs: opCase.inputs.map(({ shape }, i) => ({ shape, values: feeds[`x${i}`]! })),
      wrt: opCase.differentiable,
      binding: bindFeeds("test", built.inputs, feeds),
      entries: 24,
    });
  }
}

describe("the table", () => {
  it.each([...PRIMITIVE_NAMES, ...COMPOSITE_NAMES])("has cases of %s", (op) => {
    expect(opCasesOf(op).length).toBeGreaterThan(0);
  });

  it("has no case of anything else, and no name twice", () => {
    const names = OP_CASES.map(({ op, name }) => `${op}: ${name}`);
    expect(new Set(names).size).toBe(names.length);
    const known: readonly string[] = [...PRIMITIVE_NAMES, ...COMPOSITE_NAMES];
    expect(OP_CASES.filter(({ op }) => !known.includes(op))).toEqual([]);
  });

  it("uses the op that each case is of", () => {
    // In float16, as a cast to float32 leaves no node in float32.
    for (const opCase of OP_CASES) {
      const { outputs, inputs } = buildCase(opCase, "float16", { forwardOnly: true });
      const reached = new Set([...outputs, ...inputs].flatMap(({ node }) => opsBelow(node)));
      expect(reached, `${opCase.op}: ${opCase.name}`).toContain(opCase.op);
    }
  });
});

function opsBelow(node: {
  op: string;
  inputs: readonly { node: Parameters<typeof opsBelow>[0] }[];
}): string[] {
  return [node.op, ...node.inputs.flatMap((operand) => opsBelow(operand.node))];
}

const small = OP_CASES.filter(({ large }) => !large);
const named = (cases: readonly OpCase[]): [string, OpCase][] =>
  cases.map((opCase) => [`${opCase.op}: ${opCase.name}`, opCase]);

describe("the reference gives what is expected, with its derivatives", () => {
  it.each(named(small))("%s", (_, opCase) => checkExpected(opCase));
});

describe("derivatives are those of central differences", () => {
  it.each(named(small.filter(({ smooth, differentiable }) => smooth && differentiable.length > 0)))(
    "%s",
    (_, opCase) => checkSlopes(opCase),
  );
});
