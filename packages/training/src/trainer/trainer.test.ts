import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  equalHostTensors,
  hostTensorFrom,
  hostValues,
  isDiptychError,
  mul,
  sqrt,
  sum,
  type Backend,
  type HostTensor,
  type Loss,
} from "@diptych/core";
import { createReferenceBackend } from "@diptych/core/reference";
import { describe, expect, test } from "vitest";
import { createCheckpointer } from "../run/checkpointing.js";
import { jsonFormat } from "../run/json-format.test-support.js";
import { temporaryFolder } from "../run/temporary-folder.test-support.js";
import type { TrainingBatch } from "./batches.js";
import type { StepEvent, TrainingEvent } from "./events.js";
import type { FitOptions } from "./fit.js";
import { drawRandomInputs } from "./random-inputs.js";
import {
  ROWS,
  tinyBatch,
  tinyBatches,
  tinyBuilt,
  tinySchedule,
  tinyStep,
  tinyTrainer,
} from "./tiny-run.test-support.js";
import { Trainer } from "./trainer.js";

const TOTAL = 9;

function fitTiny(trainer: Trainer, options: Partial<FitOptions> = {}) {
  return trainer.fit({
    batches: tinyBatches(trainer.step),
    schedule: tinySchedule,
    totalSteps: TOTAL,
    ...options,
  });
}

async function stateOf(trainer: Trainer): Promise<ReadonlyMap<string, HostTensor>> {
  return (await trainer.readState()).tensors;
}

function expectSameBits(
  a: ReadonlyMap<string, HostTensor>,
  b: ReadonlyMap<string, HostTensor>,
): void {
  expect([...a.keys()]).toEqual([...b.keys()]);
  for (const [name, value] of a)
    expect([name, equalHostTensors(value, b.get(name)!)]).toEqual([name, true]);
}

/** The state after all steps without a break. */
async function wholeRun(): Promise<ReadonlyMap<string, HostTensor>> {
  const trainer = await tinyTrainer();
  await fitTiny(trainer);
  const state = await stateOf(trainer);
  await trainer.dispose();
  return state;
}

