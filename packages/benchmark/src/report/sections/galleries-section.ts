/** Pictures with what methods said of them, side by side: confident mistakes, and what lies nearest to a query. */
import type { Gallery, GalleryAnswer, GalleryItem, GalleryVoice } from "../galleries.js";
import { html, type Html } from "../html.js";
import { NOTHING } from "../report-numbers.js";
import { methodMark } from "../report-table.js";
import type { ReportView } from "../report-view.js";
import { thumbnailKey, type Thumbnails } from "../thumbnails.js";
import type { Section } from "./section.js";

export interface GalleriesOptions {
  readonly galleries: readonly Gallery[];
  readonly thumbnails: Thumbnails;
  /** Whose work the pictures are. */
  readonly attribution: readonly string[];
}

interface Scene extends GalleriesOptions {
  readonly view: ReportView;
  readonly task: string;
}

/** Undefined where no evaluation gave examples. */
export function galleriesSection(view: ReportView, options: GalleriesOptions): Section | undefined {
  const { galleries, attribution, thumbnails } = options;
  if (galleries.length === 0) return undefined;
  return {
    id: "pictures",
    title: thumbnails.size > 0 ? "Pictures" : "Examples",
    content: html`${galleries.map((gallery) => {
      const scene = { ...options, view, task: gallery.task };
      const seed = gallery.seed === null ? "" : ` Rows of seed ${gallery.seed}.`;
      return gallery.kind === "mistake"
        ? html`<h3>${gallery.task}: confident mistakes</h3>
            <p class="soft">
              Items that at least one ${view.noun} answered wrong, its most confident mistakes
              first, each ${view.noun} in turn; below each its first answer and score.${seed}
            </p>
            <ul class="grid">
              ${gallery.items.map((item) => tile(item, scene))}
            </ul>`
        : html`<h3>${gallery.task}: nearest neighbours</h3>
            <p class="soft">
              What lies nearest to each query, best first; right ones are framed and marked
              ✓.${seed}
            </p>
            ${gallery.items.map((item) => query(item, scene))}`;
    })}
    ${attribution.length > 0 && thumbnails.size > 0 ? html`<p class="soft">Pictures: ${attribution.join("; ")}.</p>` : ""}`,
  };
}

function tile(item: GalleryItem, scene: Scene): Html {
  const { sample, text, expected, voices, id } = item;
  return html`<li class="tile">
    <div class="head">
      ${sample === undefined ? "" : picture(sample, expected ?? id, scene)}<b
        >${expected ?? text ?? id}</b
      >
    </div>
    <dl>
      ${voices.map(
        (voice) =>
          html`<dt>${methodMark(scene.view.methods.indexOf(voice.method))}${voice.method}</dt>
            ${spoken(voice)}`,
      )}
    </dl>
  </li>`;
}

function spoken({ answers, right }: GalleryVoice): Html {
  const tone = right === null ? "" : right ? "good" : "bad";
  const mark = right === null ? "" : right ? "✓ " : "✗ ";
  const [first] = answers;
  if (!first) {
    return html`<dd class="${tone}">
      <span>${right === null ? NOTHING : `${mark}${right ? "right" : "wrong"}`}</span>
    </dd>`;
  }
  return html`<dd class="${tone}">
    <span>${mark}${first.text ?? `sample ${first.sample ?? ""}`}</span>
    <span>${first.score.toFixed(2)}</span>
  </dd>`;
}

function query(item: GalleryItem, scene: Scene): Html {
  const { sample, text, expected, id, voices } = item;
  return html`<div class="card query">
    <div class="head">
      ${sample === undefined ? "" : picture(sample, expected ?? id, scene)}<span
        >${text === undefined ? (expected ?? id) : `“${text}”`}</span
      >
    </div>
    ${voices.map(
      ({ method, answers }) =>
        html`<div class="voice">
          <span>${methodMark(scene.view.methods.indexOf(method))}${method}</span>
          ${
            answers.length === 0
              ? html`<span class="soft">no answers kept</span>`
              : html`<ol class="strip">
                  ${answers.map((answer) => neighbour(answer, scene))}
                </ol>`
          }
        </div>`,
    )}
  </div>`;
}

function neighbour({ sample, text, score, right }: GalleryAnswer, scene: Scene): Html {
  const name = text ?? (sample === undefined ? "" : `sample ${sample}`);
  return html`<li class="${right === true ? "right" : ""}">
    ${sample === undefined ? "" : picture(sample, name, scene)}${text === undefined ? "" : html`${text} `}${right === true ? "✓ " : ""}${score.toFixed(2)}
  </li>`;
}

function picture(sample: number, name: string, { task, thumbnails }: Scene): Html {
  const source = thumbnails.get(thumbnailKey(task, sample));
  return source === undefined
    ? html`<span class="none">no. ${sample}</span>`
    : html`<img class="thumb" src="${source}" alt="${name}" width="56" height="56" />`;
}
