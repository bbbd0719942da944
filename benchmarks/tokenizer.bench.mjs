// Captions per second through the byte-pair tokenizer, on emoji keywords put into captions as a data set would have them.
// `cold`: a new tokenizer, each run of characters met for the first time or already seen in the same pass; `warm`: its
// second pass; `distinct`: a new tokenizer and no word twice, the worst case. `loadMs`: reading CLIP's vocabulary.
import { createRequire } from "node:module";
import { createBpeTokenizer } from "@diptych/text-transformer";

const emoji = createRequire(import.meta.url)("emojibase-data/en/data.json");

const repeats = 7;

export async function run() {
  const loadMs = milliseconds(() => createBpeTokenizer());
  const captions = emojiCaptions();
  const words = distinctWords();
  const idsPerCaption = countIds(captions) / captions.length;

  const cold = [];
  const warm = [];
  const distinct = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const tokenizer = createBpeTokenizer();
    cold.push(captions.length / (milliseconds(() => tokenizer.encodeBatch(captions)) / 1000));
    warm.push(captions.length / (milliseconds(() => tokenizer.encodeBatch(captions)) / 1000));
    const fresh = createBpeTokenizer();
    distinct.push(words.length / (milliseconds(() => fresh.encodeBatch(words)) / 1000));
  }
  return {
    captions: captions.length,
    idsPerCaption,
    loadMs,
    coldCaptionsPerSecond: median(cold),
    warmCaptionsPerSecond: median(warm),
    distinctWordsPerSecond: median(distinct),
    warmOverCold: median(warm) / median(cold),
  };
}

function countIds(captions) {
  return createBpeTokenizer()
    .encodeBatch(captions)
    .lengths.reduce((sum, length) => sum + length, 0);
}

/** Label, template and two tags of each emoji. */
function emojiCaptions() {
  const templates = [
    "a photo of a",
    "an illustration of the",
    "A drawing of a",
    "the flat icon for",
  ];
  return emoji.flatMap(({ label, tags = [] }) =>
    templates.map((template, index) =>
      [`${template} ${label}`, ...tags.slice(index, index + 2)].join(", "),
    ),
  );
}

/** Made-up words, none twice: letters of two emoji labels run together, and the index in letters after a "z". */
function distinctWords() {
  const letters = (text) => text.toLowerCase().replaceAll(/[^a-y]/gu, "");
  return emoji.map(({ label }, index) => {
    const other = emoji[(index * 7 + 3) % emoji.length].label;
    return `${letters(label).slice(0, 6)}${letters(other).slice(0, 5)}z${indexInLetters(index)}`;
  });
}

function indexInLetters(index) {
  const digits = [...index.toString(25)].map((digit) => Number.parseInt(digit, 25));
  return digits.map((digit) => String.fromCharCode(97 + digit)).join("");
}

function milliseconds(work) {
  const started = performance.now();
  work();
  return performance.now() - started;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