describe("fit", () => {
  test("trains, says what it does, and gives all memory back", async () => {
    const backend = createReferenceBackend();
    const trainer = await tinyTrainer(tinyStep({ ema: 0.9 }), { backend });
    const events: TrainingEvent[] = [];
    const result = await fitTiny(trainer, { on: (event) => void events.push(event) });
    expect(result).toMatchObject({ reason: "finished", step: TOTAL });
    expect(events[0]).toEqual({
      event: "start",
      step: 0,
      totalSteps: TOTAL,
      resumed: false,
      seed: 7,
    });
    expect(events.at(-1)).toMatchObject({ event: "end", reason: "finished", step: TOTAL });
    const steps = events.filter((event): event is StepEvent => event.event === "step");
    expect(steps.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(steps.map(({ learningRate }) => learningRate)).toEqual(
      steps.map(({ step }) => tinySchedule.learningRate(step)),
    );
    expect(steps[0]!.logitScale).toBeCloseTo(Math.exp(4.6), 3);
    expect(steps[0]!.metrics["squares"]).toBeGreaterThan(0);
    for (const { imagesPerSecond, stepMs, waitMs } of steps) {
      expect(imagesPerSecond).toBeCloseTo((1000 * ROWS) / (stepMs + waitMs), 6);
    }
    await trainer.dispose();
    await trainer.dispose();
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    await backend.dispose();
  });

  test("lowers the loss", async () => {
    async function* same(): AsyncGenerator<TrainingBatch> {
      for (let step = 0; ; step++) yield { ...tinyBatch(0), step };
    }
    const losses: number[] = [];
    const trainer = await tinyTrainer();
    await fitTiny(trainer, {
      batches: same(),
      totalSteps: 40,
      schedule: { name: "test", learningRate: () => 0.05 },
      on: (event) => {
        if (event.event === "step") losses.push(event.loss);
      },
    });
    expect(losses[39]!).toBeLessThan(losses[0]! / 2);
    await trainer.dispose();
  });

  test("two runs are equal bit for bit, another seed is not", async () => {
    const first = await wholeRun();
    expectSameBits(first, await wholeRun());
    const other = await tinyTrainer(tinyStep({ ema: 0.9 }), { seed: 8 });
    await fitTiny(other);
    const weight = (await stateOf(other)).get("visual.weight")!;
    expect(equalHostTensors(weight, first.get("visual.weight")!)).toBe(false);
    await other.dispose();
  });

  test("asks for the next batch while the step runs, and for none too many", async () => {
    const order: string[] = [];
    async function* watched(): AsyncGenerator<TrainingBatch> {
      for (let step = 0; ; step++) {
        order.push(`batch ${step}`);
        yield tinyBatch(step);
      }
    }
    const trainer = await tinyTrainer();
    await fitTiny(trainer, {
      batches: watched(),
      totalSteps: 3,
      on: (event) => {
        if (event.event === "step") order.push(`step ${event.step}`);
      },
    });
    expect(order).toEqual(["batch 0", "batch 1", "step 0", "batch 2", "step 1", "step 2"]);
    await trainer.dispose();
  });

  test("a batch for another step, the end of batches and a missing input are errors that name them", async () => {
    const trainer = await tinyTrainer();
    await expect(fitTiny(trainer, { batches: tinyBatches(2) })).rejects.toThrow(
      /expected the batch of step 0, got that of step 2/,
    );
    async function* short(): AsyncGenerator<TrainingBatch> {
      yield tinyBatch(0);
    }
    await expect(fitTiny(trainer, { batches: short() })).rejects.toThrow(
      /expected one for step 1, got the end/,
    );
    const { image } = tinyBatch(1).feeds;
    await expect(
      trainer.runStep({ feeds: { image: image! } }, { learningRate: 1 }),
    ).resolves.toMatchObject({ status: "done" });
    await trainer.dispose();
    const fresh = await tinyTrainer();
    await expect(fresh.runStep({ feeds: { image: image! } }, { learningRate: 1 })).rejects.toThrow(
      /expected each batch to give "text", got image/,
    );
    await fresh.dispose();
  });

  test("what the loader throws ends the run, and what was trained is saved", async () => {
    async function* failing(): AsyncGenerator<TrainingBatch> {
      yield tinyBatch(0);
      yield tinyBatch(1);
      throw new Error("cat.png is corrupt");
    }
    const folder = temporaryFolder();
    const saver = createCheckpointer({ folder, format: jsonFormat(), every: null });
    const trainer = await tinyTrainer();
    await expect(fitTiny(trainer, { batches: failing(), saver })).rejects.toThrow("cat.png");
    expect(await saver.steps()).toEqual([2]);
    await trainer.dispose();
  });

  test("one run at a time", async () => {
    const trainer = await tinyTrainer();
    const first = fitTiny(trainer);
    await expect(fitTiny(trainer)).rejects.toThrow(/expected it to be idle/);
    await first;
    await trainer.dispose();
  });
});

describe("a loss that is no number", () => {
  test("ends the run before the update, with the last good state saved and what to try", async () => {
    async function* poisoned(): AsyncGenerator<TrainingBatch> {
      for (let step = 0; ; step++) {
        const batch = tinyBatch(step);
        if (step === 4) batch.feeds["text"]!.data[0] = NaN;
        yield batch;
      }
    }
    const folder = temporaryFolder();
    const saver = createCheckpointer({ folder, format: jsonFormat(), every: null });
    const trainer = await tinyTrainer();
    const events: TrainingEvent[] = [];
    const run = fitTiny(trainer, {
      batches: poisoned(),
      saver,
      on: (event) => void events.push(event),
    });
    await expect(run).rejects.toThrow(
      /loss: expected finite numbers, got loss NaN and gradient norm NaN \(step 4, learning rate 0\.01, logit scale \d+\.\d+, last finite loss \d+\.\d+ at step 3\)\. The state before this step is saved in .*step-000004\. Lower the learning rate.*check the data/,
    );
    await run.catch((error: unknown) => expect(isDiptychError(error, "TRAINING")).toBe(true));
    expect(events.at(-1)).toMatchObject({ event: "end", reason: "notFinite", step: 4 });
    const found = await saver.latest(trainer.trainStep);
    const good = await tinyTrainer();
    await fitTiny(good, { totalSteps: 4 });
    expectSameBits(found!.state.tensors, await stateOf(good));
    await good.dispose();
    await trainer.dispose();
  });

  test("with a full disk says both", async () => {
    const trainer = await tinyTrainer();
    const batch = tinyBatch(0);
    batch.feeds["image"]!.data[3] = Infinity;
    async function* poisoned(): AsyncGenerator<TrainingBatch> {
      yield batch;
    }
    const save = async (): Promise<string> => {
      throw new Error("disk full");
    };
    await expect(
      fitTiny(trainer, { batches: poisoned(), saver: { every: 1, save } }),
    ).rejects.toThrow(
      /step 0, .*no finite loss before\)\. .*could not be saved: disk full.*learning rate/,
    );
    await trainer.dispose();
  });

  test("a gradient that is no number counts also where the loss is one", async () => {
    // The length of a vector has no derivative where the vector is zero.
    const length: Loss = {
      name: "length",
      needs: ["features"],
      auxiliary: [],
      scope: "batch",
      build: (_, { encoded }) => {
        const { pooled } = encoded["image"]!;
        return { loss: sqrt(sum(mul(pooled, pooled))), metrics: {} };
      },
    };
    const trainer = await tinyTrainer(tinyStep({ built: tinyBuilt("train", length) }));
    const before = await stateOf(trainer);
    const { feeds } = tinyBatch(0);
    const image = hostTensorFrom("float32", [ROWS, 5], new Float32Array(5 * ROWS));
    const outcome = await trainer.runStep({ feeds: { ...feeds, image } }, { learningRate: 1 });
    expect(outcome).toMatchObject({ status: "notFinite", report: { loss: 0, finite: false } });
    expect(trainer.step).toBe(0);
    expectSameBits(await stateOf(trainer), before);
    await trainer.dispose();
  });
});

