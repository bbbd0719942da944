/** The page of a comparison of backends: one self-contained HTML file, light or dark as the reader's system, readable on a phone. */
import {
  html,
  raw,
  renderPage,
  responsiveChart,
  seriesColour,
  type Html,
} from "@diptych/benchmark";
import { formatBytes } from "@diptych/core";
import { backendAgrees, partText, type BackendComparison, type ComparedBackend } from "diptych";
import {
  differenceChart,
  lossChart,
  memoryChart,
  millisecondRange,
  milliseconds,
  timeChart,
} from "./backends-charts.js";

function name(comparison: BackendComparison, backend: ComparedBackend): Html {
  const index = comparison.backends.indexOf(backend);
  return html`<i style="background:${seriesColour(index)}"></i>${backend.label}`;
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
    () => html`${key}${responsiveChart((width) => lossChart(comparison, width))}`,
  )}
  ${card(
    some(({ difference }) => difference !== null),
    `Distance from ${reference ?? ""}`,
    () => html`${key}${responsiveChart((width) => differenceChart(comparison, width))}`,
  )}
  ${card(
    some(({ stepMs }) => stepMs !== null),
    "Time of a step",
    () => responsiveChart((width) => timeChart(comparison, width)),
  )}
  ${card(
    some(({ summary }) => summary !== null),
    "Peak memory",
    () => responsiveChart((width) => memoryChart(comparison, width)),
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
  const content = html`<h1>
      ${comparison.name} on ${backends.length} ${backends.length === 1 ? "backend" : "backends"}
    </h1>
    <p class="soft">
      The first ${steps} steps of <code>${comparison.config}</code>, batch ${batchSize},
      ${precision}, seed ${seed}: the same batches and first weights on each, one after the other,
      each in a process of its own.
    </p>
    ${verdict(comparison)}
    <div class="card">${resultTable(comparison)}</div>
    <p class="soft">
      A step is the median of those after the first ${warmup}, waiting for data left out. The
      largest difference is of the losses of one step, relative to the reference’s. Memory is the
      most that the process held in the host’s memory, Node and data
      included${backends.some((backend) => deviceMemory(backend) !== "") ? "; device is by how much the use of the graphics cards grew" : ""};
      start is loading, compiling and the upload of first values.
    </p>
    ${charts(comparison)} ${failures(comparison)} ${whatRan(comparison)}
    <p class="soft">
      ${machine.cpu}, ${machine.cores ?? machine.threads} cores,
      ${formatBytes(machine.memory.totalBytes)}, ${machine.platform};
      ${comparison.started.slice(0, 16).replace("T", " ")} UTC.
    </p>`;
  return renderPage({
    title: `${comparison.name} on ${backends.length} backends`,
    content,
  });
}
