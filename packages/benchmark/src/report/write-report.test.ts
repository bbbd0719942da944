import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createComparison, createSearch, pictureOf } from "./comparison.test-support.js";
import { writeReport } from "./write-report.js";

it("writes", async () => {
  const folder = process.env["REPORT_OUT"] ?? (await mkdtemp(join(tmpdir(), "report-")));
  const written = await writeReport(createComparison(), folder, {
    pictures: async (_, sample) => pictureOf(sample),
    search: createSearch(),
    attribution: ["Shapes drawn by code"],
  });
  expect((await readFile(written.html, "utf8")).length).toBeLessThan(3e6);
});
