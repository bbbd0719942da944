/** What a run promises: feeds, symbols, outputs, errors, abort, order. */
import {
  add,
  constant,
  createGraph,
  exp,
  hostTensorFrom,
  input,
  isDiptychError,
  matmul,
  mul,
  sum,
  symbolDim,
  tanh,
  type Executable,
  type Feed,
  type HostTensor,
} from "@diptych/core";
import { evaluateGraph } from "@diptych/core/reference";
import { expect } from "vitest";
import type { ContractCheck } from "../contract-check.js";
import { expectClose } from "../matchers.js";
import { BATCH, denseGraph, drawn, floats, statisticsGraph } from "./graphs.js";
import { holding, readAll, type Held } from "./held.js";
import type { BackendSubject } from "./op-checks.js";

type Feeds = Readonly<Record<string, Feed>>;

/** A Diptych error whose message names what is wrong. */
async function expectRefusal(work: Promise<unknown>, ...words: readonly string[]): Promise<void> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(isDiptychError(error), `expected a Diptych error, got ${String(error)}`).toBe(true);
  for (const word of words) expect((error as Error).message).toContain(word);
}

const check = (
  name: string,
  run: (held: Held, tolerance: number) => Promise<void>,
): ContractCheck<BackendSubject> => ({
  name,
  run: ({ backend, tolerances }) => holding(backend, (held) => run(held, tolerances.float32)),
});

async function expectReference(
  held: Held,
  executable: Executable,
  feeds: Readonly<Record<string, HostTensor>>,
  tolerance: number,
): Promise<void> {
  const results = await held.results(executable, feeds);
  for (const [name, expected] of Object.entries(evaluateGraph(denseGraph(), feeds)))
    expectClose(results[name]!, expected, { relativeToLargest: tolerance, what: name });
}

const feeding: readonly ContractCheck<BackendSubject>[] = [
  check("an executable names its inputs and outputs", async (held) => {
    const executable = await held.compile(denseGraph());
    expect([...executable.inputNames].sort()).toEqual(["w", "x"]);
    expect(executable.outputNames).toEqual(["y"]);
  }),
  check("one executable takes every size of a symbol, back and forth", async (held, tolerance) => {
    const executable = await held.compile(denseGraph());
    for (const batch of [3, 1, 17, 0, 3, 64])
      await expectReference(
        held,
        executable,
        { x: drawn([batch, 3], batch), w: drawn([3, 2], 9) },
        tolerance,
      );
  }),
  check("device tensors are fed without being spent", async (held, tolerance) => {
    const executable = await held.compile(denseGraph());
    const weights = await held.upload(drawn([3, 2], 9));
    for (const seed of [1, 2]) {
      const x = drawn([4, 3], seed);
      const { y } = await held.results(executable, { x, w: weights });
      expectClose(y!, evaluateGraph(denseGraph(), { x, w: drawn([3, 2], 9) })["y"]!, {
        relativeToLargest: tolerance,
      });
    }
    expectClose(await weights.read(), drawn([3, 2], 9), { relativeToLargest: 0 });
  }),
  check("an output feeds the next run", async (held, tolerance) => {
    const x = input("x", [3]);
    const executable = await held.compile(createGraph("double", { y: mul(x, 2) }));
    let feeds: Feeds = { x: floats(1, -2, 0.5) };
    for (let i = 0; i < 5; i++) feeds = { x: (await held.run(executable, feeds))["y"]! };
    expectClose(
      (await readAll(feeds as Parameters<typeof readAll>[0]))["x"]!,
      floats(32, -64, 16),
      { relativeToLargest: tolerance },
    );
  }),
  check("a missing feed is named", async (held) => {
    const executable = await held.compile(denseGraph());
    await expectRefusal(executable.run({ x: drawn([2, 3], 1) }), "w");
  }),
  check("a feed of another shape is named with both shapes", async (held) => {
    const executable = await held.compile(denseGraph());
    await expectRefusal(
      executable.run({ x: drawn([2, 3], 1), w: drawn([2, 3], 2) }),
      "w",
      "[3, 2]",
      "[2, 3]",
    );
    await expectRefusal(executable.run({ x: drawn([6], 1), w: drawn([3, 2], 2) }), "x", "[6]");
  }),
  check("a feed of another dtype is named with both dtypes", async (held) => {
    const executable = await held.compile(denseGraph());
    const ints = hostTensorFrom("int32", [3, 2], [1, 2, 3, 4, 5, 6]);
    await expectRefusal(executable.run({ x: drawn([2, 3], 1), w: ints }), "w", "float32", "int32");
  }),
  check("two sizes for one symbol are both named", async (held) => {
    const rows = symbolDim("rows");
    const graph = createGraph("pair", { y: add(input("a", [rows]), input("b", [rows])) });
    const executable = await held.compile(graph);
    await expectRefusal(
      executable.run({ a: floats(1, 2, 3, 4, 5), b: floats(1, 2, 3) }),
      "rows",
      "5",
      "3",
    );
  }),
  check("a refused run leaves the executable usable", async (held, tolerance) => {
    const executable = await held.compile(denseGraph());
    await expectRefusal(executable.run({}));
    await expectReference(
      held,
      executable,
      { x: drawn([2, 3], 1), w: drawn([3, 2], 9) },
      tolerance,
    );
  }),
];