describe("resuming", () => {
  test("from any step gives the weights of a run without a break, bit for bit", async () => {
    const whole = await wholeRun();
    for (let stop = 1; stop < TOTAL; stop++) {
      const folder = temporaryFolder();
      const format = jsonFormat();
      const saver = createCheckpointer({ folder, format, every: 2 });
      const first = await tinyTrainer();
      // Killed after `stop` steps: nothing is saved beyond the checkpoints so far.
      const killed = new Error("killed");
      const run = fitTiny(first, {
        saver: { every: 2, save: (state) => saver.save(state) },
        on: (event) => {
          if (event.event === "step" && event.step === stop) throw killed;
        },
      });
      await expect(run).rejects.toBe(killed);
      await first.dispose();
      for (const step of await saver.steps()) expect(step).toBeLessThanOrEqual(stop + 1);
      const second = await tinyTrainer();
      const found = await createCheckpointer({ folder, format, every: 2 }).latest(second.trainStep);
      if (found) await second.loadState(found.state);
      expect(second.totalSteps).toBe(found ? TOTAL : undefined);
      const events: TrainingEvent[] = [];
      await fitTiny(second, { on: (event) => void events.push(event) });
      expect(events[0]).toMatchObject({
        resumed: found !== undefined,
        step: second.step - (TOTAL - (found?.state.metadata.step ?? 0)),
      });
      expectSameBits(await stateOf(second), whole);
      await second.dispose();
    }
  });

  test("the state has every tensor by name and what it takes to go on", async () => {
    const trainer = await tinyTrainer();
    await fitTiny(trainer, { totalSteps: 2 });
    const { tensors, metadata } = await trainer.readState({ config: { a: 1 } });
    expect([...tensors.keys()]).toEqual(
      expect.arrayContaining([
        "visual.weight",
        "visual.running_mean",
        "optimizer.sum.visual.weight",
        "optimizer.squares.logit_scale",
        "ema.visual.weight",
      ]),
    );
    expect(metadata).toEqual({
      kind: "diptych-training-state",
      version: 1,
      step: 2,
      seed: 7,
      totalSteps: 2,
      optimizer: "adamw",
      precision: "fp32",
      skippedSteps: 0,
      config: { a: 1 },
    });
    const other = await tinyTrainer(undefined, { seed: 1 });
    await expect(other.loadState({ tensors, metadata })).rejects.toThrow(
      /seed: expected 1, got a state of seed 7/,
    );
    const short = new Map(tensors);
    short.delete("visual.weight");
    await expect(trainer.loadState({ tensors: short, metadata })).rejects.toThrow(
      /none for "visual\.weight" \(1 are missing\)/,
    );
    await other.dispose();
    await trainer.dispose();
  });

  test("checkpoints come at their steps and at the end", async () => {
    const folder = temporaryFolder();
    const saver = createCheckpointer({ folder, format: jsonFormat(), every: 4, keepLast: 9 });
    const trainer = await tinyTrainer();
    const saved: number[] = [];
    await fitTiny(trainer, {
      saver,
      on: (event) => {
        if (event.event === "checkpoint") saved.push(event.step);
      },
    });
    expect(saved).toEqual([4, 8, 9]);
    expect(readdirSync(join(folder, "checkpoints")).length).toBe(3);
    await trainer.dispose();
  });
});

