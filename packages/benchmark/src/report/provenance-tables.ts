/** Tables of what results depend on: what differs between methods, each run's facts, what failed, what may not be compared. */
import { formatDuration } from "@diptych/core";
import type { BenchmarkRow, DataIdentity, Provenance, TrainingCost } from "../record.js";
import { formatCount, formatFlops, NOTHING, shortHash } from "./report-numbers.js";
import type { Cell, ReportTable } from "./report-table.js";
import { unique, type ReportView } from "./report-view.js";
import { methodCell } from "./result-tables.js";

/** Paths of a configuration with their values as text: `training.batchSize` → `256`. */
export function flattenConfig(config: unknown, path = ""): ReadonlyMap<string, string> {
  const flat = new Map<string, string>();
  if (config !== null && typeof config === "object" && Object.keys(config).length > 0) {
    for (const [key, value] of Object.entries(config)) {
      const inner = flattenConfig(value, path === "" ? key : `${path}.${key}`);
      for (const [at, text] of inner) flat.set(at, text);
    }
  } else flat.set(path, JSON.stringify(config));
  return flat;
}

/** Settings in which one configuration differs from another: path, theirs, ours. */
export function configDifferences(
  base: unknown,
  other: unknown,
): readonly (readonly [string, string, string])[] {
  const [one, two] = [flattenConfig(base), flattenConfig(other)];
  return unique([...one.keys(), ...two.keys()])
    .filter((path) => one.get(path) !== two.get(path))
    .map((path) => [path, one.get(path) ?? NOTHING, two.get(path) ?? NOTHING]);
}

function firstConfig({ runs }: ReportView, method: string): Provenance["config"] {
  const row = runs.find((run) => run.method === method && run.rows.length > 0)?.rows[0];
  return row?.provenance.config ?? null;
}

/** The settings that are not the same for all methods; undefined where there are none to compare. */
export function settingsTable(view: ReportView): ReportTable | undefined {
  const known = view.methods.filter((method) => firstConfig(view, method) !== null);
  if (known.length < 2) return undefined;
  const flat = known.map((method) => flattenConfig(firstConfig(view, method)));
  const paths = unique(flat.flatMap((one) => [...one.keys()])).filter(
    (path) => path !== "seed" && new Set(flat.map((one) => one.get(path))).size > 1,
  );
  if (paths.length === 0) return undefined;
  return {
    caption: "Settings that differ between the methods",
    head: ["setting", ...known],
    rows: paths.map((path) => [path, ...flat.map((one) => one.get(path) ?? NOTHING)]),
    words: known.map((_, i) => i + 1),
    stack: true,
  };
}

const FACTS: readonly (readonly [string, (provenance: Provenance) => string])[] = [
  ["diptych", ({ code }) => code.diptych],
  ["Node", ({ code }) => code.node],
  ["commit", ({ code }) => commitText(code)],
  ["backend", ({ backend }) => backend],
  ["precision", ({ precision }) => precision],
  ["preprocessing", ({ preprocessing }) => JSON.stringify(preprocessing)],
  ["training data", ({ trainData }) => dataText(trainData)],
  ["batch size", ({ training }) => (training ? String(training.batchSize) : NOTHING)],
];

function commitText({ commit, dirty }: Provenance["code"]): string {
  if (commit === null) return "unknown";
  return `${commit.slice(0, 12)}${dirty ? ", with changes that are not committed" : ""}`;
}

function dataText(data: DataIdentity | null): string {
  if (data === null) return "unknown";
  const size = data.size === null ? "" : `, ${formatCount(data.size)} samples`;
  return `${data.name}${size}, ${data.fingerprint === null ? `no fingerprint: ${data.note}` : `${shortHash(data.fingerprint)} (${data.note})`}`;
}