const outputs: readonly ContractCheck<BackendSubject>[] = [
  check("several outputs of one node, one of them twice", async (held, tolerance) => {
    const graph = statisticsGraph();
    const executable = await held.compile(graph);
    const feeds = { x: drawn([4, 5], 1), scale: drawn([5], 2) };
    const results = await held.run(executable, feeds);
    // Each output has memory of its own.
    results["mean"]!.dispose();
    for (const [name, expected] of Object.entries(evaluateGraph(graph, feeds)))
      if (name !== "mean")
        expectClose(await results[name]!.read(), expected, {
          relativeToLargest: tolerance,
          what: name,
        });
  }),
  check("an output that is an input is another tensor", async (held) => {
    const executable = await held.compile(createGraph("identity", { y: input("x", [3]) }));
    const fed = await held.upload(floats(1, 2, 3));
    const { y } = await held.run(executable, { x: fed });
    await fed.write(floats(7, 8, 9));
    expectClose(await y!.read(), floats(1, 2, 3), { relativeToLargest: 0 });
    fed.dispose();
    expectClose(await y!.read(), floats(1, 2, 3), { relativeToLargest: 0 });
  }),
  check("an output that is a constant is new in each run", async (held) => {
    const executable = await held.compile(createGraph("constant", { y: constant(floats(1, 2)) }));
    const { y } = await held.run(executable, {});
    await y!.write(floats(8, 9));
    expectClose((await held.results(executable, {}))["y"]!, floats(1, 2), { relativeToLargest: 0 });
  }),
  check("outputs go into given tensors", async (held, tolerance) => {
    const executable = await held.compile(denseGraph());
    const target = await held.upload(drawn([4, 2], 5));
    const alive = held.backend.memory().tensors;
    for (const seed of [1, 2]) {
      const feeds = { x: drawn([4, 3], seed), w: drawn([3, 2], 9) };
      const { y } = await held.run(executable, feeds, { into: { y: target } });
      expect(y).toBe(target);
      expectClose(await target.read(), evaluateGraph(denseGraph(), feeds)["y"]!, {
        relativeToLargest: tolerance,
      });
    }
    expect(held.backend.memory().tensors).toBe(alive);
  }),
  check("a given tensor that does not fit is refused, and keeps its values", async (held) => {
    const executable = await held.compile(denseGraph());
    const feeds = { x: drawn([4, 3], 1), w: drawn([3, 2], 9) };
    const target = await held.upload(drawn([5, 2], 5));
    await expectRefusal(executable.run(feeds, { into: { y: target } }), "y", "[4, 2]", "[5, 2]");
    expectClose(await target.read(), drawn([5, 2], 5), { relativeToLargest: 0 });
    await expectRefusal(executable.run(feeds, { into: { nothing: target } }), "nothing");
  }),
  check("an output may overwrite a tensor that is also fed", async (held, tolerance) => {
    const x = input("x", [64, 64]);
    const graph = createGraph("square", { y: matmul(x, x) });
    const executable = await held.compile(graph);
    const both = await held.upload(drawn([64, 64], 1));
    await held.run(executable, { x: both }, { into: { y: both } });
    expectClose(await both.read(), evaluateGraph(graph, { x: drawn([64, 64], 1) })["y"]!, {
      relativeToLargest: tolerance,
    });
  }),
];

