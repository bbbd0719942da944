/** The page of a comparison of backends: one self-contained HTML file, light or dark as the reader's system, readable on a phone. */
import { formatBytes } from "@diptych/core";
import { backendAgrees, partText, type BackendComparison, type ComparedBackend } from "diptych";
import {
  colourOf,
  differenceChart,
  lossChart,
  memoryChart,
  millisecondRange,
  milliseconds,
  timeChart,
} from "./backends-charts.js";
import { html, raw, type Html } from "./html.js";

const SERIES = {
  light: "#3056d3 #d9622b #1a8a5a #a3318f #7a6a00 #0c7c9e #b3261e #5b5b66",
  dark: "#7d9bff #ff9a62 #4cc995 #e07fd0 #cdb93a #4fc3e8 #ff8279 #a8a8b4",
};

function seriesVariables(colours: string): string {
  return colours
    .split(" ")
    .map((colour, i) => `--series-${i}: ${colour};`)
    .join(" ");
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1c1c1e; --soft: #63636b; --line: #e4e4ea; --good: #1a7f37; --bad: #b3261e; --page: #fbfbfd; --card: #fff; ${seriesVariables(SERIES.light)} }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf1; --soft: #a2a2ad; --line: #34343c; --good: #57c878; --bad: #ff8279; --page: #141417; --card: #1d1d22; ${seriesVariables(SERIES.dark)} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 920px; margin: 0 auto; padding: 40px 20px 80px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -.02em; overflow-wrap: anywhere; } h2 { font-size: 20px; margin: 44px 0 8px; }
p { margin: 6px 0 14px; max-width: 68ch; } .soft { color: var(--soft); } .good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 7px 8px; border-bottom: 1px solid var(--line); white-space: nowrap; } th:first-child, td:first-child { text-align: left; }
tr:last-child td { border-bottom: 0; } th { font-weight: 600; color: var(--soft); font-size: 14px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px; overflow-x: auto; }
pre { margin: 6px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px; line-height: 1.45; }
code { font-size: .92em; overflow-wrap: anywhere; }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; margin-bottom: 10px; font-size: 14px; } i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 7px; }
svg { display: block; max-width: 100%; height: auto; overflow: visible; } .narrow { display: none; }
@media (max-width: 640px) { main { padding: 24px 14px 60px; } .card { padding: 12px; } .wide { display: none; } .narrow { display: block; } }
@media print { .card { break-inside: avoid; } }
`;

const WIDE = 846;
const NARROW = 306;

/** Drawn for a wide window and for a phone, rather than shrunk until it cannot be read. */
function chart(draw: (width: number) => string): Html {
  return html`<div class="wide">${raw(draw(WIDE))}</div>
    <div class="narrow">${raw(draw(NARROW))}</div>`;
}

function name(comparison: BackendComparison, backend: ComparedBackend): Html {
  const index = comparison.backends.indexOf(backend);
  return html`<i style="background:${colourOf(index)}"></i>${backend.label}`;
}

function differenceCell(comparison: BackendComparison, backend: ComparedBackend): Html {
  const { reference, tolerance } = comparison;
  const { failure, difference, points, label } = backend;
  if (failure !== null) return html`<td class="bad">failed after ${points.length} steps</td>`;
  if (label === reference) return html`<td class="soft">reference</td>`;
  if (!difference || difference.largest === 0) return html`<td class="good">none</td>`;
  const { largest, step } = difference;
  return html`<td class="${largest <= tolerance ? "good" : "bad"}">
    ${largest.toExponential(1)} at ${step + 1}
  </td>`;
}

function resultTable(comparison: BackendComparison): Html {
  const { backends } = comparison;
  const onDevice = backends.some((backend) => deviceMemory(backend) !== "");
  const row = (backend: ComparedBackend): Html => {
    const { stepMs, ratio, summary } = backend;
    return html`<tr>
      <td>${name(comparison, backend)}</td>
      <td>${stepMs ? milliseconds(stepMs.median) : ""}</td>
      <td>${stepMs ? millisecondRange(stepMs) : ""}</td>
      <td>${ratio === null ? "" : `${ratio.toFixed(2)}×`}</td>
      ${differenceCell(comparison, backend)}
      <td>${summary ? formatBytes(summary.hostPeakBytes) : ""}</td>
      ${onDevice ? html`<td>${deviceMemory(backend)}</td>` : ""}
      <td>${summary ? `${summary.startSeconds.toFixed(1)} s` : ""}</td>
    </tr>`;
  };
  return html`<table>
    <thead>
      <tr>
        <th>backend</th>
        <th>step</th>
        <th>quartiles</th>
        <th>ratio</th>
        <th>largest difference</th>
        <th>memory</th>
        ${onDevice ? html`<th>device</th>` : ""}
        <th>start</th>
      </tr>
    </thead>
    <tbody>
      ${backends.map(row)}
    </tbody>
  </table>`;
}

function deviceMemory({ summary }: ComparedBackend): string {
  const bytes = summary?.deviceBytes ?? null;
  return bytes === null ? "" : formatBytes(bytes);
}

function verdict(comparison: BackendComparison): Html {
  const { backends, tolerance, reference, agrees } = comparison;
  const limit = tolerance.toExponential(0);
  if (agrees) {
    return backends.length > 1
      ? html`<p class="good">
          All ${backends.length} came to the end, and no loss lies further than ${limit} from that
          of ${reference ?? ""}, relative to it.
        </p>`
      : html`<p class="good">It came to the end; there is nothing to compare it with.</p>`;
  }
  const failed = backends.filter(({ failure }) => failure !== null).length;
  const apart = backends.filter(
    (backend) => backend.failure === null && !backendAgrees(backend, tolerance),
  ).length;
  return html`<p class="bad">
    ${failed > 0 ? `${failed} of ${backends.length} failed. ` : ""}${apart > 0 ? `The losses of ${apart} lie further than ${limit} from those of ${reference ?? "the reference"}.` : ""}
  </p>`;
}

function failures(comparison: BackendComparison): Html {
  const failed = comparison.backends.filter(({ failure }) => failure !== null);
  if (failed.length === 0) return raw("");
  return html`<h2>What failed</h2>
    ${failed.map(
      (backend) =>
        html`<div class="card" style="margin-bottom:12px">
          ${name(comparison, backend)}
          <pre>${backend.failure ?? ""}</pre>
        </div>`,
    )}`;
}

function charts(comparison: BackendComparison): Html {
  const { backends, reference } = comparison;
  const card = (shown: boolean, title: string, content: () => Html): Html =>
    shown
      ? html`<h2>${title}</h2>
          <div class="card">${content()}</div>`
      : raw("");
  const key = html`<div class="key">
    ${backends.map((backend) => html`<span>${name(comparison, backend)}</span>`)}
  </div>`;
  const some = (test: (backend: ComparedBackend) => boolean): boolean => backends.some(test);
  return html`${card(
    some(({ points }) => points.length > 0),
    "Loss",
    () => html`${key}${chart((width) => lossChart(comparison, width))}`,
  )}
  ${card(
    some(({ difference }) => difference !== null),
    `Distance from ${reference ?? ""}`,
    () => html`${key}${chart((width) => differenceChart(comparison, width))}`,
  )}
  ${card(
    some(({ stepMs }) => stepMs !== null),
    "Time of a step",
    () => chart((width) => timeChart(comparison, width)),
  )}
  ${card(
    some(({ summary }) => summary !== null),
    "Peak memory",
    () => chart((width) => memoryChart(comparison, width)),
  )}`;
}

function whatRan(comparison: BackendComparison): Html {
  return html` <h2>What ran</h2>
    <div class="card">
      ${comparison.backends.map(
        (backend) =>
          html`<p>
            <b>${name(comparison, backend)}</b
            ><br />${backend.summary?.description ?? "did not come to the end"}<br />
            <code class="soft">backend: ${partText(backend.part)}</code>
          </p>`,
      )}
    </div>`;
}

/** The page. */
export function renderBackendsPage(comparison: BackendComparison): string {
  const { machine, steps, warmup, batchSize, precision, seed, backends } = comparison;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${comparison.name} on ${backends.length} backends</title>
        <style>
          ${raw(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <h1>
            ${comparison.name} on ${backends.length}
            ${backends.length === 1 ? "backend" : "backends"}
          </h1>
          <p class="soft">
            The first ${steps} steps of <code>${comparison.config}</code>, batch ${batchSize},
            ${precision}, seed ${seed}: the same batches and first weights on each, one after the
            other, each in a process of its own.
          </p>
          ${verdict(comparison)}
          <div class="card">${resultTable(comparison)}</div>
          <p class="soft">
            A step is the median of those after the first ${warmup}, waiting for data left out. The
            largest difference is of the losses of one step, relative to the reference’s. Memory is
            the most that the process held in the host’s memory, Node and data
            included${backends.some((backend) => deviceMemory(backend) !== "") ? "; device is by how much the use of the graphics cards grew" : ""};
            start is loading, compiling and the upload of first values.
          </p>
          ${charts(comparison)} ${failures(comparison)} ${whatRan(comparison)}
          <p class="soft">
            ${machine.cpu}, ${machine.cores ?? machine.threads} cores,
            ${formatBytes(machine.memory.totalBytes)}, ${machine.platform};
            ${comparison.started.slice(0, 16).replace("T", " ")} UTC.
          </p>
        </main>
      </body>
    </html>`;
  return page.html;
}
