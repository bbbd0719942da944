/** What a loss promises that says how well pictures and texts fit. */
import { dtypeOf, equalShapes, formatShape, shapeOf, symbolDim, type Value } from "@diptych/core";
import { evaluateValues } from "@diptych/core/reference";
import { expect } from "vitest";
import type { ContractCheck } from "../contract-check.js";
import { expectClose } from "../matchers.js";
import {
  buildOnce,
  chooseRows,
  createGround,
  feedsOf,
  type Ground,
  type LossContractOptions,
} from "./built-loss.js";

interface BuiltScores extends Ground {
  readonly scores: Value;
}

/** The scores in evaluation mode, pictures and texts of numbers of their own; undefined where the loss has none. */
function buildScores(options: LossContractOptions): BuiltScores | undefined {
  const loss = options.create();
  if (!loss.buildScores) return undefined;
  const ground = createGround(options, loss, { mode: "eval", apart: true });
  return { ...ground, scores: loss.buildScores(ground.context, ground.inputs) };
}

export const scoreChecks: readonly ContractCheck<LossContractOptions>[] = [
  {
    name: "scores each picture with each text, where it scores",
    run: (options) => {
      const built = buildScores(options);
      if (!built) return;
      const { scores } = built;
      const [rows = "image", columns = "text"] = options.modalities ?? [];
      const expected = [symbolDim(`${rows}Batch`), symbolDim(`${columns}Batch`)];
      expect(
        equalShapes(shapeOf(scores), expected),
        `scores ${formatShape(shapeOf(scores))} are ${formatShape(expected)}`,
      ).toBe(true);
      expect(dtypeOf(scores)).toBe("float32");
    },
  },
  {
    name: "scores with parameters that its training declares",
    run: (options) => {
      const built = buildScores(options);
      if (!built) return;
      const show = ({ name, shape }: { name: string; shape: readonly number[] }): string =>
        `${name} ${formatShape(shape)}`;
      const trained = buildOnce(options).specs.map(show);
      for (const spec of built.specs().map(show))
        expect(trained, "parameters of training").toContain(spec);
    },
  },
  {
    name: "scores a pair by itself, whatever stands beside it",
    run: (options) => {
      const built = buildScores(options);
      if (!built) return;
      const declared = { ...built, specs: built.specs(), random: built.random() };
      const feeds = feedsOf(options, declared);
      const { scores, sizes } = built;
      const [pictures = "imageBatch", texts = "textBatch"] = shapeOf(scores).map((dim) =>
        typeof dim === "number" ? "" : dim.key,
      );
      const all = evaluateValues([scores], feeds, sizes)[0]!;
      const chosen: Readonly<Record<string, readonly number[]>> = {
        [pictures]: [2, 0],
        [texts]: [3, 1, 2],
      };
      const rows = chosen[pictures]!;
      const columns = chosen[texts]!;
      const some = evaluateValues(
        [scores],
        chooseRows(declared, feeds, (key) => chosen[key]),
        {
          ...sizes,
          [pictures]: rows.length,
          [texts]: columns.length,
        },
      )[0]!;
      const width = sizes[texts] ?? 0;
      const expected = rows.flatMap((row) =>
        columns.map((column) => all.data[row * width + column]!),
      );
      expect([...all.data].every(Number.isFinite), "scores are finite").toBe(true);
      expect(new Set(all.data).size, "different scores").toBeGreaterThan(1);
      expectClose([...some.data], expected, { relativeToLargest: 1e-9 });
    },
  },
];
