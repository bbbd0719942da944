// What a trainer sends over the bus on ONNX Runtime's WebGPU provider: weights at the start and for a checkpoint only.
import { createOnnxBackend } from "@diptych/backend-onnx";
import {
  buildEncoders,
  buildLoss,
  createHostTensor,
  createRandom,
  initialiseParameters,
} from "@diptych/core";
import { createInfoNce } from "@diptych/losses";
import { adamwSchema, buildTrainStep, createAdamw, Trainer } from "@diptych/training";
import { whyMissing } from "@diptych/testing";
import { describe, expect, it } from "vitest";
import { createOpenClipModel } from "./open-clip-model.js";

const BATCH = 6;
const config = {
  embed_dim: 16,
  vision_cfg: { layers: 1, width: 32, head_width: 16, patch_size: 8, image_size: 16 },
  text_cfg: { context_length: 6, vocab_size: 40, width: 32, heads: 2, layers: 1 },
};

function buildStep() {
  const built = buildLoss(
    buildEncoders({ ...createOpenClipModel(config), mode: "train" }),
    createInfoNce(),
  );
  const binding = { imageBatch: BATCH, textBatch: BATCH, textTokens: 6 };
  return buildTrainStep({ built, optimizer: createAdamw(adamwSchema.parse({})), binding });
}

/** Pictures and texts, the same in every step. */
const BATCH_VALUES = {
  image: createHostTensor(
    "float32",
    [BATCH, 3, 16, 16],
    Float32Array.from({ length: BATCH * 3 * 256 }, (_, i) => ((i * 31) % 257) / 128 - 1),
  ),
  text: createHostTensor(
    "int32",
    [BATCH, 6],
    Int32Array.from({ length: BATCH * 6 }, (_, i) => (i % 6 === 5 ? 39 : (i * 13) % 38)),
  ),
  imageSample: createHostTensor(
    "int32",
    [BATCH],
    Int32Array.from({ length: BATCH }, (_, i) => i),
  ),
  textSample: createHostTensor(
    "int32",
    [BATCH],
    Int32Array.from({ length: BATCH }, (_, i) => i),
  ),
};

/** Learning rate, bias corrections, clip and the like; loss, norm and flag. */
const SCALARS = 512;

const missing = await whyMissing(() => createOnnxBackend({ provider: "webgpu" }));

describe.skipIf(missing)(
  `training on ONNX Runtime, webgpu${missing ? `: skipped: ${missing}` : ""}`,
  () => {
    it("sends a step's batch up and its report down; weights at the start and for a checkpoint", async () => {
      const backend = await createOnnxBackend({ provider: "webgpu" });
      const step = buildStep();
      const initial = initialiseParameters(step.parameters, createRandom(0));
      const weights = [...initial.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
      const trainer = await Trainer.create({ backend, step, initial, seed: 0 });
      const names = step.batchInputs.map(({ name }) => name as keyof typeof BATCH_VALUES);
      const feeds = Object.fromEntries(names.map((name) => [name, BATCH_VALUES[name]]));
      const batch = names.reduce((sum, name) => sum + BATCH_VALUES[name].data.byteLength, 0);
      const started = backend.transfers!();
      expect(started.toDevice).toBeGreaterThanOrEqual(weights);
      const losses: number[] = [];
      for (let i = 0; i < 6; i++) {
        const before = backend.transfers!();
        const outcome = await trainer.runStep({ feeds }, { learningRate: 1e-3 });
        const after = backend.transfers!();
        if (outcome.status !== "done") expect.fail(outcome.status);
        losses.push(outcome.report.loss);
        const up = after.toDevice - before.toDevice;
        expect(up).toBeGreaterThanOrEqual(batch);
        expect(up).toBeLessThan(batch + SCALARS);
        expect(after.toHost - before.toHost).toBeLessThan(SCALARS);
      }
      expect(losses.at(-1)).toBeLessThan(losses[0]!);
      const before = backend.transfers!();
      await trainer.readState();
      const read = backend.transfers!();
      // Weights and Adam's two moments.
      expect(read.toHost - before.toHost).toBeGreaterThanOrEqual(3 * weights);
      expect(read.toDevice).toBe(before.toDevice);
      await trainer.dispose();
      expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
      await backend.dispose();
    });
  },
);
