// Captions per second through the byte-pair tokenizer beside transformers.js's CLIP tokenizer, in turns in one process.
// Captions are sentences of about 11 words around emoji names and keywords, such as a data set has, and both tokenizers
// give the same ids for each. transformers.js reads the tokenizer.json that we write from CLIP's vocabulary: no network.
// `cold`: new tokenizers, which have met no word; `warm`: their second pass. `single`: one caption a call, ids in an array;
// `batch`: 64 captions a call, padded to 77, in the array that a model takes. `ratio`: medians of the rounds' ratios.
// `distinctWords`: a new tokenizer and no word twice, the worst case. `long list`: time per caption and memory kept.
import { createRequire } from "node:module";
import { CLIPTokenizer } from "@huggingface/transformers";
import { createBpeTokenizer, toHuggingFaceTokenizer } from "@diptych/text-transformer";
import { median } from "./support/statistics.mjs";

const emoji = createRequire(import.meta.url)("emojibase-data/en/data.json");

const rounds = 7;
const captionCount = 8_000;
const batchSize = 64;

export async function run() {
  const loadMs = milliseconds(() => createBpeTokenizer());
  const captions = makeCaptions(captionCount);
  const files = toHuggingFaceTokenizer(createBpeTokenizer());
  const makers = {
    ours: () => ourCalls(createBpeTokenizer({ truncate: "cut" })),
    theirs: () => theirCalls(new CLIPTokenizer(files.tokenizerJson, files.tokenizerConfig)),
  };
  const idsPerCaption = checkSameIds(makers.ours(), makers.theirs(), captions) / captions.length;
  const speeds = {
    single: compare(makers, captions, "single"),
    batch: compare(makers, captions, "batch"),
  };
  return {
    captions: captions.length,
    wordsPerCaption: mean(captions.map((caption) => caption.split(" ").length)),
    idsPerCaption,
    loadMs,
    captionsPerSecond: speeds,
    distinctWordsPerSecond: median(Array.from({ length: rounds }, distinctWordsPerSecond)),
    longList: longList(),
  };
}

/** Two ways to call each. */
function ourCalls(tokenizer) {
  return {
    single: (text) => tokenizer.encode(text),
    batch: (texts) => tokenizer.encodeBatch(texts),
  };
}

function theirCalls(tokenizer) {
  return {
    single: (text) => tokenizer.encode(text),
    batch: (texts) => tokenizer(texts, { padding: "max_length", truncation: true }),
  };
}

/** Throws where the two disagree: then the speeds would compare different work. Gives the number of ids. */
function checkSameIds(ours, theirs, captions) {
  let count = 0;
  for (const caption of captions) {
    const ids = ours.single(caption);
    if (ids.join() !== theirs.single(caption).join()) throw new Error(`ids differ: ${caption}`);
    count += ids.length;
  }
  return count;
}

/** Rounds of new tokenizers, ours and theirs in turns, each going through the captions twice. */
function compare(makers, captions, way) {
  const calls = way === "single" ? captions : batchesOf(captions);
  const taken = { ours: { cold: [], warm: [] }, theirs: { cold: [], warm: [] } };
  for (let round = 0; round < rounds; round += 1) {
    const made = { ours: makers.ours(), theirs: makers.theirs() };
    const order = round % 2 === 0 ? ["ours", "theirs"] : ["theirs", "ours"];
    for (const pass of ["cold", "warm"]) {
      for (const side of order) {
        const call = made[side][way];
        taken[side][pass].push(milliseconds(() => calls.forEach((texts) => call(texts))));
      }
    }
  }
  return Object.fromEntries(["cold", "warm"].map((pass) => [pass, summarise(taken, pass)]));
}

function summarise({ ours, theirs }, pass) {
  const speed = (times) => captionCount / (median(times) / 1000);
  const ratios = ours[pass].map((time, round) => theirs[pass][round] / time);
  return {
    diptych: speed(ours[pass]),
    transformersJs: speed(theirs[pass]),
    ratio: median(ratios),
    lowestRatio: Math.min(...ratios),
  };
}

function distinctWordsPerSecond() {
  const words = distinctWords();
  const fresh = createBpeTokenizer();
  return words.length / (milliseconds(() => fresh.encodeBatch(words)) / 1000);
}

/** A list 16 times as long takes the same time per caption, and nothing but the ids is kept. */
function longList() {
  const short = makeCaptions(10_000);
  const long = Array.from({ length: 16 }, () => short).flat();
  const tokenizer = createBpeTokenizer();
  tokenizer.encodeBatch(short);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const microsecondsPerCaption = [short, long].map((texts) => {
    const times = Array.from({ length: 3 }, () => milliseconds(() => tokenizer.encodeBatch(texts)));
    return (median(times) * 1000) / texts.length;
  });
  globalThis.gc?.();
  return {
    captions: [short.length, long.length],
    microsecondsPerCaption,
    heapGrowthBytes: process.memoryUsage().heapUsed - before,
  };
}

function batchesOf(captions) {
  return Array.from({ length: Math.ceil(captions.length / batchSize) }, (_, index) =>
    captions.slice(index * batchSize, (index + 1) * batchSize),
  );
}

/** Sentences around names and keywords of emoji; those with signs that only we repair (curled quotes) are left out. */
function makeCaptions(count) {
  const plain = (text) => /^[\x20-\x7e]+$/u.test(text);
  const names = emoji.map(({ label }) => label).filter(plain);
  const keywords = emoji.flatMap(({ tags = [] }) => tags).filter(plain);
  const pick = createPicker(1);
  const sentences = [
    () => `a photo of a ${pick(names)} next to a ${pick(names)} in the ${pick(keywords)}`,
    () => `Two people with ${pick(keywords)} and ${pick(keywords)} near the ${pick(names)}.`,
    () => `The ${pick(names)}'s ${pick(keywords)}, seen from above at ${pick([7, 12, 18])}:30`,
    () => `An illustration of ${pick(names)} (${pick(keywords)}, ${pick(keywords)}) on white`,
  ];
  return Array.from({ length: count }, () => pick(sentences)());
}

/** Repeatable choices. */
function createPicker(seed) {
  let state = seed;
  return (list) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return list[Math.floor((state / 2 ** 32) * list.length)];
  };
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

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
