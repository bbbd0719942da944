import { definePlugin, loss, schedule } from "@diptych/core/plugin";
import { expect, it } from "vitest";
import { z } from "zod";
import { createPart } from "./create-part.js";

const plugin = definePlugin({
  name: "fake",
  contract: 1,
  provides: [
    schedule("line", {
      summary: "a line",
      schema: z.strictObject({ slope: z.number().default(2) }),
      create: ({ slope }, { totalSteps }) => ({
        name: "line",
        learningRate: (step) => (slope * step) / totalSteps,
      }),
    }),
    loss("wide", {
      summary: "tells what it was given",
      schema: z.strictObject({}),
      create: (_, { modalities, embedDim }) => ({
        name: `${modalities.join("-")} ${embedDim}`,
        needs: [],
        auxiliary: [],
        scope: "batch",
        build: () => {
          throw new Error("not built here");
        },
      }),
    }),
  ],
});

it("takes defaults from the schema and small dependencies", () => {
  expect(createPart(plugin, "schedule", { type: "line" }).learningRate(50)).toBe(1);
  expect(createPart(plugin, "loss", { type: "wide" }).name).toBe("image-text 4");
});
it("takes settings and dependencies that are given", () => {
  const part = { type: "line", slope: 1 };
  expect(createPart(plugin, "schedule", part, { totalSteps: 10 }).learningRate(5)).toBe(0.5);
  expect(createPart(plugin, "loss", { type: "wide" }, { embedDim: 9 }).name).toBe("image-text 9");
});
it("refuses unknown settings and types as a configuration does", () => {
  expect(() => createPart(plugin, "schedule", { type: "line", slop: 1 })).toThrow(/slop/);
  expect(() => createPart(plugin, "schedule", { type: "lime" })).toThrow(/Did you mean "line"/);
});
