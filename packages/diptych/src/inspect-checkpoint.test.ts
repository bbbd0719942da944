import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hostTensorFrom } from "@diptych/core";
import { safetensorsFile } from "@diptych/checkpoints";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { measureCheckpoint } from "./inspect-checkpoint.js";
import { inspectCheckpoint } from "./inspect.js";

const MODEL = fileURLToPath(new URL("../fixtures/models/vit-gelu", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-inspect-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("measureCheckpoint", () => {
  it("finds the model of a public folder, with as many parameters as it has values", async () => {
    const found = await measureCheckpoint(MODEL);
    if (!("cost" in found)) throw new Error(found.unknown);
    const weights = (await inspectCheckpoint(MODEL)).filter(({ role }) => role === "weight");
    expect(found.cost.parameters).toBe(weights.reduce((sum, { values }) => sum + values, 0));
    expect(found.cost.towers.map(({ modality }) => modality)).toEqual(["image", "text"]);
    expect(found.cost.flops).toBeGreaterThan(0);
  });

  it("says why where the weights are of no model that it knows", async () => {
    const path = join(folder, "some.safetensors");
    const tensors: [string, ReturnType<typeof hostTensorFrom>][] = [
      ["layer.weight", hostTensorFrom("float32", [2, 2], [1, 2, 3, 4])],
    ];
    await safetensorsFile.write(path, { tensors, metadata: {} });
    const found = await measureCheckpoint(path);
    expect("unknown" in found && found.unknown).toMatch(/expected/);
  });
});
