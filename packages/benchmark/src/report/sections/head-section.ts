/** The top of the page: what was compared, and the answer. */
import { formatBudget } from "../../compare/budget.js";
import { html, type Html } from "../html.js";
import type { ReportView } from "../report-view.js";

/** `3 methods, 5 seeds each, 200,000 pictures for each run; the baseline is InfoNCE.` */
export function subtitleOf({ methods, noun, seeds, budget, baseline, tasks }: ReportView): string {
  const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;
  const parts = [
    count(methods.length, noun),
    count(tasks.length, "task"),
    ...(seeds.length > 0 ? [`${count(seeds.length, "seed")} each`] : []),
    ...(budget ? [`${formatBudget(budget)} for each run`] : []),
  ];
  return `${parts.join(", ")}${baseline === null ? "" : `; the baseline is ${baseline}`}.`;
}

export function headSection(view: ReportView): Html {
  const [answer, ...further] = view.conclusion;
  return html`<header>
    <h1>${view.title}</h1>
    <p class="soft">${subtitleOf(view)}</p>
    ${answer === undefined ? "" : html`<p class="answer">${answer}</p>`}
    ${
      further.length > 0
        ? html`<ul class="plain">
            ${further.map((sentence) => html`<li>${sentence}</li>`)}
          </ul>`
        : ""
    }
  </header>`;
}
