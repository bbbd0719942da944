import { createDistillation } from "@diptych/losses";
import { describe, expect, it } from "vitest";
import { collectTeachers } from "./collect-teachers.js";

describe("collectTeachers", () => {
  const big = createDistillation({ teacher: "big" });

  it("gathers what the terms of a sum want, each model once", () => {
    const features = createDistillation({
      teacher: "big",
      match: "features",
      teacherDim: 4,
      modalities: ["image"],
    });
    const other = createDistillation({ teacher: "small" });
    const parts = [big, features, other].map((loss, i) => ({ name: `${i}`, loss, weight: 1 }));
    const found = collectTeachers({ ...big, teachers: [], parts });
    expect(found.map(({ model }) => model)).toEqual(["big", "small"]);
    expect([...found[0]!.features]).toEqual([
      ["teacher.big.image", "image"],
      ["teacher.big.text", "text"],
      ["teacher.big.image.4", "image"],
    ]);
    expect([...found[0]!.scales]).toEqual(["teacher.big.scale"]);
    expect(collectTeachers({ ...big, teachers: [] })).toEqual([]);
  });

  it("refuses two teachers for one input", () => {
    const teachers = ["a", "b"].map((model) => ({ model, inputs: { image: "taught" } }));
    expect(() => collectTeachers({ ...big, teachers })).toThrow(
      /input "taught": expected one teacher to feed it, got image of a and image of b/,
    );
  });
});
