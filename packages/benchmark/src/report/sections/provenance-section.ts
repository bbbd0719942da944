/** What results depend on, for each row: versions, configuration, weights, data, preparation, precision, cost. */
import { html, type Html } from "../html.js";
import { NOTHING } from "../report-numbers.js";
import { htmlTable } from "../report-table.js";
import {
  configDifferences,
  failuresTable,
  incomparableTable,
  runsTable,
  settingsTable,
  sharedFacts,
} from "../provenance-tables.js";
import { unique, type ReportView } from "../report-view.js";
import type { Section } from "./section.js";

/** Failures and rows that may not stand beside each other; undefined where all is well. */
export function problemsSection(view: ReportView, remarks: readonly string[]): Section | undefined {
  const tables = [incomparableTable(view), failuresTable(view)].filter(
    (table) => table !== undefined,
  );
  if (tables.length === 0 && remarks.length === 0) return undefined;
  return {
    id: "limits",
    title: "What is missing or not comparable",
    content: html`${tables.map(htmlTable)}
    ${
      remarks.length > 0
        ? html`<ul class="plain">
            ${remarks.map((remark) => html`<li>${remark}</li>`)}
          </ul>`
        : ""
    }`,
  };
}

/** What evaluators say of their numbers, once each with its task. */
export function notesOf(view: ReportView): readonly string[] {
  return unique(
    view.runs.flatMap(({ rows }) =>
      rows.flatMap(({ task, evaluation }) =>
        (evaluation.notes ?? []).map((note) => `${task}: ${note}`),
      ),
    ),
  );
}

/** Notes shown; those of every seed differ in digits only. */
export const NOTES_SHOWN = 20;

export function provenanceSection(view: ReportView): Section {
  const { table, differing } = sharedFacts(view);
  const settings = settingsTable(view);
  const notes = notesOf(view);
  return {
    id: "provenance",
    title: "Where the numbers come from",
    content: html`<p class="soft">
        ${differing.length === 0 ? "All rows have these in common." : `Not the same for all rows: ${differing.join(", ")}.`}
      </p>
      ${htmlTable(table)} ${settings ? htmlTable(settings) : ""} ${htmlTable(runsTable(view))}
      ${configurations(view)}
      ${
        notes.length > 0
          ? html`<h3>Remarks of the evaluators</h3>
              <ul class="plain">
                ${notes.slice(0, NOTES_SHOWN).map((note) => html`<li>${note}</li>`)}
              </ul>`
          : ""
      }`,
  };
}

function configurations(view: ReportView): Html {
  const entries = view.methods.map((method) => {
    const rows = view.runs
      .filter((run) => run.method === method)
      .flatMap((run) => run.rows.slice(0, 1));
    const [first, ...others] = rows;
    return html`<details>
      <summary>${method}</summary>
      ${
        first?.provenance.config
          ? html`<pre>${JSON.stringify(first.provenance.config, null, 2)}</pre>`
          : html`<p class="soft">Came without a configuration.</p>`
      }
      ${
        first
          ? html`<pre>
weights ${first.provenance.weights}
data ${first.provenance.trainData?.fingerprint ?? NOTHING}
test data ${first.provenance.testData.fingerprint ?? NOTHING}</pre>`
          : ""
      }
      ${others.map(({ provenance }) => {
        const changes = configDifferences(first?.provenance.config ?? null, provenance.config);
        const text = changes.map(([path, , value]) => `${path} = ${value}`).join(", ");
        return html`<pre>
seed ${provenance.seed ?? NOTHING}: ${text === "" ? "the same" : text}
weights ${provenance.weights}</pre>`;
      })}
    </details>`;
  });
  return html`<h3>Configurations and fingerprints</h3>
    <div class="card">${entries}</div>`;
}
