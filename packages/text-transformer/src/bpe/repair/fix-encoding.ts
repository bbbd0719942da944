/**
 * Text that was UTF-8 and was read in another encoding, read again as it was meant: "schÃ¶n" is "schön".
 * Source: `fix_encoding` of ftfy 6.3 (Speer 2019, doi 10.5281/zenodo.2591652), with its default settings.
 */
import { charactersAt, codePages, encodeText, windows1252Controls } from "./code-pages.js";
import { isMojibake } from "./mojibake.js";
import { decodeUtf8, replaceLostBytes, restoreNoBreakSpaces } from "./utf8-bytes.js";

const ascii = /^[\0-\x7f]*$/u;
const c1Controls = /[\x80-\x9f]/gu;

/** `text` with its misread parts read again, as often as that finds something. */
export function fixEncoding(text: string): string {
  let current = text;
  for (;;) {
    const next = fixOnce(current);
    if (next === current) return current;
    current = next;
  }
}

function fixOnce(text: string): string {
  if (ascii.test(text) || !isMojibake(text)) return text;
  for (const page of codePages) {
    const bytes = encodeText(page, text);
    if (bytes === undefined) continue;
    // In MacRoman a dash before a space would be taken for a lost no-break space.
    const restored = page.name === "macroman" ? bytes : restoreNoBreakSpaces(bytes);
    const decoded = decodeUtf8(page.sloppy ? replaceLostBytes(restored) : restored);
    if (decoded !== undefined) return decoded;
  }
  const parts = text.replace(misreadParts, (part) =>
    part.length < text.length && isMojibake(part) ? fixEncoding(part) : part,
  );
  return parts === text ? fixControls(text) : parts;
}

/** C1 controls, which nobody writes, as windows-1252's characters at their places. */
export function fixControls(text: string): string {
  return text.replace(c1Controls, (control) =>
    windows1252Controls.charAt(control.charCodeAt(0) - 0x80),
  );
}

const misreadParts = createPartsExpression();

/** Runs of UTF-8 sequences as the encodings alike to Latin-1 show them; a space may be a no-break space. */
function createPartsExpression(): RegExp {
  const alike = codePages.filter(({ name }) => /^(?:latin|windows)/u.test(name));
  const continuation = charactersAt(alike, 0x80, 0xbf);
  // What stands by itself so often that it does not show the middle of a longer garble.
  const strict = continuation.replace(/[–—―‘’‚“”„•…]/gu, "");
  const lead = (first: number, last: number): string => `[${charactersAt(alike, first, last)}]`;
  const fourth = `[${charactersAt(alike, 0xf0, 0xf0)}${charactersAt(alike, 0xf3, 0xf3)}]`;
  const follow = `[ ${continuation}]`;
  return new RegExp(
    `(?<![${strict}])(?:${lead(0xc2, 0xdf)}${follow}|${lead(0xe0, 0xef)}${follow}{2}|${fourth}${follow}{3})+`,
    "gu",
  );
}
