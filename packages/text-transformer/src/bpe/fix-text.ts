/**
 * The character-level steps of ftfy 6 (`fix_text` with its defaults), which CLIP's tokenizers run before anything else:
 * entities, C1 controls, ligatures, widths, quotes, line breaks, surrogates, terminal escapes, control characters, NFC.
 * Not here: `fix_encoding`, ftfy's repair of text decoded with the wrong encoding ("schÃ¶n" stays as it is).
 */
import { decodeHTML } from "entities";
import { unescapeHtml, windows1252 } from "./unescape-html.js";

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

const plainAscii = /^[\t\n\x20-\x25\x27-\x7e]*$/u;
const entity = /&#?[0-9A-Za-z]{1,24};/gu;

type Step = (text: string) => string;

const characterSteps: readonly Step[] = [
  (text) =>
    text.replace(/[\u0080-\u009f]/gu, (control) =>
      windows1252.charAt(control.charCodeAt(0) - 0x80),
    ),
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
  (text) => text.replace(/\x1b\[[\d;]*[a-zA-Z]/gu, ""),
  // eslint-disable-next-line no-control-regex -- so are control characters
  (text) => text.replace(/[\0-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]/gu, ""),
  (text) => text.normalize("NFC"),
];

/** Repairs the characters of `text`, line by line, until nothing changes; entities only before the first `<`, as ftfy. */
export function fixText(text: string): string {
  if (plainAscii.test(text)) return text;
  let decodeEntities = true;
  const lines = text.split("\n").map((line, index, all) => {
    const segment = index < all.length - 1 ? `${line}\n` : line;
    if (segment.includes("<")) decodeEntities = false;
    return fixSegment(segment, decodeEntities);
  });
  return lines.join("");
}

function fixSegment(segment: string, decodeEntities: boolean): string {
  let text = segment;
  for (;;) {
    const before = text;
    if (decodeEntities) text = text.replace(entity, decodeEntity);
    for (const step of characterSteps) text = step(text);
    if (text === before) return text;
  }
}

/** One reference with its semicolon, names written in capitals ("&EACUTE;") included. */
function decodeEntity(found: string): string {
  if (found.startsWith("&#")) {
    const decoded = unescapeHtml(found);
    return decoded.includes(";") ? found : decoded;
  }
  const decoded = decodeHTML(found);
  if (isWholeReference(found, decoded)) return decoded;
  const name = found.toLowerCase();
  if (decoded !== found || name.toUpperCase() !== found) return found;
  const lower = decodeHTML(name);
  return isWholeReference(name, lower) ? lower.toUpperCase() : found;
}

/** Whether decoding took the semicolon too: "&notit;" decodes in part, to "¬it;", and must stay. "&semi;" is itself a semicolon. */
function isWholeReference(found: string, decoded: string): boolean {
  return decoded !== found && (!decoded.endsWith(";") || found === "&semi;");
}
