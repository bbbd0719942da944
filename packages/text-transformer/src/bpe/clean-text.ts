/**
 * The text as CLIP's tokenizers see it: repaired, HTML references decoded twice, white space collapsed, lower case.
 * Source: `basic_clean` and `whitespace_clean` of openai/CLIP's simple_tokenizer.py; "white space" and "lower case" are Python's.
 */
import { fixText } from "./repair/fix-text.js";
import { unescapeHtml } from "./unescape-html.js";

// What Python's str.split() splits on. JavaScript's \s differs: it has U+FEFF and lacks U+001C–U+001F and U+0085.
// eslint-disable-next-line no-control-regex -- Python counts U+001C to U+001F as white space
const whitespace = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/gu;

/** What cleaning may change besides capitals: anything but printable ASCII, a `&`, spaces together or at the ends. */
const unclean = /[^\x20-\x25\x27-\x7e]| {2}|^ | $/u;

/** `text` cleaned: words apart by single spaces, none at the ends, lower case (final sigma as Unicode says). */
export function cleanText(text: string): string {
  if (!unclean.test(text)) return text.toLowerCase();
  const unescaped = unescapeHtml(unescapeHtml(fixText(text)));
  const spaced = unescaped.replace(whitespace, " ");
  return spaced.trim().toLowerCase();
}
