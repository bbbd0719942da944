import { expect, it } from "vitest";
import { createComparison, createSuite } from "./comparison.test-support.js";
import { chooseClasses } from "./class-chart.js";
import { classRows, confusionsOf } from "./class-rows.js";
import { confusedClasses, frequentMistakes } from "./confusion.js";
import { pickGalleries } from "./galleries.js";
import {
  configDifferences,
  flattenConfig,
  incomparableTable,
  runsTable,
  settingsTable,
  sharedFacts,
} from "./provenance-tables.js";
import {
  areShares,
  formatDifference,
  formatFlops,
  formatInterval,
  formatMetric,
  formatProbability,
} from "./report-numbers.js";
import { contentOf, htmlTable, markdownTable } from "./report-table.js";
import { meanOf, viewOf } from "./report-view.js";
import { costTable, groupTables, meansTable, metricsTable } from "./result-tables.js";

const view = viewOf(createComparison());

it("prints numbers for people", () => {
  expect(formatMetric(0.6321, true)).toBe("63.2 %");
  expect(formatMetric(12.3456, false)).toBe("12.35");
  expect(formatMetric(NaN, true)).toBe("–");
  expect(formatDifference(-0.0123, true)).toBe("−1.2");
  expect(formatInterval({ low: -0.01, high: 0.02, level: 0.95 }, true, true)).toBe("−1.0 to +2.0");
  expect(formatInterval(null, true)).toBe("no interval");
  expect([formatProbability(0.0002), formatProbability(0.0312), formatProbability(0.62)]).toEqual([
    "< 0.001",
    "0.031",
    "0.62",
  ]);
  expect(formatFlops(3.1e14)).toBe("310 TFLOP");
  expect([areShares([0, 1, -0.5]), areShares([1.5, 0.2]), areShares([NaN])]).toEqual([
    true,
    false,
    false,
  ]);
  expect(meanOf([1, null, 3, NaN, undefined])).toBe(2);
});

it("puts means, differences and verdicts beside each other, and marks what may not be compared", () => {
  const table = meansTable(view, "retrieval");
  expect(table?.head).toEqual(["method", "imageRecall1", "difference", "p", "verdict"]);
  const verdicts = table?.rows.map((row) => contentOf(row[4] ?? "").text);
  expect(verdicts).toEqual(["baseline", "better", "not comparable"]);
  expect(contentOf(table?.rows[1]?.[3] ?? "").below).toBe("seeds 0.004, items < 0.001");
  const [one] = view.incomparable;
  const uncertain = { ...view, incomparable: [{ ...one!, severity: "marked" as const }] };
  expect(meansTable(uncertain, "retrieval")?.rows[2]?.[4]).toEqual({
    text: expect.stringMatching(/^(better|worse|undecided)$/) as string,
    tone: expect.any(String) as string,
    below: "may not be comparable",
  });
  expect(incomparableTable(uncertain)?.rows[0]?.[3]).toBe("not certain");
});

it("has one line a method for the main metric, and intervals of the others in the table of all", () => {
  expect(meansTable(view, "new-style")?.rows.map((row) => contentOf(row[0] ?? "").text)).toEqual(
    view.methods,
  );
  const top5 = metricsTable(view, "new-style")?.rows.find(([name]) => name === "top5");
  expect(contentOf(top5?.[1] ?? "").below).toMatch(/^\d+\.\d to \d+\.\d$/);
});

it("has no columns of comparison for a suite", () => {
  expect(meansTable(viewOf(createSuite()), "new-style")?.head).toEqual(["model", "top1"]);
  expect(costTable(viewOf(createSuite()))).toBeUndefined();
});

it("means all metrics over seeds, with what is no share as it is", () => {
  const rows = metricsTable(view, "retrieval")?.rows.map((row) =>
    row.map((cell) => contentOf(cell).text),
  );
  expect(rows?.map(([name]) => name)).toEqual(["imageRecall1", "imageRecall5", "medianRank"]);
  expect(rows?.[0]?.[1]).toMatch(/^\d+\.\d %$/);
  expect(rows?.[2]?.[1]).not.toContain("%");
  expect(rows?.[0]?.slice(-2)).toEqual(["24", "240"]);
});

it("marks the worst group of each method", () => {
  const [table] = groupTables(view, "new-style");
  for (let method = 1; method <= 3; method++) {
    const cells = table?.rows.map((row) => contentOf(row[method] ?? "")) ?? [];
    const least = Math.min(...cells.map(({ text }) => parseFloat(text)));
    const marked = cells.filter(({ tone }) => tone === "bad");
    expect(marked.map(({ text }) => parseFloat(text))).toEqual([least]);
  }
});

