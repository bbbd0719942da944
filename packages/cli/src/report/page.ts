/** The quickstart's page: one self-contained HTML file, readable on a phone, in print and without a network. */
import { html, raw, renderPage, seriesColour, type Html } from "@diptych/benchmark";
import { formatDuration } from "@diptych/core";
import { lossChart, styleChart } from "./charts.js";
import type { GuessedPicture, ModelReport, Search } from "./report-data.js";

const STYLE = `
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 12px; font-size: 13px; line-height: 1.4; }
.tile img { width: 64px; height: 64px; image-rendering: pixelated; display: block; margin-bottom: 8px; }
.tile ol { margin: 6px 0 0; padding: 0; list-style: none; } .tile li { display: flex; justify-content: space-between; gap: 8px; color: var(--soft); }
.tile li.right { color: var(--good); font-weight: 600; } .tile b.missed { color: var(--bad); }
.search { display: grid; grid-template-columns: minmax(150px, 220px) 1fr; gap: 14px; align-items: center; padding: 10px 0; border-bottom: 1px solid var(--line); }
.search .found { display: flex; flex-wrap: wrap; gap: 10px; } .search img { width: 44px; height: 44px; image-rendering: pixelated; }
.key i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin: 0 6px 0 14px; }
@media (max-width: 560px) { .search { grid-template-columns: 1fr; } }
`;

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

function scoreTable(models: readonly ModelReport[]): Html {
  const unseen = models[0]?.result.heldOutConcepts.queries ?? 0;
  const row = (name: string, value: (model: ModelReport) => string): Html =>
    html`<tr>
      <td>${name}</td>
      ${models.map((model) => html`<td>${value(model)}</td>`)}
    </tr>`;
  return html`<table>
    <thead>
      <tr>
        <th></th>
        ${models.map((model) => html`<th>${model.title}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${row("New style: first guess right", (m) => percent(m.result.heldOutStyle.top1))}
      ${row("New style: right within five", (m) => percent(m.result.heldOutStyle.top5))}
      ${row(`New concepts, among their own ${unseen} names: first guess`, (m) => percent(m.result.heldOutConcepts.among224.top1))}
      ${row(`New concepts, among their own ${unseen} names: within five`, (m) => percent(m.result.heldOutConcepts.among224.top5))}
      ${row("New concepts, among all names: first guess", (m) => percent(m.result.heldOutConcepts.amongAll.top1))}
      ${row("New concepts, among all names: within five", (m) => percent(m.result.heldOutConcepts.amongAll.top5))}
      ${row("Training time", (m) => formatDuration(m.result.seconds))}
      ${row("Steps", (m) => m.result.steps.toLocaleString("en"))}
      ${row("Pictures seen", (m) => m.result.images.toLocaleString("en"))}
      ${row("Parameters", (m) => m.result.params.toLocaleString("en"))}
    </tbody>
  </table>`;
}

function tile({ picture, name, guesses }: GuessedPicture): Html {
  const right = guesses[0]?.name === name;
  return html`<div class="tile">
    <img src="${picture}" alt="${name}" /><b class="${right ? "" : "missed"}">${name}</b>
    <ol>
      ${guesses.map(
        (guess) =>
          html`<li class="${guess.name === name ? "right" : ""}">
            <span>${guess.name}</span><span>${guess.similarity.toFixed(2)}</span>
          </li>`,
      )}
    </ol>
  </div>`;
}

function searchRow({ phrase, found }: Search): Html {
  return html`<div class="search">
    <span>“${phrase}”</span
    ><span class="found"
      >${found.map(
        ({ picture, name }) => html`<img src="${picture}" alt="${name}" title="${name}" />`,
      )}</span
    >
  </div>`;
}

function modelSection(model: ModelReport, several: boolean): Html {
  const heading = (text: string): string =>
    several ? `${model.title}: ${text}` : text.charAt(0).toUpperCase() + text.slice(1);
  return html` <h2>${heading("pictures in a style it never saw")}</h2>
    <p class="soft">
      Each picture is drawn by a family that training did not use. Below it, the names that the
      model finds most similar among all ${model.result.heldOutStyle.candidates}; the right one in
      green.
    </p>
    <div class="grid">${model.pictures.map(tile)}</div>
    <h2>${heading("concepts it never saw")}</h2>
    <p class="soft">
      Neither these pictures nor these names were in the training set, in any style. The guesses are
      among the ${model.result.heldOutConcepts.queries} names that were held out.
    </p>
    <div class="grid">${model.unseen.map(tile)}</div>
    <h2>${heading("search by words")}</h2>
    <p class="soft">
      The pictures of the held-out style whose embeddings lie nearest to each phrase, best first.
    </p>
    <div class="card">${model.searches.map(searchRow)}</div>`;
}

/** The page, or nothing to show without a model. */
export function renderReport(models: readonly ModelReport[]): string {
  const [first] = models;
  const style = first?.result.heldOutStyle;
  const content = html`<h1>What the model learned</h1>
    <p class="soft">
      Pictures and names of emoji, trained from nothing on this machine with
      ${first?.result.backend ?? "no backend"}, ${first?.result.precision ?? "fp32"}, seed
      ${first?.result.seed ?? 0}. Three families of drawings were used for training; a fourth,
      Fluent, is only looked at here.
    </p>
    ${models.map((model) => html`<p><b>${model.title}</b>: ${model.summary}</p>`)}
    <h2>Naming pictures of a new style</h2>
    <p>
      ${style?.queries ?? 0} pictures, ${style?.candidates ?? 0} names to choose from. “Nearest
      pixels” takes the name of the training picture with the most similar pixels.
    </p>
    <div class="card">${raw(styleChart(models))}</div>
    <h2>Scores</h2>
    <div class="card">${scoreTable(models)}</div>
    <h2>Loss</h2>
    <p class="soft">
      Faint: each batch. Strong: running
      mean.${models.length > 1 ? html`<span class="key">${models.map((model, i) => html`<i style="background:${seriesColour(i)}"></i>${model.title}`)}</span>` : ""}
    </p>
    <div class="card">${raw(lossChart(models))}</div>
    ${models.map((model) => modelSection(model, models.length > 1))}
    <h2>Where the pictures come from</h2>
    <p class="soft">
      Noto Emoji (Apache-2.0), Twemoji (CC-BY-4.0), OpenMoji (CC-BY-SA-4.0) to train; Fluent Emoji
      (MIT) to test; names and keywords from emojibase and emojilib (MIT).
    </p>`;
  return renderPage({ title: "Diptych quickstart", style: STYLE, content });
}
