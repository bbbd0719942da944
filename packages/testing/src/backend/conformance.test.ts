import {
  BackendError,
  createGraph,
  dtypeOf,
  hostTensorFrom,
  isFloat,
  mul,
  zerosHost,
  type Backend,
  type DeviceTensor,
  type Executable,
  type Graph,
} from "@diptych/core";
import { createReferenceBackend, OP_CASES } from "@diptych/core/reference";
import { describe, expect, it } from "vitest";
import { expectFaultsFound, failingChecks } from "../failing-checks.test-support.js";
import { donationChecks } from "./donation-checks.js";
import {
  faulty,
  onCompile,
  onRun,
  onUpload,
  without,
  type Feeds,
} from "./faulty-backend.test-support.js";
import { checkCase } from "./op-checks.js";
import { runChecks } from "./run-checks.js";
import { disposalCheck, tensorChecks } from "./tensor-checks.js";

const isAbort = (error: unknown): boolean => (error as Error).name === "AbortError";

describe("op checks", () => {
  const scaled = (factor: number) =>
    onCompile((inner, graph, options) => {
      const outputs = Object.entries(graph.outputs).map(
        ([name, value]) => [name, isFloat(dtypeOf(value)) ? mul(value, factor) : value] as const,
      );
      return inner.compile(
        createGraph(graph.name, Object.fromEntries(outputs), graph.inputs),
        options,
      );
    });
  const cases = OP_CASES.filter(({ name }) =>
    ["equal shapes", "matrices", "plain"].includes(name),
  ).filter(({ op }) => op !== "select");

  it("find an error of one part in ten thousand", async () => {
    const wrong = scaled(1.0001);
    expect(cases.length).toBeGreaterThan(8);
    for (const opCase of cases)
      await expect(checkCase(opCase, "float32", wrong), opCase.op).rejects.toThrow(/off by/);
  });

  it("let one rounding pass", async () => {
    const near = scaled(1 + 2 ** -23);
    for (const opCase of cases) await checkCase(opCase, "float32", near);
  });

  it("find an op that is missing", async () => {
    const missing = onCompile(() => Promise.reject(new BackendError("no such op")));
    await expect(checkCase(cases[0]!, "float32", missing)).rejects.toThrow("no such op");
  });

  it("find memory that is kept", async () => {
    const leaking = onRun(async (executable, feeds, options) => {
      await executable.run(feeds, options);
      return executable.run(feeds, options);
    });
    await expect(checkCase(cases[0]!, "float32", leaking)).rejects.toThrow(
      "memory after everything was disposed",
    );
  });
});

