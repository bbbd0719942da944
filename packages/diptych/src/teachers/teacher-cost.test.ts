import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createReferenceBackend } from "@diptych/core/reference";
import { createDistillation } from "@diptych/losses";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { measureModel } from "../inspect-model.js";
import { writeTinyModel } from "../tiny-model.test-support.js";
import { openTeachers, type OpenedTeacher } from "./open-teachers.js";
import { teacherBytes, teacherFlops } from "./teacher-cost.js";

let folder: string;
let both: readonly OpenedTeacher[];
let seeing: readonly OpenedTeacher[];
const sizes = { imageBatch: 3, textBatch: 5 };

const open = (modalities: readonly string[]): Promise<readonly OpenedTeacher[]> =>
  openTeachers({
    loss: createDistillation({ teacher: "model", match: "features", teacherDim: 8, modalities }),
    backend: createReferenceBackend(),
    baseDir: folder,
    plugins: [],
    on: () => undefined,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-teachers-"));
  await writeTinyModel(join(folder, "model"));
  [both, seeing] = [await open(["image", "text"]), await open(["image"])];
});
afterAll(async () => {
  for (const teacher of [...both, ...seeing]) await teacher.dispose();
  await rm(folder, { recursive: true });
});

describe("what teachers cost", () => {
  it("in operations is their towers' forward pass for each row", () => {
    const [image, text] = measureModel(both[0]!.loaded.model).towers;
    expect([image!.modality, text!.modality]).toEqual(["image", "text"]);
    expect(image!.flops).toBeGreaterThan(0);
    expect(teacherFlops(both, sizes)).toBe(3 * image!.flops + 5 * text!.flops);
    expect(teacherFlops(seeing, sizes)).toBe(3 * image!.flops);
    expect(teacherFlops([], sizes)).toBe(0);
  });

  it("in memory is their weights, on the host and on the device, and what is prepared", () => {
    const weights = [...both[0]!.loaded.parameters.values()].reduce(
      (sum, { data }) => sum + data.length,
      0,
    );
    const pixels = 3 * 3 * 8 * 8;
    // Four batches: the one in use and three ahead; texts of 12 ids.
    const prefetch = 3;
    expect(teacherBytes(both, { ...sizes, prefetch })).toBe(
      4 * (2 * weights + 4 * (pixels + 5 * 12)),
    );
    expect(teacherBytes(seeing, { ...sizes, prefetch })).toBe(4 * (2 * weights + 4 * pixels));
  });
});
