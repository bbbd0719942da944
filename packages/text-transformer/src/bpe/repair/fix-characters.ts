/**
 * Characters that stand for others: ligatures, wide and narrow forms, curled quotes, line breaks, broken surrogates,
 * terminal escapes, controls; then NFC.
 * Source: ftfy 6 (Speer 2019, doi 10.5281/zenodo.2591652), from `fix_c1_controls` to `normalization`, in its order.
 */
import { fixControls } from "./fix-encoding.js";

const ligatures: ReadonlyMap<string, string> = new Map([
  ["Ĳ", "IJ"],
  ["ĳ", "ij"],
  ["ŉ", "ʼn"],
  ["Ǳ", "DZ"],
  ["ǲ", "Dz"],
  ["ǳ", "dz"],
  ["Ǆ", "DŽ"],
  ["ǅ", "Dž"],
  ["ǆ", "dž"],
  ["Ǉ", "LJ"],
  ["ǈ", "Lj"],
  ["ǉ", "lj"],
  ["Ǌ", "NJ"],
  ["ǋ", "Nj"],
  ["ǌ", "nj"],
  ["ﬀ", "ff"],
  ["ﬁ", "fi"],
  ["ﬂ", "fl"],
  ["ﬃ", "ffi"],
  ["ﬄ", "ffl"],
  ["ﬅ", "ſt"],
  ["ﬆ", "st"],
]);

const steps: readonly ((text: string) => string)[] = [
  fixControls,
  (text) =>
    text.replace(
      /[ĲĳŉǱ-ǳǄ-ǌ\ufb00-\ufb06]/gu,
      (character) => ligatures.get(character) ?? character,
    ),
  (text) =>
    text.replace(/[\u3000\uff01-\uffef]/gu, (character) =>
      character === "\u3000" ? " " : character.normalize("NFKC"),
    ),
  (text) => text.replace(/[\u201c-\u201f]/gu, '"').replace(/[\u02bc\u2018-\u201b]/gu, "'"),
  (text) => text.replace(/\r\n|[\r\u2028\u2029\u0085]/gu, "\n"),
  (text) => text.replace(/\p{Surrogate}/gu, "\uFFFD"),
  // eslint-disable-next-line no-control-regex -- terminal escapes are what this step removes
  (text) => text.replace(/\x1b\[[\p{Nd};]*[a-zA-Z]/gu, ""),
  // eslint-disable-next-line no-control-regex -- so are control characters
  (text) => text.replace(/[\0-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]/gu, ""),
];

/** What any of the steps changes: most texts have none, and are spared a pass for each. */
const changeable =
  // eslint-disable-next-line no-control-regex -- controls are among them
  /[\0-\x08\x0b\r\x0e-\x1f\x7f-\x9fĲĳŉǱ-ǳǄ-ǌ\u02bc\u2018-\u201f\u2028\u2029\u206a-\u206f\u3000\ufb00-\ufb06\ufeff\uff01-\uffef\ufff9-\ufffc\p{Surrogate}]/u;

/** `text` with each such character replaced or removed. */
export function fixCharacters(text: string): string {
  if (!changeable.test(text)) return text.normalize("NFC");
  return steps.reduce((current, step) => step(current), text).normalize("NFC");
}
