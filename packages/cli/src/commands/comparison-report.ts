/** A comparison of backends as text for a terminal, and its steps as CSV. */
import { formatBytes } from "@diptych/core";
import type { BackendComparison, ComparedBackend } from "diptych";
import { createColours, type Colours } from "../colours.js";
import { milliseconds, millisecondRange } from "../report/backends-charts.js";
import { formatTable } from "../table.js";

/** @param width Columns of the terminal; undefined where there is none. */
export function comparisonText(
  comparison: BackendComparison,
  width?: number,
  colours: Colours = createColours(),
): string {
  const { name, steps, batchSize, precision, seed, warmup, reference } = comparison;
  return [
    colours.strong(
      `${name}: ${steps} steps of batch ${batchSize}, ${precision}, seed ${seed}; times without the first ${warmup}`,
    ),
    "",
    resultTable(comparison, colours),
    "",
    formatTable(
      ["backend", "what ran"],
      comparison.backends.map((backend) => [backend.label, remark(backend, colours)]),
      [],
      { width },
    ),
    "",
    ...(reference === null ? ["No backend came to the end."] : [lossTable(comparison)]),
  ].join("\n");
}

function resultTable(comparison: BackendComparison, colours: Colours): string {
  const device = comparison.backends.some(({ summary }) => deviceText(summary) !== "");
  return formatTable(
    [
      "backend",
      "step",
      "quartiles",
      "ratio",
      "difference",
      "memory",
      ...(device ? ["device"] : []),
    ],
    comparison.backends.map((backend) => [
      backend.label,
      backend.stepMs ? milliseconds(backend.stepMs.median) : "",
      backend.stepMs ? millisecondRange(backend.stepMs) : "",
      backend.ratio === null ? "" : `${backend.ratio.toFixed(2)}×`,
      differenceText(comparison, backend, colours),
      backend.summary ? formatBytes(backend.summary.hostPeakBytes) : "",
      ...(device ? [deviceText(backend.summary)] : []),
    ]),
    [1, 2, 3, 4, 5, ...(device ? [6] : [])],
  );
}

function deviceText(summary: ComparedBackend["summary"]): string {
  const bytes = summary?.deviceBytes ?? null;
  return bytes === null ? "" : formatBytes(bytes);
}

function differenceText(
  { reference, tolerance }: BackendComparison,
  { label, difference }: ComparedBackend,
  colours: Colours,
): string {
  if (label === reference) return "reference";
  if (!difference) return "";
  if (difference.largest === 0) return colours.good("none");
  const text = difference.largest.toExponential(1);
  return difference.largest <= tolerance
    ? colours.good(text)
    : colours.bad(`${text} > ${tolerance.toExponential(0)}, step ${difference.step + 1}`);
}

function remark({ failure, points, summary }: ComparedBackend, colours: Colours): string {
  if (failure === null) return summary?.description ?? "";
  const when = points.length > 0 ? ` after ${points.length} steps` : "";
  return `${colours.bad(`failed${when}`)}: ${failure}`;
}

/** Rows at most, the first and the last step among them. */
const LOSS_ROWS = 10;

function lossTable({ backends, steps }: BackendComparison): string {
  const shown = backends.filter(({ points }) => points.length > 0);
  const rows = Math.min(LOSS_ROWS, steps);
  const chosen = Array.from({ length: rows }, (_, i) =>
    rows === 1 ? 0 : Math.round((i * (steps - 1)) / (rows - 1)),
  );
  return formatTable(
    ["loss at step", ...shown.map(({ label }) => label)],
    chosen.map((step) => [
      String(step + 1),
      ...shown.map(({ points }) => points[step]?.loss.toFixed(5) ?? ""),
    ]),
    [0, ...shown.map((_, i) => i + 1)],
  );
}

/** `backend,step,loss,stepMs,waitMs`, steps counted from 0 as in a run's log. */
export function comparisonCsv({ backends }: BackendComparison): string {
  const rows = backends.flatMap(({ label, points }) =>
    points.map(({ step, loss, stepMs, waitMs }) =>
      [quoted(label), step, loss, stepMs.toFixed(3), waitMs.toFixed(3)].join(","),
    ),
  );
  return `${["backend,step,loss,stepMs,waitMs", ...rows].join("\n")}\n`;
}

function quoted(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
