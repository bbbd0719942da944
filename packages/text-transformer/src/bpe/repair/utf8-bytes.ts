/**
 * UTF-8 read from bytes that have been through other hands: no-break spaces made plain, bytes lost, surrogates encoded
 * one by one (CESU-8), zero written in two bytes (Java). Bytes are held as strings of U+0000–U+00FF.
 * Source: the rules of ftfy 6 (Speer 2019, doi 10.5281/zenodo.2591652), `restore_byte_a0`, `replace_lossy_sequences`,
 * and its codec `utf-8-variants`.
 */

const plainedNoBreakSpace = new RegExp(
  [
    "[\\xc2\\xc3\\xc5\\xce\\xd0\\xd9] ",
    "[\\xe2\\xe3] [\\x80-\\x84\\x86-\\x9f\\xa1-\\xbf]",
    "[\\xe0-\\xe3][\\x80-\\x84\\x86-\\x9f\\xa1-\\xbf] ",
    "\\xf0 [\\x80-\\xbf]{2}",
    "\\xf0[\\x80-\\xbf] [\\x80-\\xbf]",
    "\\xf0[\\x80-\\xbf]{2} ",
  ].join("|"),
  "gu",
);

/** "à" whose second byte became the space before the next word, "Ã la": the space was two. Not Portuguese "às", "àquele". */
const graveWord = /\xc3 (?! |quele|quela|quilo|s )/gu;

const lostBytes = new RegExp(
  [
    "[\\xc2-\\xdf]\\x1a",
    "[\\xc2\\xc3]\\?",
    "\\xed[\\xa0-\\xaf][\\x1a?]\\xed[\\xb0-\\xbf][\\x1a?\\x80-\\xbf]",
    "\\xed[\\xa0-\\xaf][\\x1a?\\x80-\\xbf]\\xed[\\xb0-\\xbf][\\x1a?]",
    "[\\xe0-\\xef][\\x1a?][\\x1a\\x80-\\xbf]",
    "[\\xe0-\\xef][\\x1a\\x80-\\xbf][\\x1a?]",
    "[\\xf0-\\xf4][\\x1a?][\\x1a\\x80-\\xbf]{2}",
    "[\\xf0-\\xf4][\\x1a\\x80-\\xbf][\\x1a?][\\x1a\\x80-\\xbf]",
    "[\\xf0-\\xf4][\\x1a\\x80-\\xbf]{2}[\\x1a?]",
    "\\x1a",
  ].join("|"),
  "gu",
);

const replacementBytes = "\xef\xbf\xbd";

/** Puts 0xA0 back where a plain space stands inside what else is UTF-8. */
export function restoreNoBreakSpaces(bytes: string): string {
  if (bytes.search(plainedNoBreakSpace) < 0) return bytes;
  return bytes
    .replace(graveWord, "\xc3\xa0 ")
    .replace(plainedNoBreakSpace, (found) => found.replaceAll(" ", "\xa0"));
}

/** Turns sequences with lost bytes (0x1A, in places "?") into U+FFFD's. */
export function replaceLostBytes(bytes: string): string {
  return bytes.replace(lostBytes, replacementBytes);
}

/** The text that `bytes` encode, or undefined where they are not UTF-8 (or, with 0xED or 0xC0 in them, a variant). */
export function decodeUtf8(bytes: string): string | undefined {
  return /[\xed\xc0]/u.test(bytes) ? decodeVariant(bytes) : decodeStrictly(bytes);
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeStrictly(bytes: string): string | undefined {
  try {
    return strict.decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

// Python's `$` also matches before a line break that ends the bytes, and ftfy's expressions have it where bytes may be cut off.
const end = "(?=\\n?$)";
const pairExpression = `\\xed(?:[\\xa0-\\xaf]|${end})(?:[\\x80-\\xbf]|${end})(?:\\xed|${end})(?:[\\xb0-\\xbf]|${end})(?:[\\x80-\\xbf]|${end})`;
const surrogateExpression = `\\xed(?:[\\xa0-\\xbf]|${end})(?:[\\x80-\\xbf]|${end})`;
const surrogatePair = new RegExp(`^${pairExpression}`, "u");
const special = new RegExp(`\\xc0(?:\\x80|${end})|${pairExpression}|${surrogateExpression}`, "gu");

function decodeVariant(bytes: string): string | undefined {
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    special.lastIndex = at;
    const next = special.exec(bytes)?.index ?? bytes.length;
    if (next > at) {
      const plain = decodeStrictly(bytes.slice(at, next));
      if (plain === undefined) return undefined;
      text += plain;
      at = next;
      continue;
    }
    const rest = bytes.slice(at, at + 7);
    if (rest.startsWith("\xc0")) {
      if (rest.length === 1) return undefined;
      text += "\0";
      at += 2;
    } else if (rest.length >= 6 && surrogatePair.test(rest)) {
      text += decodePair(rest);
      at += 6;
    } else return undefined;
  }
  return text;
}

/** 11101101 1010abcd 10efghij 11101101 1011klmn 10opqrst: the 20 bits above U+10000. */
function decodePair(bytes: string): string {
  const bits = (at: number, mask: number): number => bytes.charCodeAt(at) & mask;
  return String.fromCodePoint(
    0x10000 + (bits(1, 0x0f) << 16) + (bits(2, 0x3f) << 10) + (bits(4, 0x0f) << 6) + bits(5, 0x3f),
  );
}