describe("run checks", () => {
  /** An executable that stays with the sizes of its first run. */
  const fixedSizes = onCompile(async (inner, graph, options) => {
    const executable = await inner.compile(graph, options);
    let first: string | undefined;
    return {
      ...executable,
      run: async (feeds, given) => {
        const shapes = JSON.stringify(Object.values(feeds).map(({ shape }) => shape));
        first ??= shapes;
        if (shapes !== first) throw new BackendError("other sizes");
        return executable.run(feeds, given);
      },
    };
  });

  /** An executable that no longer works once it has refused feeds. */
  const lostByRefusal = onCompile(async (inner, graph, options) => {
    const executable = await inner.compile(graph, options);
    let lost = false;
    return {
      ...executable,
      run: async (feeds, given) => {
        if (lost) throw new BackendError("lost");
        return executable.run(feeds, given).catch((error: unknown) => {
          lost = true;
          throw error;
        });
      },
    };
  });

  /** A graph without inputs is run once, and its outputs are given again. */
  const keptConstants = onCompile(async (inner, graph, options) => {
    const executable = await inner.compile(graph, options);
    let first: Awaited<ReturnType<Executable["run"]>> | undefined;
    return {
      ...executable,
      run: async (feeds, given) =>
        graph.inputs.length > 0
          ? executable.run(feeds, given)
          : (first ??= await executable.run({})),
    };
  });

  const spentFeeds = onRun(async (executable, feeds, options) => {
    const outputs = await executable.run(feeds, options);
    for (const feed of Object.values(feeds))
      if ("dispose" in feed && !Object.values(outputs).includes(feed)) feed.dispose();
    return outputs;
  });

  const sharedOutputs = onRun(async (executable, feeds, options) => {
    const outputs = await executable.run(feeds, options);
    if (!outputs["again"]) return outputs;
    outputs["again"].dispose();
    return { ...outputs, again: outputs["mean"]! };
  });

  /** Gives the fed tensor where a graph is the identity. */
  const aliasedInput = onRun(async (executable, feeds, options) => {
    const { x } = feeds;
    const outputs = await executable.run(feeds, options);
    const isIdentity =
      x &&
      "read" in x &&
      x.shape.join() === "3" &&
      (await x.read()).data[0] === (await outputs["y"]!.read()).data[0];
    if (!isIdentity) return outputs;
    outputs["y"]!.dispose();
    return { y: x };
  });

  const uncheckedInto = onRun(async (executable, feeds, options) => {
    const outputs = await executable.run(feeds, without(options, "into"));
    const target = options?.into?.["y"];
    if (!target) return outputs;
    const result = await outputs["y"]!.read();
    outputs["y"]!.dispose();
    // Whatever the shape, the values of the run.
    const values = zerosHost("float32", target.shape);
    values.data.set(result.data.subarray(0, values.data.length));
    await target.write(values);
    return { y: target };
  });

  let latest: Feeds = {};
  const mixedFeeds = onRun(async (executable, feeds, options) => {
    latest = feeds;
    await new Promise((resolve) => setTimeout(resolve, 1));
    return executable.run(latest, options);
  });

  const chance = onRun(async (executable, feeds, options) => {
    const outputs = await executable.run(feeds, options);
    const { y } = outputs;
    if (y?.shape.length === 0) await y.write(hostTensorFrom("float32", [], [Math.random()]));
    return outputs;
  });

  const failing = (change: (error: unknown) => unknown) =>
    onRun((executable, feeds, options) =>
      executable.run(feeds, options).catch((error: unknown) => {
        throw change(error);
      }),
    );

  it("find every fault", async () => {
    await expectFaultsFound(runChecks, [
      [
        "other names",
        onCompile(async (inner, ...rest) => ({
          ...(await inner.compile(...rest)),
          inputNames: ["a"],
        })),
        /names its inputs/,
      ],
      ["sizes of the first run", fixedSizes, /every size/],
      ["feeds that are spent", spentFeeds, /without being spent/],
      [
        "outputs that cannot be fed",
        onRun(async (executable, feeds, options) => {
          if (Object.values(feeds).some((feed) => "read" in feed))
            throw new BackendError("host tensors only");
          return executable.run(feeds, options);
        }),
        /feeds the next run/,
      ],
      [
        "errors without names",
        failing((error) => (isAbort(error) ? error : new BackendError("the run failed"))),
        /missing feed/,
      ],
      [
        "errors of another kind",
        failing(() => new TypeError("undefined is not a function")),
        /another shape/,
      ],
      ["an executable that is lost by a refusal", lostByRefusal, /usable/],
      ["outputs that share memory", sharedOutputs, /one of them twice/],
      ["an output that is the fed tensor", aliasedInput, /is an input/],
      ["a constant that is kept", keptConstants, /constant is new/],
      [
        "into that is ignored",
        onRun((executable, feeds, options) => executable.run(feeds, without(options, "into"))),
        /into given tensors/,
      ],
      ["into without a check", uncheckedInto, /does not fit/],
      [
        "into that is not allowed",
        onRun((executable, feeds, options) => {
          const fed = Object.values(feeds) as unknown[];
          if (Object.values(options?.into ?? {}).some((tensor) => fed.includes(tensor)))
            throw new BackendError("in use");
          return executable.run(feeds, options);
        }),
        /also fed/,
      ],
      ["runs that mix their feeds", mixedFeeds, /started together/],
      ["results of chance", chance, /same bits/],
      [
        "outputs that stay alive",
        onRun(async (executable, feeds, options) => {
          await executable.run(feeds, without(options, "signal"));
          return executable.run(feeds, options);
        }),
        /keep no memory/,
      ],
      [
        "a signal that is ignored",
        onRun((executable, feeds, options) => executable.run(feeds, without(options, "signal"))),
        /before it starts/,
      ],
      [
        "an abort of another name",
        failing((error) => (isAbort(error) ? new BackendError("stopped") : error)),
        /in flight/,
      ],
    ]);
  });

  it("pass the reference", async () => {
    expect(
      await failingChecks(
        runChecks,
        faulty(() => ({})),
      ),
    ).toEqual(new Map());
  });
});

