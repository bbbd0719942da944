/** That no op goes without a derivative that is checked: the checks themselves run over the shared table of cases. */
import { describe, expect, it } from "vitest";
import { dtypeOf } from "../graph/node.js";
import { isLeafInput } from "../graph/graph.js";
import { nodesInOrder } from "../graph/traverse.js";
import { COMPOSITE_NAMES } from "../ops/composite-defs.js";
import { PRIMITIVE_NAMES } from "../ops/primitive-table.js";
import { isDifferentiable } from "../ops/primitives/elementwise.js";
import { opCasesOf } from "../reference/op-cases.js";
import { buildCase } from "../reference/op-cases/run-case.js";
import { GRADIENT_RULES } from "./rule-table.js";

const differentiable = PRIMITIVE_NAMES.filter((name) => typeof GRADIENT_RULES[name] === "function");
const refusing = PRIMITIVE_NAMES.filter((name) => !differentiable.includes(name));
const leaves: readonly string[] = ["input", "parameter", "constant"];

describe("GRADIENT_RULES", () => {
  it("has a rule for every primitive and for nothing else", () => {
    expect(Object.keys(GRADIENT_RULES).sort()).toEqual([...PRIMITIVE_NAMES].sort());
  });

  it("refuses what has no derivative, saying why", () => {
    expect(refusing).toEqual([
      "iota",
      "dimSize",
      "compare",
      "and",
      "or",
      "not",
      "stopGradient",
      "argmax",
    ]);
    for (const name of refusing) {
      const rule = GRADIENT_RULES[name];
      expect("notDifferentiable" in rule && rule.notDifferentiable.length).toBeGreaterThan(10);
    }
  });
});

/** Only a mask goes in. */
const withoutFloats: readonly string[] = ["countTrue"];

describe.each([
  ...differentiable.filter((name) => !leaves.includes(name)),
  ...COMPOSITE_NAMES.filter((name) => !withoutFloats.includes(name)),
])("%s", (op) => {
  const cases = opCasesOf(op).filter(({ smooth, large }) => smooth && !large);

  it("is held to central differences by every float operand", () => {
    const checked = new Set<number>();
    let operands = 0;
    for (const opCase of cases) {
      // In float16, as a cast to float32 leaves no node in float32; the evaluator rounds neither.
      const { inputs, outputs } = buildCase(opCase, "float16", { forwardOnly: true });
      const wrt = opCase.differentiable.map((i) => inputs[i]!.node);
      for (const node of nodesInOrder(outputs).filter((found) => found.op === op)) {
        const floats = node.inputs.flatMap((value, i) => (isDifferentiable(value) ? [i] : []));
        operands = Math.max(operands, floats.length);
        for (const i of floats) {
          const below = nodesInOrder([node.inputs[i]!]);
          if (below.some((found) => wrt.includes(found))) checked.add(i);
        }
      }
    }
    // `after` passes nothing to what it waits for.
    expect(checked.size).toBeGreaterThanOrEqual(op === "after" ? 1 : Math.max(1, operands));
  });

  it("keeps the dtype of what it differentiates by in 16 bits", () => {
    for (const opCase of cases.filter(({ dtypes }) => dtypes.includes("bfloat16"))) {
      const built = buildCase(opCase, "bfloat16");
      expect(built.inputs.every(({ node }) => isLeafInput(node))).toBe(true);
      expect(built.gradients.map(dtypeOf)).toEqual(
        opCase.differentiable.map((i) => dtypeOf(built.inputs[i]!)),
      );
    }
  });
});