describe("interrupting", () => {
  test("between steps and while waiting for data saves the state, from which the run goes on", async () => {
    const whole = await wholeRun();
    const saver = createCheckpointer({
      folder: temporaryFolder(),
      format: jsonFormat(),
      every: null,
    });
    const ending = new AbortController();
    async function* stuck(): AsyncGenerator<TrainingBatch> {
      for (let step = 0; step < 5; step++) yield tinyBatch(step);
      // Like a loader that waits for a disk: only the signal ends this.
      await new Promise((resolve) => ending.signal.addEventListener("abort", resolve));
    }
    const first = await tinyTrainer();
    const result = await fitTiny(first, {
      batches: stuck(),
      saver,
      signal: ending.signal,
      on: (event) => {
        if (event.event === "step" && event.step === 4) setTimeout(() => ending.abort(), 10);
      },
    });
    expect(result).toMatchObject({ reason: "interrupted", step: 5 });
    await first.dispose();
    const second = await tinyTrainer();
    await second.loadState((await saver.latest(second.trainStep))!.state);
    await fitTiny(second);
    expectSameBits(await stateOf(second), whole);
    await second.dispose();
  });

  test("within the gradient part leaves the state as it was before the step", async () => {
    const ending = new AbortController();
    const backend = createReferenceBackend();
    const trainer = await tinyTrainer(undefined, { backend });
    await fitTiny(trainer, { totalSteps: 2 });
    const before = await stateOf(trainer);
    const running = trainer.runStep(tinyBatch(2), {
      learningRate: 1,
      signal: ending.signal,
      meanwhile: () => ending.abort(),
    });
    expect(await running).toEqual({ status: "interrupted" });
    expect(trainer.step).toBe(2);
    expectSameBits(await stateOf(trainer), before);
    await trainer.dispose();
  });

  test("a signal given before the start trains nothing and saves the first state", async () => {
    const trainer = await tinyTrainer();
    const result = await fitTiny(trainer, { signal: AbortSignal.abort() });
    expect(result).toMatchObject({ reason: "interrupted", step: 0 });
    await trainer.dispose();
  });
});

describe("failures", () => {
  /** A backend whose n-th update fails half-way. */
  function failingUpdates(at: number): Backend {
    const backend = createReferenceBackend();
    let runs = 0;
    return {
      ...backend,
      compile: async (graph, options) => {
        const executable = await backend.compile(graph, options);
        if (options?.label !== "update") return executable;
        return {
          ...executable,
          run: async (...args) => {
            if (runs++ === at) throw new Error("device lost");
            return executable.run(...args);
          },
        };
      },
    };
  }

  test("after a failed update the state is no state, and the checkpoint stays the newest", async () => {
    const saver = createCheckpointer({ folder: temporaryFolder(), format: jsonFormat(), every: 2 });
    const trainer = await tinyTrainer(undefined, { backend: failingUpdates(3) });
    await expect(fitTiny(trainer, { saver })).rejects.toThrow("device lost");
    expect(trainer.intact).toBe(false);
    await expect(trainer.readState()).rejects.toThrow(
      /a failed update left behind.*last checkpoint/,
    );
    expect(() => trainer.deviceParameters()).toThrow(/failed update/);
    expect(await saver.steps()).toEqual([2]);
    await trainer.dispose();
  });

  test("a full disk ends the run with the saver's error, tried once", async () => {
    let tries = 0;
    const trainer = await tinyTrainer();
    const run = fitTiny(trainer, {
      saver: {
        every: 2,
        save: async () => {
          tries += 1;
          throw new Error("disk full");
        },
      },
    });
    await expect(run).rejects.toThrow("disk full");
    expect(tries).toBe(1);
    expect(trainer.step).toBe(2);
    await trainer.dispose();
  });

  test("first values that do not fit name the parameter, and nothing stays behind", async () => {
    const backend = createReferenceBackend();
    const step = tinyStep();
    const creating = Trainer.create({ backend, step, initial: new Map(), seed: 0 });
    await expect(creating).rejects.toThrow(
      /expected float32 \[5, 3\] for "visual\.weight", got none/,
    );
    expect(backend.memory().tensors).toBe(0);
  });
});

