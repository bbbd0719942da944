/**
 * HTML character references decoded as Python's `html.unescape` decodes them, which is not quite what a browser does:
 * references to control characters and non-characters vanish, and a name is sought in at most 32 characters.
 * Names come from `entities` (HTML 5's 2,231, the semicolon-less ones included).
 */
import { decodeHTML } from "entities";
import { windows1252Controls } from "./repair/code-pages.js";

const reference = /&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/gu;

/** Decodes the named and numeric character references of `text` once, as Python 3's `html.unescape`. */
export function unescapeHtml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(reference, (found) =>
    found[1] === "#" ? decodeNumber(found) : decodeHTML(found),
  );
}

function decodeNumber(found: string): string {
  const hexadecimal = found[2] === "x" || found[2] === "X";
  const code = hexadecimal
    ? Number.parseInt(found.slice(3), 16)
    : Number.parseInt(found.slice(2), 10);
  if (code === 0 || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return "\uFFFD";
  if (code === 0x0d) return "\r";
  if (code >= 0x80 && code <= 0x9f) return windows1252Controls.charAt(code - 0x80);
  return isInvalidCodePoint(code) ? "" : String.fromCodePoint(code);
}

function isInvalidCodePoint(code: number): boolean {
  return (
    (code >= 0x1 && code <= 0x8) ||
    code === 0xb ||
    (code >= 0xe && code <= 0x1f) ||
    code === 0x7f ||
    (code >= 0xfdd0 && code <= 0xfdef) ||
    (code & 0xfffe) === 0xfffe
  );
}
