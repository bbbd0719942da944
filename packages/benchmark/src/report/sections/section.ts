/** A part of the page under its heading, which the list of contents at the top leads to. */
import { html, type Html } from "../html.js";

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly content: Html;
}

export function renderSections(sections: readonly Section[]): Html {
  return html`<nav aria-label="Contents">
      <ul>
        ${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}
      </ul>
    </nav>
    ${sections.map(
      ({ id, title, content }) =>
        html`<section aria-labelledby="${id}">
          <h2 id="${id}">${title}</h2>
          ${content}
        </section>`,
    )}`;
}