/** Work for some milliseconds at least on any backend. */
async function compileSlow(held: Held): Promise<readonly [Executable, HostTensor]> {
  let value = input("x", [BATCH, 96]);
  for (let i = 0; i < 12; i++) value = tanh(mul(matmul(value, value, { transposeA: true }), 0.01));
  return [await held.compile(createGraph("slow", { y: sum(exp(value)) })), drawn([96, 96], 1)];
}

/** The name of an AbortError, or of what else a promise rejected with. */
async function ending(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "finished",
    (error: unknown) => (error as Error).name,
  );
}

const order: readonly ContractCheck<BackendSubject>[] = [
  check("runs started together each give their own result", async (held, tolerance) => {
    const executable = await held.compile(denseGraph());
    const feeds = [1, 2, 3, 4, 5].map((seed) => ({
      x: drawn([seed, 3], seed),
      w: drawn([3, 2], 9),
    }));
    const results = await Promise.all(feeds.map((feed) => held.results(executable, feed)));
    feeds.forEach((feed, i) =>
      expectClose(results[i]!["y"]!, evaluateGraph(denseGraph(), feed)["y"]!, {
        relativeToLargest: tolerance,
      }),
    );
  }),
  check("the same feeds give the same bits", async (held) => {
    const [executable, x] = await compileSlow(held);
    const [first, second] = [
      await held.results(executable, { x }),
      await held.results(executable, { x }),
    ];
    expectClose(second["y"]!, first["y"]!, { relativeToLargest: 0 });
  }),
  check("a hundred runs keep no memory", async (held) => {
    const executable = await held.compile(denseGraph());
    const feeds = { x: drawn([4, 3], 1), w: drawn([3, 2], 9) };
    const before = held.backend.memory();
    for (let i = 0; i < 100; i++) (await executable.run(feeds))["y"]!.dispose();
    expect(held.backend.memory()).toEqual(before);
  }),
  check("an aborted signal stops a run before it starts", async (held) => {
    const executable = await held.compile(denseGraph());
    const feeds = { x: drawn([2, 3], 1), w: drawn([3, 2], 9) };
    expect(await ending(held.run(executable, feeds, { signal: AbortSignal.abort() }))).toBe(
      "AbortError",
    );
  }),
  check("a run in flight ends by its signal or by itself, and the next one works", async (held) => {
    const [executable, x] = await compileSlow(held);
    const { y } = await held.results(executable, { x });
    for (const delay of [0, 1, 3]) {
      const abort = new AbortController();
      const run = ending(held.run(executable, { x }, { signal: abort.signal }));
      await new Promise((resolve) => setTimeout(resolve, delay));
      abort.abort();
      expect(["AbortError", "finished"]).toContain(await run);
    }
    expectClose((await held.results(executable, { x }))["y"]!, y!, { relativeToLargest: 0 });
  }),
  check("a waiting run can be ended while another is in flight", async (held) => {
    const [executable, x] = await compileSlow(held);
    const abort = new AbortController();
    const first = held.run(executable, { x });
    const second = ending(held.run(executable, { x }, { signal: abort.signal }));
    abort.abort();
    await first;
    expect(await second).toBe("AbortError");
  }),
];

export const runChecks: readonly ContractCheck<BackendSubject>[] = [
  ...feeding,
  ...outputs,
  ...order,
];
