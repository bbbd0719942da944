import { readFileSync } from "node:fs";
import path from "node:path";
import { createHostTensor } from "@diptych/core";
import { expectClose } from "@diptych/testing";
import { describe, expect, it } from "vitest";
import {
  resizeGridPositions,
  resizePositions,
  resizeSequencePositions,
} from "./resize-positions.js";

interface Case {
  readonly kind: "grid" | "linear";
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly width: number;
  readonly input: readonly number[];
  readonly expected: readonly number[];
}

const { cases, tool, tolerance } = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../fixtures/position-resize.json"), "utf8"),
) as { cases: readonly Case[]; tool: string; tolerance: number };

const table = (values: readonly number[], width: number) =>
  createHostTensor("float32", [values.length / width, width], Float32Array.from(values));

describe(`position embeddings as ${tool} resizes them`, () => {
  it.each(
    cases.map(
      (each) => [`${each.kind} ${each.from.join("×")} to ${each.to.join("×")}`, each] as const,
    ),
  )("%s", (_, { kind, from, to, width, input, expected }) => {
    const resized =
      kind === "grid"
        ? resizeGridPositions(table(input, width), {
            prefix: 1,
            from: from as [number, number],
            to: to as [number, number],
          })
        : resizeSequencePositions(table(input, width), to[0] ?? 0);
    expect(resized.shape).toEqual([expected.length / width, width]);
    expectClose(resized.data, Float32Array.from(expected), { relativeToLargest: tolerance });
  });

  it("takes tables under visual. as grids, others as sequences", () => {
    const grid = cases.find(({ kind, to }) => kind === "grid" && to[0] === 7)!;
    const resize = (name: string, rows: number) =>
      resizePositions(table(grid.input, grid.width), { name, shape: [rows, grid.width] });
    for (const name of ["visual.positional_embedding", "visual.attnpool.positional_embedding"])
      expectClose(resize(name, 50).data, grid.expected, { relativeToLargest: tolerance });
    expect(resize("positional_embedding", 50).data[0]).toBe(Math.fround(grid.input[0]!));
    expect(() => resize("visual.positional_embedding", 49)).toThrow(
      /a square grid, got 48 patches/,
    );
  });
});
