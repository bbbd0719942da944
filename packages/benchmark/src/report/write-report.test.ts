import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  createComparison,
  createSearch,
  createSuite,
  pictureOf,
} from "./comparison.test-support.js";
import { writeReport, type WrittenReport } from "./write-report.js";

let folder: string;
let written: WrittenReport;
let page: string;

beforeAll(async () => {
  folder = process.env["DIPTYCH_REPORT_OUT"] ?? (await mkdtemp(join(tmpdir(), "diptych-report-")));
  written = await writeReport(createComparison(), join(folder, "comparison"), {
    pictures: async (_, sample) => pictureOf(sample),
    search: createSearch(),
    attribution: ["Shapes drawn by code"],
  });
  page = await readFile(written.html, "utf8");
});

afterAll(async () => {
  if (process.env["DIPTYCH_REPORT_OUT"] === undefined)
    await rm(folder, { recursive: true, force: true });
});

it("is one file that names nothing on the network", () => {
  expect(page.length).toBeLessThan(3e6);
  expect(page).not.toMatch(/(src|href)="(?!data:image\/webp;base64,|#)/);
  expect(page).not.toMatch(/url\(|@import|<link/);
  expect(page.match(/<img class="thumb" src="data:image\/webp/g)?.length).toBeGreaterThan(20);
  expect(page).toContain("Pictures: Shapes drawn by code.");
});

it("begins with the answer", () => {
  const answer = page.indexOf("On new-style, Sigmoid is better");
  expect(answer).toBeGreaterThan(0);
  expect(answer).toBeLessThan(page.indexOf('id="results"'));
});

it("says what failed and what may not be compared", () => {
  expect(page).toContain("expected a folder, got nothing (digits)");
  expect(page).toContain("They ran in fp32 and bf16.");
});

it("writes Markdown with the same tables and pictures that lie beside it", async () => {
  const markdown = await readFile(written.markdown, "utf8");
  expect(markdown).toContain("**On new-style, Sigmoid is better");
  expect(markdown).toContain("| method | top1 | difference | p | verdict |");
  const files = await readdir(join(folder, "comparison"));
  const pictures = [...markdown.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map((match) => match[1]);
  expect(pictures).toHaveLength(4);
  for (const picture of pictures) expect(files).toContain(picture);
  const svg = await readFile(
    join(folder, "comparison", "report-curves-new-style-top1.svg"),
    "utf8",
  );
  expect(svg).toMatch(/^<svg\s+xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  for (const method of ["InfoNCE", "Sigmoid", "Captioning"])
    expect(svg).toContain(`>${method}</text>`);
});

it("writes a line of CSV for each metric of each row, and of the curves", async () => {
  const lines = (await readFile(written.csv, "utf8")).trim().split("\n");
  // 15 runs, each of 4 + 3 metrics and 4 groups.
  expect(lines).toHaveLength(1 + 15 * (4 + 3 + 4));
  expect(lines[0]).toMatch(
    /^method,seed,task,evaluator,main,group,metric,value,queries,candidates,diptych/,
  );
  expect(lines.some((line) => line.startsWith("Sigmoid,3,new-style,new-style,true,,top1,0."))).toBe(
    true,
  );
  const curves = (await readFile(written.curves ?? "", "utf8")).trim().split("\n");
  expect(curves).toHaveLength(1 + 15 * 21 * 4);
});

it("reports a suite, in text where there are no pictures, curves or training", async () => {
  const suite = await writeReport(createSuite(), join(folder, "suite"));
  const text = await readFile(suite.html, "utf8");
  expect(suite.curves).toBeNull();
  expect(suite.figures).toEqual([]);
  expect(text).not.toContain("<img");
  expect(text).not.toContain('id="curves"');
  expect(text).toContain("Came without a configuration.");
});

it("names pictures that cannot be read, and goes on", async () => {
  const partly = await writeReport(createComparison({ seeds: 1 }), join(folder, "partly"), {
    pictures: (_, sample) => {
      if (sample % 2 === 0) return Promise.reject(new Error("the file is gone"));
      return Promise.resolve(pictureOf(sample));
    },
  });
  expect(await readFile(partly.html, "utf8")).toMatch(
    /picture of sample \d*[02468] of [\w-]+ could not be read: the file is gone/,
  );
});

it("survives saving as JSON, in which numbers that are none become null", async () => {
  const comparison = createComparison({ seeds: 2 });
  const text = JSON.stringify(comparison, (key, value: unknown) =>
    key === "recall" && Array.isArray(value) ? [NaN, ...value.slice(1)] : value,
  );
  const again = await writeReport(JSON.parse(text) as typeof comparison, join(folder, "again"));
  expect(await readFile(again.html, "utf8")).not.toMatch(/NaN|null %|undefined/);
});

it("shows an empty comparison as such", async () => {
  const empty = {
    ...createComparison({ seeds: 1 }),
    runs: [],
    means: [],
    tests: [],
    conclusion: ["Nothing was measured."],
  };
  const report = await writeReport(empty, join(folder, "empty"));
  expect(await readFile(report.html, "utf8")).toContain("Nothing was measured.");
});
