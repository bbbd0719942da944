/** The report as Markdown: the same conclusion and tables as the page, curves as pictures beside it. */
import { classRows, confusionsOf, mistakesTable } from "./class-rows.js";
import { chooseClasses } from "./class-chart.js";
import type { Gallery } from "./galleries.js";
import {
  failuresTable,
  incomparableTable,
  runsTable,
  settingsTable,
  sharedFacts,
} from "./provenance-tables.js";
import { publishedTable } from "./published-table.js";
import { formatMetric, NOTHING } from "./report-numbers.js";
import { escapeMarkdown, markdownTable, type ReportTable } from "./report-table.js";
import type { ReportView } from "./report-view.js";
import { costTable, groupTables, meansTable, metricsTable } from "./result-tables.js";
import { aboutCurves } from "./sections/curves-section.js";
import { NOTES_SHOWN, notesOf } from "./sections/provenance-section.js";
import { howToRead } from "./sections/results-section.js";
import { subtitleOf } from "./sections/head-section.js";

export interface MarkdownOptions {
  readonly galleries: readonly Gallery[];
  /** Pictures of curves that lie beside: what they show and their file's name. */
  readonly figures: readonly { readonly value: string; readonly file: string }[];
  readonly remarks: readonly string[];
}

type Block = string | ReportTable | undefined;

export function renderMarkdown(view: ReportView, options: MarkdownOptions): string {
  const [answer = "", ...further] = view.conclusion;
  const blocks: readonly Block[] = [
    `# ${escapeMarkdown(view.title)}`,
    escapeMarkdown(subtitleOf(view)),
    answer === "" ? undefined : `**${escapeMarkdown(answer)}**`,
    listOf(further),
    "## Results",
    ...view.tasks.map((task) => meansTable(view, task)),
    escapeMarkdown(howToRead(view)),
    costTable(view),
    ...headed(
      "## Published scores",
      view.tasks.map((task) => publishedTable(view, task)),
    ),
    ...headed("## Curves", [
      options.figures.length > 0 ? escapeMarkdown(aboutCurves(view)) : undefined,
      ...options.figures.map(({ value, file }) => `![${escapeMarkdown(value)}](${file})`),
    ]),
    ...headed(
      "## All metrics",
      view.tasks.flatMap((task) => [metricsTable(view, task), ...groupTables(view, task)]),
    ),
    ...headed(
      "## Classes",
      view.tasks.flatMap((task) => classBlocks(view, task)),
    ),
    ...headed(
      "## Examples",
      options.galleries.map((gallery) => galleryTable(view, gallery)),
    ),
    ...headed("## What is missing or not comparable", [
      incomparableTable(view),
      failuresTable(view),
      listOf(options.remarks),
    ]),
    "## Where the numbers come from",
    sharedFacts(view).table,
    settingsTable(view),
    runsTable(view),
    listOf(notesOf(view).slice(0, NOTES_SHOWN)),
  ];
  return `${blocks.flatMap(blockText).join("\n\n")}\n`;
}

function blockText(block: Block): readonly string[] {
  if (block === undefined || block === "") return [];
  if (typeof block === "string") return [block];
  return [`**${escapeMarkdown(block.caption)}**`, markdownTable(block)];
}

/** Nothing where nothing stands under the heading. */
function headed(heading: string, blocks: readonly Block[]): readonly Block[] {
  return blocks.some((block) => block !== undefined && block !== "") ? [heading, ...blocks] : [];
}

function listOf(lines: readonly string[]): string {
  return lines.map((line) => `- ${escapeMarkdown(line)}`).join("\n");
}

function classBlocks(view: ReportView, task: string): readonly Block[] {
  const classes = classRows(view, task);
  const tables = chooseClasses(classes?.rows ?? []).map(({ title, rows }): ReportTable => ({
    caption: `${task}: ${title.toLowerCase()}, ${classes?.what ?? ""}`,
    head: ["class", ...(rows[0]?.values.map(({ method }) => method) ?? [])],
    rows: rows.map(({ name, values }) => [
      name,
      ...values.map(({ value }) => formatMetric(value, true)),
    ]),
  }));
  return [...tables, mistakesTable(view, task, confusionsOf(view, task))];
}

function galleryTable(view: ReportView, { task, kind, items }: Gallery): ReportTable {
  const methods = items[0]?.voices.map(({ method }) => method) ?? view.methods;
  return {
    caption: `${task}: ${kind === "mistake" ? "confident mistakes" : "nearest neighbours"}`,
    head: [kind === "mistake" ? "item" : "query", ...methods],
    words: methods.map((_, i) => i + 1),
    rows: items.map(({ expected, text, id, voices }) => [
      text ?? (expected === undefined ? id : `${expected} (${id})`),
      ...voices.map(({ answers, right }) => {
        const shown = kind === "mistake" ? answers.slice(0, 1) : answers;
        if (shown.length === 0) return right === null ? NOTHING : right ? "✓" : "✗";
        return shown
          .map(
            (answer) =>
              `${answer.right === true ? "✓ " : ""}${answer.text ?? `no. ${answer.sample ?? ""}`} ${answer.score.toFixed(2)}`,
          )
          .join(", ");
      }),
    ]),
  };
}
