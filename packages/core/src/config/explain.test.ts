import { describe, expect, it } from "vitest";
import { z } from "zod";
import { explainSchema } from "./explain.js";
import { rootSchema } from "./root-schema.js";

const table = (schema: z.ZodType): readonly string[] =>
  explainSchema(schema).map(
    ({ key, type, default: value, required, description }) =>
      `${key}: ${type}${required ? " (required)" : ""}${value === undefined ? "" : ` = ${value}`}${description && ` -- ${description}`}`,
  );

describe("explainSchema", () => {
  it("shows type, bounds, default and description of every key", () => {
    const schema = z.strictObject({
      width: z.int().min(1).max(4096).default(192).describe("Width of the tower."),
      rate: z.number().positive().lt(1),
      path: z.string().optional(),
      pooling: z.enum(["eos", "last"]).default("eos"),
      frozen: z.boolean().default(false),
      clip: z.number().nullable().default(null),
      mean: z.tuple([z.number(), z.number()]).default([0, 0.5]),
      names: z.array(z.string()).default([]),
      weights: z.record(z.string(), z.number()).optional(),
      kind: z.literal("fixed").optional(),
    });
    expect(table(schema)).toEqual([
      "width: integer >= 1 and <= 4096 = 192 -- Width of the tower.",
      "rate: number > 0 and < 1 (required)",
      "path: string",
      'pooling: "eos" | "last" = "eos"',
      "frozen: boolean = false",
      "clip: number | null = null",
      "mean: [number, number] = [0,0.5]",
      "names: list of string = []",
      "weights: object of number",
      'kind: "fixed"',
    ]);
  });

  it("opens objects, lists, records and alternatives", () => {
    const schema = z.strictObject({
      scale: z.strictObject({ initial: z.number().default(14) }).prefault({}),
      layers: z.array(z.strictObject({ size: z.int() })),
      groups: z.record(z.string(), z.strictObject({ decay: z.number().default(0) })),
      sampler: z.discriminatedUnion("type", [
        z.strictObject({ type: z.literal("all"), seed: z.int().default(0) }),
        z.strictObject({ type: z.literal("some"), count: z.int(), seed: z.int().default(0) }),
      ]),
    });
    expect(table(schema)).toEqual([
      "scale: object = {}",
      "scale.initial: number = 14",
      "layers: list of object (required)",
      "layers[].size: integer (required)",
      "groups: object of object (required)",
      "groups.*.decay: number = 0",
      "sampler: object (required)",
      'sampler.type: "all" (required)',
      "sampler.seed: integer = 0",
      'sampler.type: "some" (required)',
      "sampler.count: integer (required)",
    ]);
  });

  it("shows what is written, not what comes of it", () => {
    const schema = z
      .strictObject({
        size: z.union([z.number(), z.string()]).transform(String),
        fn: z.custom(() => true),
      })
      .transform(({ size }) => size.length)
      .refine((length) => length > 0);
    expect(table(schema)).toEqual(["size: number | string (required)", "fn: any (required)"]);
    expect(explainSchema(z.strictObject({}))).toEqual([]);
  });

  it("explains the whole configuration", () => {
    const rows = table(rootSchema);
    expect(rows).toContain("seed: integer >= 0 = 0");
    expect(rows).toContain("model.embedDim: integer >= 1 = 512");
    expect(rows).toContain("model.logitScale.max: number > 0 | null = 100");
    expect(rows).toContain("data.train.type: string (required)");
    expect(rows).toContain("training.steps: integer >= 1");
  });
});
