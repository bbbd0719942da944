/** A tiny run of each of the paper's nine models. */
import { describe, expect, it } from "vitest";
import { PAPER_ROWS, TINY_LIMIT, trainTiny } from "./paper-configs.test-support.js";

describe("npx diptych train --tiny", () => {
  it.each(PAPER_ROWS)("configs/clip-$name", async ({ name }) => {
    const { milliseconds, ...outcome } = await trainTiny(name);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    expect(outcome.stdout).toMatch(/Trained 10 steps .* the last loss was \d\.\d+/);
    expect(milliseconds).toBeLessThan(TINY_LIMIT);
  });
});
