// open_clip's DistillClipLoss and CLIP-KD's feature distillation, in float64.
import { readFileSync } from "node:fs";
import path from "node:path";
import { expectClose } from "@diptych/testing";
import { describe, expect, it } from "vitest";
import { createDistillation } from "./distillation.js";
import { runLoss, type GivenTensor } from "./losses.test-support.js";

type Matrix = readonly (readonly number[])[];

interface SimilarityCase {
  readonly image: Matrix;
  readonly text: Matrix;
  readonly logitScale: number;
  readonly teacherImage: Matrix;
  readonly teacherText: Matrix;
  readonly teacherScale: number;
  readonly distillLoss: number;
  readonly gradients: {
    readonly image: Matrix;
    readonly text: Matrix;
    readonly logitScale: number;
  };
}

interface FeatureCase {
  readonly student: Matrix;
  readonly teacher: Matrix;
  readonly weight: Matrix;
  readonly bias: readonly number[];
  readonly gradients: {
    readonly student: Matrix;
    readonly weight: Matrix;
    readonly bias: readonly number[];
  };
}

const golden = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../fixtures/distillation.json"), "utf8"),
) as {
  readonly tool: string;
  readonly tolerance: number;
  readonly similarities: readonly SimilarityCase[];
  readonly features: {
    readonly loss: number;
    readonly image: FeatureCase;
    readonly text: FeatureCase;
  };
};
const close = { relativeToLargest: golden.tolerance };

const tensor = (rows: Matrix): GivenTensor => ({
  shape: [rows.length, rows[0]!.length],
  values: rows.flat(),
});

describe(`distillation as ${golden.tool} has it`, () => {
  it.each(golden.similarities.map((each, i) => [i, each] as const))("similarities %i", (_, at) => {
    const found = runLoss(createDistillation({ teacher: "t" }), {
      features: { image: at.image, text: at.text },
      logitScale: at.logitScale,
      auxiliary: {
        "teacher.t.image": tensor(at.teacherImage),
        "teacher.t.text": tensor(at.teacherText),
        "teacher.t.scale": { shape: [], values: [at.teacherScale] },
      },
    });
    // Of one sample there is nothing to tell apart: 0 but for rounding.
    if (at.image.length === 1) expect(found.loss).toBeCloseTo(at.distillLoss, 14);
    else expectClose([found.loss], [at.distillLoss], close);
    const { image, text, logitScale } = at.gradients;
    const largest = Math.max(...image.flat().map(Math.abs), ...text.flat().map(Math.abs), 1);
    const all = [...image.flat(), ...text.flat(), logitScale];
    const ours = ["image", "text", "logitScale"].flatMap((name) => [...found.gradients[name]!]);
    expectClose([...ours, largest], [...all, largest], close);
  });

  it("features, through a linear map", () => {
    const { image, text, loss } = golden.features;
    const found = runLoss(createDistillation({ teacher: "t", match: "features", teacherDim: 4 }), {
      features: { image: image.student, text: text.student },
      auxiliary: {
        "teacher.t.image.4": tensor(image.teacher),
        "teacher.t.text.4": tensor(text.teacher),
      },
      parameters: {
        "image_projection.weight": image.weight.flat(),
        "image_projection.bias": image.bias,
        "text_projection.weight": text.weight.flat(),
        "text_projection.bias": text.bias,
      },
    });
    expectClose([found.loss], [loss], close);
    for (const [modality, at] of Object.entries({ image, text })) {
      const { student, weight, bias } = at.gradients;
      expectClose(found.gradients[modality]!, student.flat(), close);
      expectClose(found.gradients[`${modality}_projection.weight`]!, weight.flat(), close);
      expectClose(found.gradients[`${modality}_projection.bias`]!, bias, close);
    }
  });
});
