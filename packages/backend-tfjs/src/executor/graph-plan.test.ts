import {
  add,
  createGraph,
  dimSize,
  cast,
  exp,
  input,
  mul,
  parameter,
  scalar,
  symbolDim,
  transpose,
  type Graph,
} from "@diptych/core";
import { expect, test } from "vitest";
import { planGraph, type GraphPlan, type Step } from "./graph-plan.js";

const none: ReadonlySet<string> = new Set();

const ops = (steps: readonly Step[]): readonly string[] => steps.map(({ node }) => node.op);

/** Slots freed after each step, as the ops that filled them. */
function freedBy(plan: GraphPlan): readonly (readonly string[])[] {
  const names = new Map(plan.feeds.map(({ slot, name }) => [slot, name]));
  for (const { node, outputs } of plan.steps) for (const slot of outputs) names.set(slot, node.op);
  return plan.steps.map(({ frees }) => frees.map((slot) => names.get(slot) ?? "constant"));
}

test("a slot is freed by its last reader, an output by nobody", () => {
  const x = input("x", [2]);
  const doubled = add(x, x);
  const graph = createGraph("g", { y: mul(exp(doubled), doubled) });
  const plan = planGraph(graph, none);
  expect(ops(plan.steps)).toEqual(["add", "exp", "mul"]);
  expect(freedBy(plan)).toEqual([["x"], [], ["exp", "add"]]);
});

test("an output that a later node reads stays", () => {
  const x = input("x", [2]);
  const y = exp(x);
  expect(freedBy(planGraph(createGraph("g", { y, z: mul(y, y) }), none))).toEqual([["x"], []]);
});

test("what depends on constants alone is computed when compiling", () => {
  const [x, w] = [input("x", [2, 3]), parameter("w", [3, 2])];
  const graph = createGraph("g", { y: add(x, transpose(w)) });
  const plan = planGraph(graph, new Set(["w"]));
  expect(ops(plan.foldSteps)).toEqual(["transpose"]);
  expect(ops(plan.steps)).toEqual(["add"]);
  expect(plan.feeds.map(({ name }) => name)).toEqual(["x"]);
  // The matrix as it was given is not read by runs.
  expect(plan.readAtRun.has(plan.given[0]!.slot)).toBe(false);
});

test("sizes that only a run tells are not constants", () => {
  const batch = symbolDim("batch");
  const x = input("x", [batch]);
  const graph: Graph = createGraph("g", { y: mul(x, cast(dimSize(batch), "float32")) });
  expect(ops(planGraph(graph, none).foldSteps)).toEqual([]);
});

test("a constant result larger than what it is made of is computed in each run", () => {
  const row = parameter("row", [1, 400]);
  const column = parameter("column", [400, 1]);
  const plan = planGraph(createGraph("g", { y: mul(row, column) }), new Set(["row", "column"]));
  expect(ops(plan.foldSteps)).toEqual([]);
  expect(ops(plan.steps)).toEqual(["mul"]);
});

test("inputs, constants and second names of an output are handed out as other tensors", () => {
  const x = input("x", [2]);
  const y = exp(x);
  const plan = planGraph(createGraph("g", { x, one: scalar(1), y, again: y }), none);
  expect(plan.outputs.map(({ name, take }) => [name, take])).toEqual([
    ["x", false],
    ["one", false],
    ["y", true],
    ["again", false],
  ]);
});

test("an input that nobody reads is known as such", () => {
  const [x, idle] = [input("x", [2]), input("idle", [2])];
  const plan = planGraph(createGraph("g", { y: exp(x) }, [x, idle]), none);
  expect(plan.feeds.map(({ name, unread }) => [name, unread])).toEqual([
    ["x", false],
    ["idle", true],
  ]);
});
