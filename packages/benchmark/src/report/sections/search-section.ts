/** The search box: markup, the index as JSON, and the script that brings it to life. */
import { readFileSync } from "node:fs";
import { html, raw } from "../html.js";
import type { SearchIndexResult } from "../search-index.js";
import type { Section } from "./section.js";

export interface SearchSectionOptions extends SearchIndexResult {
  /** Whose embeddings they are. */
  readonly label: string;
  readonly attribution: readonly string[];
}

export function searchSection({ label, index, left, attribution }: SearchSectionOptions): Section {
  const { pictures, phrases, words } = index;
  const omitted =
    left.pictures + left.phrases > 0
      ? ` For size, ${left.pictures} further pictures and ${left.phrases} further phrases were left out.`
      : "";
  const meaning =
    words === "mean"
      ? "A text of several known words is taken as the mean of their embeddings: near to what this bag-of-words model makes of it."
      : "Only the listed phrases are exact; a text of several of them is taken as the mean of their embeddings, which this model’s text tower would not give.";
  return {
    id: "find",
    title: "Search by words",
    content: html`<p class="soft">
        ${pictures.length} pictures and ${phrases.length} phrases as ${label} embeds them, in 8
        bits. ${meaning}${omitted}
      </p>
      <div id="search" class="card" role="search" hidden>
        <label for="search-text">What should the pictures show?</label>
        <input
          id="search-text"
          data-part="input"
          type="search"
          value="${phrases[0] ?? ""}"
          autocomplete="off"
          spellcheck="false"
          aria-describedby="search-status"
        />
        <div class="buttons" data-part="suggestions" aria-label="Suggestions" role="group"></div>
        <p id="search-status" class="soft" data-part="status" role="status"></p>
        <ol class="results" data-part="results" aria-label="Pictures, best first"></ol>
        <script type="application/json" data-part="index">
          ${raw(scriptJson(index))}
        </script>
      </div>
      <noscript><p class="soft">The search needs JavaScript.</p></noscript>
      ${attribution.length > 0 ? html`<p class="soft">Pictures: ${attribution.join("; ")}.</p>` : ""}`,
  };
}

/** JSON that no script element takes for its end. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

/** The module of the page. */
export function searchScript(): string {
  const source = readFileSync(new URL("../../../page/search.js", import.meta.url), "utf8");
  return `${source}\nmountSearch(document.getElementById("search"));`;
}
