/** Donation is a permission: whatever the backend makes of it, results equal those of a run without it. */
import {
  add,
  concat,
  createGraph,
  input,
  inputName,
  isDiptychError,
  matmul,
  mul,
  parameter,
  slice,
  sum,
  transpose,
  type Graph,
  type HostTensor,
} from "@diptych/core";
import { evaluateGraph } from "@diptych/core/reference";
import { expect } from "vitest";
import type { ContractCheck } from "../contract-check.js";
import { expectClose } from "../matchers.js";
import { descentGraph, drawn } from "./graphs.js";
import { holding } from "./held.js";
import type { BackendSubject } from "./op-checks.js";

interface DonatedGraph {
  readonly graph: Graph;
  readonly donate: Readonly<Record<string, string>>;
}

const w = parameter("w", [4, 4]);
const v = parameter("v", [4, 4]);
const x = input("x", [4, 4]);
const next = add(w, x);

/** Graphs in which memory that is reused too early shows; inputs are w, v and x, all [4, 4]. */
const GRAPHS: Readonly<Record<string, DonatedGraph>> = {
  "an update in place": { graph: createGraph("update", { next }), donate: { w: "next" } },
  "a donated input that is read after its update": {
    graph: createGraph("late reader", { next, late: matmul(next, w) }),
    donate: { w: "next" },
  },
  "a donated input whose transpose, slice and rows are outputs": {
    graph: createGraph("views", {
      next,
      turned: transpose(w),
      part: slice(w, [1, 0], [2, 4]),
      both: concat([w, next], 0),
      itself: w,
    }),
    donate: { w: "next" },
  },
  "an update that mixes all entries": {
    graph: createGraph("mixing", { next: matmul(transpose(w), w) }),
    donate: { w: "next" },
  },
  "two donated inputs that change places": {
    graph: createGraph("swap", { a: mul(v, 1), b: mul(w, 1) }),
    donate: { w: "a", v: "b" },
  },
  "two donated inputs that pass straight through, crosswise": {
    graph: createGraph("cross", { a: v, b: w }),
    donate: { w: "a", v: "b" },
  },
  "an input that is its own output": {
    graph: createGraph("same", { next: w, total: sum(w) }),
    donate: { w: "next" },
  },
  "an output that does not depend on the donated input": {
    graph: createGraph("unrelated", { next: mul(x, 3), late: add(w, v) }),
    donate: { w: "next" },
  },
};

function feedsOf(graph: Graph, seed: number): Record<string, HostTensor> {
  const all = { w: drawn([4, 4], seed), v: drawn([4, 4], seed + 1), x: drawn([4, 4], seed + 2) };
  const names = new Set(graph.inputs.map(({ node }) => inputName(node)));
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)));
}

const sameResults: readonly ContractCheck<BackendSubject>[] = Object.entries(GRAPHS).map(
  ([name, { graph, donate }]) => ({
    name: `donation: ${name}`,
    run: ({ backend, tolerances }) =>
      holding(backend, async (held) => {
        const executable = await held.compile(graph, { donate });
        for (const seed of [1, 2]) {
          const feeds = feedsOf(graph, seed);
          const expected = evaluateGraph(graph, feeds);
          const device = Object.fromEntries(
            await Promise.all(
              Object.entries(feeds).map(
                async ([key, tensor]) => [key, await held.upload(tensor)] as const,
              ),
            ),
          );
          const results = await held.results(executable, device);
          for (const [output, reference] of Object.entries(expected)) {
            expectClose(results[output]!, reference, {
              relativeToLargest: tolerances.float32,
              what: `${output} of run ${seed}`,
            });
          }
          for (const [key, tensor] of Object.entries(device)) {
            // What was not donated is as it was.
            if (!(key in donate))
              expectClose(await tensor.read(), feeds[key]!, { relativeToLargest: 0, what: key });
          }
        }
      }),
  }),
);