describe("donation checks", () => {
  /** Overwrites the donated tensor as soon as its output is known, then computes the others. */
  const inPlaceTooEarly = onCompile(async (inner, graph, { donate = {} } = {}) => {
    const all = Object.entries(graph.outputs);
    const isUpdate = (name: string): boolean => Object.values(donate).includes(name);
    const part = (update: boolean): Graph =>
      createGraph(
        graph.name,
        Object.fromEntries(all.filter(([name]) => isUpdate(name) === update)),
        graph.inputs,
      );
    const updates = await inner.compile(part(true));
    const rest = await inner.compile(part(false));
    return {
      ...updates,
      run: async (feeds) => {
        const results = { ...(await updates.run(feeds)) };
        for (const [input, output] of Object.entries(donate)) {
          const fed = feeds[input];
          if (!fed || !("read" in fed)) continue;
          await fed.write(await results[output]!.read());
          results[output]!.dispose();
          results[output] = fed;
        }
        return { ...results, ...(await rest.run(feeds)) };
      },
      dispose: async () => {
        await updates.dispose();
        await rest.dispose();
      },
    };
  });

  /** Overwrites one donated tensor after the other while all are still read. */
  const inPlaceOneByOne = onCompile(async (inner, graph, { donate = {} } = {}) => {
    const parts = await Promise.all(
      Object.entries(graph.outputs).map(
        async ([name, value]) =>
          [name, await inner.compile(createGraph(name, { [name]: value }, graph.inputs))] as const,
      ),
    );
    return {
      inputNames: [],
      outputNames: [],
      run: async (feeds) => {
        const results: Record<string, DeviceTensor> = {};
        for (const [name, executable] of parts) {
          const result = (await executable.run(feeds))[name]!;
          const donor = Object.entries(donate).find(([, output]) => output === name)?.[0];
          const fed = donor === undefined ? undefined : feeds[donor];
          results[name] = result;
          if (!fed || !("read" in fed)) continue;
          await fed.write(await result.read());
          result.dispose();
          results[name] = fed;
        }
        return results;
      },
      dispose: async () => {
        for (const [, executable] of parts) await executable.dispose();
      },
    };
  });

  const donated = (
    change: (executable: Executable, inner: Backend, feeds: Feeds) => ReturnType<Executable["run"]>,
  ) =>
    onCompile(async (inner, graph, options) => {
      const executable = await inner.compile(graph, options);
      return { ...executable, run: (feeds) => change(executable, inner, feeds) };
    });

  it("find every fault", async () => {
    await expectFaultsFound(donationChecks, [
      ["an update that later readers see", inPlaceTooEarly, /read after its update/],
      ["updates one by one", inPlaceOneByOne, /change places/],
      [
        "donation that is ignored but claimed",
        onCompile((inner, graph) => inner.compile(graph)),
        /cannot be read or fed/,
      ],
      [
        "donation without a check",
        onCompile((inner, graph) => inner.compile(graph)),
        /refused when compiling/,
      ],
      [
        "a donated host tensor that is overwritten",
        donated(async (executable, _, feeds) => {
          const outputs = await executable.run(feeds);
          const { w } = feeds;
          if (w && "data" in w && outputs["next"]) w.data.set((await outputs["next"].read()).data);
          return outputs;
        }),
        /stays as it is/,
      ],
      [
        "donation that spends every feed",
        donated(async (executable, _, feeds) => {
          const outputs = await executable.run(feeds);
          for (const feed of Object.values(feeds)) if ("dispose" in feed) feed.dispose();
          return outputs;
        }),
        /update in place/,
      ],
      [
        "results that are off by a little",
        onRun(async (executable, feeds, options) => {
          const outputs = await executable.run(feeds, options);
          for (const output of Object.values(outputs)) {
            const values = await output.read();
            await output.write(
              hostTensorFrom(
                "float32",
                values.shape,
                values.data.map((x) => x * 1.001),
              ),
            );
          }
          return outputs;
        }),
        /twenty steps/,
      ],
    ]);
  });

  it("pass the reference", async () => {
    expect(
      await failingChecks(
        donationChecks,
        faulty(() => ({})),
      ),
    ).toEqual(new Map());
  });
});

describe("tensor checks", () => {
  it("find every fault", async () => {
    await expectFaultsFound(tensorChecks, [
      [
        "values in another order",
        onUpload((tensor) => ({
          read: async () => {
            const host = await tensor.read();
            return { ...host, data: host.data.toReversed() };
          },
        })),
        /as they were uploaded/,
      ],
      [
        "scalars of shape [1]",
        onUpload((tensor) => ({
          shape: tensor.shape.length === 0 ? [1] : tensor.shape,
          read: async () => ({
            ...(await tensor.read()),
            shape: tensor.shape.length === 0 ? [1] : tensor.shape,
          }),
        })),
        /scalars and empty/,
      ],
      [
        "one host copy for all",
        onUpload((tensor) => {
          const first = tensor.read();
          return { read: () => first };
        }),
        /upload and read copy/,
      ],
      [
        "a write that does nothing",
        onUpload(() => ({ write: async () => undefined })),
        /write replaces/,
      ],
      [
        "a dispose that does nothing",
        onUpload(() => ({ dispose: () => undefined })),
        /disposed tensor cannot/,
      ],
      [
        "memory that is not counted",
        faulty(() => ({ memory: () => ({ tensors: 0, bytes: 0 }) })),
        /memory counts/,
      ],
      [
        "an executable that lives on",
        onCompile(async (inner, graph, options) => ({
          ...(await inner.compile(graph, options)),
          dispose: async () => undefined,
        })),
        /disposed executable/,
      ],
      [
        "a description of two lines",
        faulty(() => ({ describe: () => "one\ntwo" })),
        /describes itself/,
      ],
    ]);
  });

  it("pass the reference", async () => {
    expect(
      await failingChecks(
        tensorChecks,
        faulty(() => ({})),
      ),
    ).toEqual(new Map());
  });

  it("find a backend that keeps what was left alive, or lives on", async () => {
    const keeping = async (change: (inner: Backend) => Partial<Backend>): Promise<void> => {
      const create = async (): Promise<Backend> => faulty(change).backend;
      await expect((async () => disposalCheck.run(create))()).rejects.toThrow();
    };
    await keeping(() => ({ dispose: async () => undefined }));
    await keeping((inner) => ({ memory: () => ({ ...inner.memory(), bytes: 4 }) }));
    await keeping(() => ({
      upload: async () => createReferenceBackend().upload(hostTensorFrom("float32", [1], [1])),
    }));
  });
});