describe("calibrateSteps", () => {
  test("times real steps and leaves no trace", async () => {
    const whole = await wholeRun();
    const trainer = await tinyTrainer();
    const result = await trainer.calibrateSteps({ seconds: 1, batches: tinyBatches() });
    expect(result.timed).toBeGreaterThanOrEqual(3);
    expect(result.secondsPerStep).toBeGreaterThan(0);
    expect(result.totalSteps).toBe(
      Math.floor(((1 - result.seconds) * 0.97) / result.secondsPerStep),
    );
    expect(trainer.step).toBe(0);
    expect(trainer.totalSteps).toBeUndefined();
    await fitTiny(trainer);
    expectSameBits(await stateOf(trainer), whole);
    await trainer.dispose();
  });

  test("always leaves at least one step, and ends on a signal with the state restored", async () => {
    const trainer = await tinyTrainer();
    const { totalSteps } = await trainer.calibrateSteps({ seconds: 1e-6, batches: tinyBatches() });
    expect(totalSteps).toBe(1);
    const before = await stateOf(trainer);
    await expect(
      trainer.calibrateSteps({ seconds: 1, batches: tinyBatches(), signal: AbortSignal.abort() }),
    ).rejects.toThrow(/got interrupted/);
    expectSameBits(await stateOf(trainer), before);
    await trainer.dispose();
  });
});

describe("random inputs", () => {
  const inputs = [
    { name: "mask", shape: [3, 1000], distribution: { kind: "dropout", keep: 0.75 } },
    { name: "kept", shape: [3, 4], distribution: { kind: "subset", among: 9 } },
    { name: "noise", shape: [3, 2000], distribution: { kind: "normal" } },
    { name: "uniform", shape: [3, 8], distribution: { kind: "uniform" } },
  ] as const;

  test("follow from seed, step, name and row alone", () => {
    const values = drawRandomInputs(inputs, 1, 5);
    expect(drawRandomInputs(inputs.toReversed(), 1, 5)["mask"]).toEqual(values["mask"]);
    expect(drawRandomInputs(inputs, 1, 6)["mask"]).not.toEqual(values["mask"]);
    expect(drawRandomInputs(inputs, 2, 5)["mask"]).not.toEqual(values["mask"]);
    const fewer = drawRandomInputs([{ ...inputs[3], shape: [2, 8] }], 1, 5)["uniform"]!;
    expect(Array.from(fewer.data)).toEqual(Array.from(values["uniform"]!.data.slice(0, 16)));
  });

  test("have the distributions asked for", () => {
    const { mask, kept, noise } = drawRandomInputs(inputs, 1, 5);
    const share = mask!.data.filter((x) => x > 0).length / mask!.data.length;
    expect(share).toBeGreaterThan(0.72);
    expect(share).toBeLessThan(0.78);
    expect(new Set(mask!.data)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    for (let row = 0; row < 3; row++) {
      const positions = Array.from(kept!.data.slice(row * 4, row * 4 + 4));
      expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
      expect(Math.max(...positions)).toBeLessThan(9);
    }
    expect(kept!.dtype).toBe("int32");
    const mean = hostValues(noise!).reduce((total, x) => total + x, 0) / noise!.data.length;
    expect(Math.abs(mean)).toBeLessThan(0.06);
  });
});