const lifetimes: readonly ContractCheck<BackendSubject>[] = [
  {
    name: "donation: a spent tensor cannot be read or fed again",
    run: ({ backend }) =>
      holding(backend, async (held) => {
        const { graph, donate } = GRAPHS["an update in place"]!;
        const executable = await held.compile(graph, { donate });
        const feeds = { w: await held.upload(drawn([4, 4], 1)), x: drawn([4, 4], 2) };
        await held.run(executable, feeds);
        if (!backend.capabilities.donation) return;
        await expect(feeds.w.read()).rejects.toSatisfy((error) => isDiptychError(error, "BACKEND"));
        await expect(held.run(executable, feeds)).rejects.toSatisfy((error) =>
          isDiptychError(error, "BACKEND"),
        );
      }),
  },
  {
    name: "donation: a host tensor may be fed where an input is donated, and stays as it is",
    run: ({ backend, tolerances }) =>
      holding(backend, async (held) => {
        const { graph, donate } = GRAPHS["an update in place"]!;
        const feeds = feedsOf(graph, 5);
        const executable = await held.compile(graph, { donate });
        for (let i = 0; i < 2; i++) {
          const results = await held.results(executable, feeds);
          expectClose(results["next"]!, evaluateGraph(graph, feeds)["next"]!, {
            relativeToLargest: tolerances.float32,
          });
        }
        expectClose(feeds["w"]!, drawn([4, 4], 5), { relativeToLargest: 0 });
      }),
  },
  {
    name: "donation: one tensor fed twice, donated once",
    run: ({ backend, tolerances }) =>
      holding(backend, async (held) => {
        const { graph, donate } = GRAPHS["a donated input that is read after its update"]!;
        const executable = await held.compile(graph, { donate });
        const both = await held.upload(drawn([4, 4], 7));
        const results = await held.results(executable, { w: both, x: both });
        const expected = evaluateGraph(graph, { w: drawn([4, 4], 7), x: drawn([4, 4], 7) });
        for (const name of Object.keys(expected))
          expectClose(results[name]!, expected[name]!, {
            relativeToLargest: tolerances.float32,
            what: name,
          });
      }),
  },
  {
    name: "donation: twenty steps of descent in place give what the reference gives",
    run: ({ backend, tolerances }) =>
      holding(backend, async (held) => {
        const graph = descentGraph();
        const data = { x: drawn([8, 3], 1), target: drawn([8, 2], 2) };
        const executable = await held.compile(graph, { donate: { w: "next" } });
        let weights = await held.upload(drawn([3, 2], 3));
        let expected = evaluateGraph(graph, { ...data, w: drawn([3, 2], 3) });
        for (let step = 0; step < 20; step++) {
          const outputs = await held.run(executable, { ...data, w: weights });
          weights = outputs["next"]!;
          const loss = await outputs["loss"]!.read();
          expectClose(loss, expected["loss"]!, {
            relativeToLargest: 10 * tolerances.float32,
            what: `loss of step ${step}`,
          });
          // Rounding adds up over the steps.
          expectClose(await weights.read(), expected["next"]!, {
            relativeToLargest: 10 * tolerances.float32,
            what: `weights of step ${step}`,
          });
          expected = evaluateGraph(graph, { ...data, w: expected["next"]! });
        }
      }),
  },
  {
    name: "donation: of another shape, dtype or name is refused when compiling",
    run: ({ backend }) =>
      holding(backend, async (held) => {
        const graph = createGraph("misfit", { total: sum(w), next });
        for (const donate of [
          { w: "total" },
          { nothing: "next" },
          { w: "nothing" },
          { w: "next", x: "next" },
        ]) {
          await expect(held.compile(graph, { donate })).rejects.toSatisfy((error) =>
            isDiptychError(error),
          );
        }
      }),
  },
];

export const donationChecks: readonly ContractCheck<BackendSubject>[] = [
  ...sameResults,
  ...lifetimes,
];
