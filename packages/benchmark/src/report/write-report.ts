/** Writes a comparison or a suite's result as one HTML page, as Markdown with pictures of its curves, and as CSV. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "diptych";
import { fileNames } from "../file-names.js";
import { pickGalleries, type Gallery } from "./galleries.js";
import { html, type Html } from "./html.js";
import { meanCurves } from "./mean-curves.js";
import { renderPage } from "./page-frame.js";
import { publishedTable } from "./published-table.js";
import { curvesCsv, resultsCsv } from "./report-csv.js";
import { renderMarkdown } from "./report-markdown.js";
import { htmlTable } from "./report-table.js";
import { viewOf, type ReportInput, type ReportView } from "./report-view.js";
import { buildSearchIndex, type ReportSearch } from "./search-index.js";
import { classesSection } from "./sections/classes-section.js";
import { curvesSection, shownCurves } from "./sections/curves-section.js";
import { galleriesSection } from "./sections/galleries-section.js";
import { headSection } from "./sections/head-section.js";
import { problemsSection, provenanceSection } from "./sections/provenance-section.js";
import { REPORT_STYLE } from "./sections/report-style.js";
import { metricsSection, resultsSection } from "./sections/results-section.js";
import { searchScript, searchSection } from "./sections/search-section.js";
import { renderSections, type Section } from "./sections/section.js";
import { standaloneCurve } from "./standalone-curve.js";
import { loadThumbnails, type PictureSource, type Thumbnails } from "./thumbnails.js";

export interface ReportOptions {
  /** Reads the picture of a sample of a task's data; without it galleries are text only. */
  readonly pictures?: PictureSource;
  /** Whose work the pictures are, e.g. `EMOJI_ATTRIBUTION`. */
  readonly attribution?: readonly string[];
  readonly search?: ReportSearch;
  /** What the search may take of the page, default 1.5 million bytes; what has no room is left out, and the page says so. */
  readonly searchBytes?: number;
}

/** Paths of what was written. */
export interface WrittenReport {
  readonly html: string;
  readonly markdown: string;
  readonly csv: string;
  /** Values along the runs, and a picture of each in Markdown; none where nothing was measured along them. */
  readonly curves: string | null;
  readonly figures: readonly string[];
}

/**
 * `report.html` (one file, no network), `report.md` with `report-curves-*.svg`, `report.csv` and `report-curves.csv` in
 * `folder`, which is made where it is missing.
 *
 * @throws DataError where the search has not one embedding for each picture and phrase
 */
export async function writeReport(
  input: ReportInput,
  folder: string,
  options: ReportOptions = {},
): Promise<WrittenReport> {
  const view = viewOf(input);
  const galleries = pickGalleries(view);
  const remarks: string[] = [];
  const thumbnails = await loadThumbnails(galleries, options.pictures, (task, sample, error) => {
    remarks.push(
      `The picture of sample ${sample} of ${task} could not be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  const page = await renderReport(view, { ...options, galleries, thumbnails, remarks });
  await mkdir(folder, { recursive: true });
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFileAtomically(path, [Buffer.from(text)]);
    return path;
  };
  const figures = drawFigures(view);
  const curves = curvesCsv(view);
  return Object.freeze({
    html: await write("report.html", page),
    markdown: await write("report.md", renderMarkdown(view, { galleries, figures, remarks })),
    csv: await write("report.csv", resultsCsv(view)),
    curves: curves === "" ? null : await write("report-curves.csv", curves),
    figures: await Promise.all(figures.map(({ file, svg }) => write(file, svg))),
  });
}

interface Parts extends ReportOptions {
  readonly galleries: readonly Gallery[];
  readonly thumbnails: Thumbnails;
  readonly remarks: readonly string[];
}

const SEARCH_BYTES = 1_500_000;

async function renderReport(view: ReportView, parts: Parts): Promise<string> {
  const { search, attribution = [], searchBytes = SEARCH_BYTES, remarks } = parts;
  const found = search && (await buildSearchIndex(search, { bytes: searchBytes }));
  const sections: readonly (Section | undefined)[] = [
    resultsSection(view),
    problemsSection(view, remarks),
    curvesSection(view),
    found && searchSection({ ...found, label: search.label, attribution }),
    galleriesSection(view, { ...parts, attribution }),
    classesSection(view),
    publishedSection(view),
    metricsSection(view),
    provenanceSection(view),
  ];
  const content: Html = html`${headSection(view)}
  ${renderSections(sections.filter((section) => section !== undefined))}`;
  return renderPage({
    title: view.title,
    style: REPORT_STYLE,
    content,
    ...(found ? { script: searchScript() } : {}),
  });
}

function publishedSection(view: ReportView): Section | undefined {
  const tables = view.tasks.flatMap((task) => publishedTable(view, task) ?? []);
  if (tables.length === 0) return undefined;
  return {
    id: "published",
    title: "Published scores",
    content: html`<p class="soft">
        Numbers that others published, each with its source. Only those marked comparable were
        measured by the same protocol; the others are here for their order of magnitude.
      </p>
      ${tables.map(htmlTable)}`,
  };
}

function drawFigures(
  view: ReportView,
): readonly { readonly value: string; readonly file: string; readonly svg: string }[] {
  const values = shownCurves(view);
  const names = fileNames(values, "curve");
  return values.map((value, i) => {
    const options = { value, against: "samples", methods: view.methods, width: 760 } as const;
    const svg = standaloneCurve(meanCurves(view.runs, options), options);
    return { value, file: `report-curves-${names[i]}.svg`, svg };
  });
}
