/** The search box of a report: matches what is typed with phrases whose embeddings the page holds. An ES module that stands inline in the page. */
/* global document */

/** Rows of quantised embeddings as float32 of length about 1. */
export function decodeRows({ dims, rows, scales }) {
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const values = new Int8Array(bytes(rows).buffer);
  const view = new DataView(bytes(scales).buffer);
  return Array.from({ length: values.length / dims }, (_, row) => {
    const scale = view.getFloat32(4 * row, true);
    return Float32Array.from(values.subarray(row * dims, (row + 1) * dims), (one) => one * scale);
  });
}

/** Lower case, without punctuation, single spaces. */
export function normaliseText(text) {
  return text
    .toLowerCase()
    .normalize("NFC")
    .replace(/[^\p{Letter}\p{Mark}\p{Number}]+/gu, " ")
    .trim();
}

/**
 * A search over an index: `find(text, count)` gives
 * `{ how: "phrase" | "parts" | "nothing", used, unknown, found: [{ picture, similarity }] }`, best first;
 * `suggest(text, count)` gives phrases that go on from what is typed.
 */
export function createSearch(index) {
  const images = decodeRows(index.images);
  const texts = decodeRows(index.texts);
  const places = new Map();
  index.phrases.forEach((phrase, i) => {
    const key = normaliseText(phrase);
    if (key !== "" && !places.has(key)) places.set(key, i);
  });
  const longest = Math.max(1, ...[...places.keys()].map((key) => key.split(" ").length));

  /** Known phrases within the text, the longest first at each word; what none of them covers is unknown. */
  function cover(text) {
    const words = text === "" ? [] : text.split(" ");
    const used = [];
    const unknown = [];
    for (let at = 0; at < words.length;) {
      let length = Math.min(longest, words.length - at);
      while (length > 0 && !places.has(words.slice(at, at + length).join(" "))) length--;
      if (length > 0) used.push(words.slice(at, at + length).join(" "));
      else unknown.push(words[at]);
      at += Math.max(1, length);
    }
    return { used, unknown };
  }

  function find(typed, count) {
    const text = normaliseText(typed);
    const { used, unknown } = cover(text);
    if (used.length === 0) return { how: "nothing", used, unknown, found: [] };
    const query = new Float32Array(index.texts.dims);
    for (const phrase of used) texts[places.get(phrase)].forEach((value, d) => (query[d] += value));
    const length = Math.hypot(...query) || 1;
    const found = images.map((row, picture) => {
      let sum = 0;
      for (let d = 0; d < row.length; d++) sum += row[d] * query[d];
      return { picture, similarity: sum / length };
    });
    found.sort((a, b) => b.similarity - a.similarity || a.picture - b.picture);
    const exact = used.length === 1 && unknown.length === 0;
    return { how: exact ? "phrase" : "parts", used, unknown, found: found.slice(0, count) };
  }

  function suggest(typed, count) {
    const text = normaliseText(typed);
    if (text === "") return [];
    const last = text.slice(text.lastIndexOf(" ") + 1);
    const keys = [...places.keys()].filter((key) => key !== text);
    const whole = keys.filter((key) => key.startsWith(text));
    const within = keys.filter((key) => !key.startsWith(text) && ` ${key}`.includes(` ${last}`));
    const byLength = (a, b) => a.length - b.length || (a < b ? -1 : 1);
    return [...whole.sort(byLength), ...within.sort(byLength)]
      .slice(0, count)
      .map((key) => index.phrases[places.get(key)]);
  }

  return { find, suggest };
}

/** A sentence on how what was typed was understood. */
export function explainMatch({ how, used, unknown }, words) {
  const quote = (list) => list.map((one) => `“${one}”`).join(", ");
  if (how === "nothing") {
    return unknown.length === 0
      ? ""
      : `This page has no embedding for ${quote(unknown)}. Try one of the suggestions.`;
  }
  const left = unknown.length > 0 ? ` Not known here: ${quote(unknown)}.` : "";
  if (how === "phrase") return `“${used[0]}” as the model embeds it.`;
  if (used.length === 1) return `“${used[0]}” as the model embeds it.${left}`;
  const caution =
    words === "mean"
      ? ", which comes near to what this bag-of-words model says of them together"
      : ", which is not what this model would say of them together";
  return `The mean of ${quote(used)}${caution}.${left}`;
}

/** Pictures shown of a search. */
const SHOWN = 16;

/** Brings the box with id `search` to life. */
export function mountSearch(root) {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const index = JSON.parse(part("index").textContent);
  const search = createSearch(index);
  const [input, list, status, results] = ["input", "suggestions", "status", "results"].map(part);

  const element = (tag, text, attributes = {}) => {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };

  const suggestions = () =>
    input.value.trim() === "" ? index.phrases.slice(0, 6) : search.suggest(input.value, 6);

  function show() {
    const outcome = search.find(input.value, SHOWN);
    status.textContent = explainMatch(outcome, index.words);
    results.replaceChildren(
      ...outcome.found.map(({ picture, similarity }) => {
        const { name, source } = index.pictures[picture];
        const item = element("li", "");
        const image = element("img", "", {
          src: `data:image/webp;base64,${source}`,
          alt: name,
          title: name,
          width: "48",
          height: "48",
        });
        item.append(image, element("span", name), element("b", similarity.toFixed(2)));
        return item;
      }),
    );
    list.replaceChildren(
      ...suggestions().map((phrase) => {
        const button = element("button", phrase, { type: "button" });
        button.addEventListener("click", () => {
          input.value = phrase;
          show();
          input.focus();
        });
        return button;
      }),
    );
  }

  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") input.value = "";
    else if (event.key === "Enter" && results.childElementCount === 0)
      input.value = suggestions()[0] ?? input.value;
    else return;
    event.preventDefault();
    show();
  });
  show();
  root.hidden = false;
}