/** What was the same for all rows, and which facts were not. */
export function sharedFacts(view: ReportView): {
  readonly table: ReportTable;
  readonly differing: readonly string[];
} {
  const all = view.runs.flatMap(({ rows }) => rows.map(({ provenance }) => provenance));
  const values = FACTS.map(([name, text]) => ({ name, texts: unique(all.map(text)) }));
  const tests = unique(view.tasks).flatMap((task): readonly Cell[][] => {
    const rows = view.runs.flatMap((run) => run.rows.filter((row) => row.task === task));
    const texts = unique(rows.map(({ provenance }) => dataText(provenance.testData)));
    return texts.length === 0 ? [] : [[`data of ${task}`, texts.join(" / ")]];
  });
  return {
    table: {
      caption: "What the rows depend on",
      head: ["", "value"],
      rows: [
        ...values
          .filter(({ texts }) => texts.length > 0)
          .map(({ name, texts }): readonly Cell[] => [
            name,
            texts.length === 1
              ? (texts[0] ?? "")
              : { text: texts.join(" / "), tone: "bad" as const },
          ]),
        ...tests,
      ],
      words: [1],
    },
    differing: values.filter(({ texts }) => texts.length > 1).map(({ name }) => name),
  };
}

type Column = readonly [string, (row: BenchmarkRow) => string];

const RUN_COLUMNS: readonly Column[] = [
  ["seed", ({ provenance: { seed } }) => (seed === null ? NOTHING : String(seed))],
  ["weights", ({ provenance }) => shortHash(provenance.weights)],
  ["steps", cost(({ steps }) => formatCount(steps))],
  ["pictures", cost(({ samples }) => formatCount(samples))],
  ["operations", cost(({ flops }) => formatFlops(flops))],
  ["time", cost(({ seconds }) => formatDuration(seconds))],
  ["measured (UTC)", ({ provenance: { date } }) => date.slice(0, 16).replace("T", " ")],
];

/** Shown only where they are not the same for all: the table of shared facts has them. */
const VARYING_COLUMNS: readonly Column[] = [
  ["data", ({ provenance: { trainData } }) => shortHash(trainData?.fingerprint ?? null)],
  ["precision", ({ provenance }) => provenance.precision],
];

function cost(text: (training: TrainingCost) => string): Column[1] {
  return ({ provenance: { training } }) => (training ? text(training) : NOTHING);
}

/** A line for each run: weights, cost, date. */
export function runsTable(view: ReportView): ReportTable {
  const rows = view.runs.flatMap((run) => run.rows.slice(0, 1));
  const varying = VARYING_COLUMNS.filter(([, text]) => unique(rows.map(text)).length > 1);
  const columns = [...RUN_COLUMNS, ...varying];
  return {
    caption: "The runs",
    head: [view.noun, ...columns.map(([title]) => title)],
    rows: rows.map((row) => [
      methodCell(view, row.method),
      ...columns.map(([, text]) => text(row)),
    ]),
  };
}

export function failuresTable(view: ReportView): ReportTable | undefined {
  const { failed } = view;
  if (failed.length === 0) return undefined;
  const keys = unique(failed.map((one) => JSON.stringify([one.method, one.task, one.reason])));
  return {
    caption: "What could not be measured",
    head: [view.noun, "task", "seeds", "reason"],
    rows: keys.map((key) => {
      const [method = "", task = "", reason = ""] = JSON.parse(key) as readonly string[];
      const seeds = failed
        .filter((one) => one.method === method && one.task === task && one.reason === reason)
        .flatMap(({ seed }) => seed ?? []);
      return [methodCell(view, method), task, seeds.join(", ") || NOTHING, reason];
    }),
    words: [1, 2, 3],
    stack: true,
  };
}

export function incomparableTable(view: ReportView): ReportTable | undefined {
  if (view.incomparable.length === 0) return undefined;
  return {
    caption: "Not or not certainly comparable, and why",
    head: [view.noun, "with", "task", "comparable", "why not"],
    rows: view.incomparable.map(({ method, baseline, task, reasons, severity }) => [
      methodCell(view, method),
      baseline,
      task,
      severity === "marked" ? "not certain" : { text: "no", tone: "bad" },
      reasons.join(" "),
    ]),
    words: [1, 2, 3, 4],
    stack: true,
  };
}
