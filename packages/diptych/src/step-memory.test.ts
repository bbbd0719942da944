import { buildEncoders, buildLoss, createMultiEncoder, isDiptychError } from "@diptych/core";
import { createReferenceBackend } from "@diptych/core/reference";
import { createModifiedResNet } from "@diptych/encoders-resnet";
import { createInfoNce } from "@diptych/losses";
import { createTextEncoder } from "@diptych/text-transformer";
import { createAdamw, buildTrainStep, type TrainStep } from "@diptych/training";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  checkStepMemory,
  estimateStepMemory,
  memoryLimit,
  type StepMemory,
} from "./step-memory.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

const PREFETCH = 3;
const { capabilities } = createReferenceBackend();

function stepOf(batch: number, rematerialise = false): TrainStep {
  const model = createMultiEncoder({
    encoders: {
      image: createModifiedResNet(
        { imageSize: 32, width: 8, layers: [1, 2, 1, 1], heads: 4 },
        { embedDim: 16 },
      ),
      text: createTextEncoder(
        { vocab: 20, contextLength: 8, width: 16, layers: 2, heads: 2 },
        { embedDim: 16 },
      ),
    },
  });
  const built = buildLoss(buildEncoders({ ...model, mode: "train" }), createInfoNce());
  return buildTrainStep({
    built,
    optimizer: createAdamw({
      betas: [0.9, 0.98],
      epsilon: 1e-6,
      weightDecay: 0.2,
      decayRule: "declared",
      groups: [],
    }),
    rematerialise,
    binding: { imageBatch: batch, textBatch: batch, textTokens: 8 },
  });
}

const memoryOf = (batch: number, rematerialise = false): StepMemory =>
  estimateStepMemory(stepOf(batch, rematerialise), { capabilities, prefetch: PREFETCH });

describe("estimateStepMemory", () => {
  it("counts parameters with their moments, gradients, and batches, by hand", () => {
    const step = stepOf(4);
    const sum = (role: "weight" | "buffer"): number =>
      step.parameters
        .filter((spec) => spec.role === role)
        .reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0);
    const [weights, buffers] = [sum("weight"), sum("buffer")];
    const { state, gradients, batches } = memoryOf(4);
    expect(state).toBe(4 * (3 * weights + buffers));
    expect(gradients).toBe(4 * (weights + buffers + step.reportNames.length + 1));
    // A picture, eight ids, and the loss's two numbers that say which sample each is of.
    expect(batches).toBe((1 + PREFETCH) * 4 * 4 * (3 * 32 * 32 + 8 + 2));
  });

  it("grows with the batch where it should, and nowhere else", () => {
    const [small, large] = [memoryOf(32), memoryOf(64)];
    expect(large.state).toBe(small.state);
    expect(large.gradients).toBe(small.gradients);
    expect(large.batches).toBe(2 * small.batches);
    const ratio = large.activations / small.activations;
    expect(ratio).toBeGreaterThan(1.9);
    expect(ratio).toBeLessThan(2.05);
    expect(large.total).toBe(large.state + large.gradients + large.batches + large.activations);
  });

  it("is smaller with rematerialisation", () => {
    expect(memoryOf(32, true).activations).toBeLessThan(0.85 * memoryOf(32).activations);
  });
});

describe("checkStepMemory", () => {
  const memory: StepMemory = {
    state: 30e9,
    gradients: 10e9,
    activations: 900e9,
    batches: 60e9,
    teachers: 0,
    total: 1e12,
  };
  const options = { batchSize: 32768, rematerialise: false, prefetch: 3 };
  const refusal = (limit: number, changes: Partial<typeof options> = {}): string => {
    try {
      checkStepMemory(memory, { limit, ...options, ...changes });
    } catch (error) {
      expect(isDiptychError(error, "TRAINING")).toBe(true);
      return (error as Error).message;
    }
    return "";
  };

  it("lets through what fits, or where there is no limit", () => {
    expect(refusal(1e12)).toBe("");
    expect(() => checkStepMemory(memory, { limit: undefined, ...options })).not.toThrow();
  });

  it("says what it takes and what to lower", () => {
    const said = refusal(88e9);
    expect(said).toMatch(/fits into 88\.00 GB, got one of about 1\.00 TB/);
    expect(said).toMatch(
      /optimizer 30\.00 GB, gradients 10\.00 GB, activations 900\.00 GB, batches 60\.00 GB/,
    );
    // (88/1.7 − 40)/960 of 32,768.
    expect(said).toMatch(/batchSize to 401 or less.*rematerialise=true.*prefetch=1/);
    expect(refusal(88e9, { rematerialise: true, prefetch: 1 })).not.toMatch(
      /rematerialise=true|prefetch=1/,
    );
    expect(refusal(20e9)).toContain("The model alone does not fit");
    expect(said).not.toContain("teachers");
  });

  it("counts models that teach", () => {
    const taught = { ...memory, teachers: 8e9, total: 1.008e12 };
    // (88/1.7 − 40 − 8)/960 of 32,768.
    expect(() => checkStepMemory(taught, { limit: 88e9, ...options })).toThrow(
      /batches 60\.00 GB, teachers 8\.00 GB\. Lower training\.batchSize to 128 or less/,
    );
    const step = stepOf(4);
    const with8 = estimateStepMemory(step, { capabilities, prefetch: PREFETCH, teachers: 8 });
    expect(with8.total).toBe(memoryOf(4).total + 8);
  });
});

describe("memoryLimit", () => {
  it("is the machine's, or what the environment says", () => {
    vi.stubEnv("DIPTYCH_MEMORY_LIMIT", "");
    expect(memoryLimit()).toBeGreaterThan(1e8);
    vi.stubEnv("DIPTYCH_MEMORY_LIMIT", "48GB");
    expect(memoryLimit()).toBe(48e9);
    vi.stubEnv("DIPTYCH_MEMORY_LIMIT", "none");
    expect(memoryLimit()).toBeUndefined();
    vi.stubEnv("DIPTYCH_MEMORY_LIMIT", "much");
    expect(() => memoryLimit()).toThrow(/expected an amount such as 48GB, or none, got "much"/);
  });
});