it("chooses the classes that changed most, the worst and the best", () => {
  const values = (a: number, b: number): { method: string; value: number }[] => [
    { method: "A", value: a },
    { method: "B", value: b },
  ];
  const rows = Array.from({ length: 20 }, (_, i) => ({
    name: `c${i}`,
    queries: 1,
    values: values(i / 20, i / 20 + (i === 7 ? 0.3 : 0.01)),
  }));
  const empty = { name: "empty", queries: 0, values: values(NaN, NaN) };
  const [changed, worst, best] = chooseClasses([...rows, empty]);
  expect(changed?.rows[0]?.name).toBe("c7");
  expect(worst?.rows[0]?.name).toBe("c0");
  expect(best?.rows[0]?.name).toBe("c19");
  expect(chooseClasses([empty])).toEqual([]);
  expect(chooseClasses(rows.slice(0, 3))).toHaveLength(1);
});

it("has no classes where methods name different ones", () => {
  const comparison = createComparison({ seeds: 1 });
  const runs = comparison.runs.map((run, i) => ({
    ...run,
    rows: run.rows.map((row) => ({
      ...row,
      evaluation: {
        ...row.evaluation,
        ...(row.evaluation.classes && i === 0
          ? {
              classes: {
                ...row.evaluation.classes,
                names: row.evaluation.classes.names.map((name) => `${name}s`),
              },
            }
          : {}),
      },
    })),
  }));
  expect(classRows(viewOf({ ...comparison, runs }), "new-style")).toBeUndefined();
  expect(classRows(view, "new-style")?.rows).toHaveLength(24);
});

it("adds confusions over seeds and finds the most frequent", () => {
  const confusions = confusionsOf(view, "new-style");
  expect(confusions.map(({ method }) => method)).toEqual(["InfoNCE", "Sigmoid", "Captioning"]);
  const total = [...(confusions[0]?.counts.values() ?? [])].reduce((sum, count) => sum + count, 0);
  expect(total).toBe(240 * 5);
  const mistakes = frequentMistakes(confusions, 5);
  expect(mistakes).toHaveLength(5);
  expect(mistakes.every(({ expected, guessed }) => expected !== guessed)).toBe(true);
  const classes = confusedClasses(confusions, 12);
  expect(classes.length).toBeLessThanOrEqual(12);
  expect([...classes].sort((a, b) => a - b)).toEqual(classes);
});

it("shows each method's most confident mistakes in turn, with what the others said", () => {
  const [mistakes, neighbours] = pickGalleries(view);
  expect([mistakes?.kind, neighbours?.kind]).toEqual(["mistake", "neighbours"]);
  expect(mistakes?.items).toHaveLength(12);
  mistakes?.items.slice(0, 3).forEach(({ voices }, i) => {
    expect(voices).toHaveLength(3);
    expect(voices[i]).toMatchObject({ right: false });
    expect(voices[i]?.answers.length).toBeGreaterThan(0);
  });
  const unlisted = mistakes?.items
    .flatMap(({ voices }) => voices)
    .filter(({ answers }) => answers.length === 0);
  expect(unlisted?.length).toBeGreaterThan(0);
  expect(unlisted?.every(({ right }) => right !== null)).toBe(true);
});

it("names the settings that differ, whatever the seed", () => {
  const table = settingsTable(view);
  expect(table?.rows.map(([path]) => path)).toEqual(["name", "loss.type"]);
  expect(
    configDifferences({ seed: 1, a: { b: [1, 2] } }, { seed: 2, a: { b: [1, 3] }, c: null }),
  ).toEqual([
    ["seed", "1", "2"],
    ["a.b.1", "2", "3"],
    ["c", "–", "null"],
  ]);
  expect([...flattenConfig({ a: {}, b: [] })]).toEqual([
    ["a", "{}"],
    ["b", "[]"],
  ]);
});

it("says which facts are not the same for all rows, and shows them run by run", () => {
  expect(sharedFacts(view).differing).toEqual([]);
  const comparison = createComparison({ seeds: 1 });
  const runs = comparison.runs.map((run, i) => ({
    ...run,
    rows: run.rows.map((row) => ({
      ...row,
      provenance: { ...row.provenance, precision: i === 0 ? "bf16" : "fp32" },
    })),
  }));
  const mixed = viewOf({ ...comparison, runs });
  expect(sharedFacts(mixed).differing).toEqual(["precision"]);
  expect(runsTable(mixed).head).toContain("precision");
  expect(runsTable(view).head).not.toContain("precision");
});

it("escapes what would be markup, in both forms", () => {
  const table = {
    caption: "<c>",
    head: ["a|b", "*"],
    rows: [["<i>x</i>", { text: "1_2", below: "[y](z)" }]],
  };
  expect(markdownTable(table)).toBe(
    "| a\\|b | \\* |\n| --- | ---: |\n| \\<i\\>x\\</i\\> | 1\\_2 (\\[y\\](z)) |",
  );
  expect(htmlTable(table).html).toContain("&lt;i&gt;x&lt;/i&gt;");
  expect(htmlTable(table).html).not.toContain("<i>x");
});
