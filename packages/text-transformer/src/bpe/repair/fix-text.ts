/**
 * Repair of broken text as ftfy 6 does it (`fix_text` with its defaults), which CLIP's tokenizers do before anything else:
 * entities, misread encodings and single characters, line by line, over and over until nothing changes.
 * Source: Speer 2019, doi 10.5281/zenodo.2591652.
 */
import { decodeHTML } from "entities";
import { unescapeHtml } from "../unescape-html.js";
import { fixCharacters } from "./fix-characters.js";
import { fixEncoding } from "./fix-encoding.js";

const plainAscii = /^[\t\n\x20-\x25\x27-\x7e]*$/u;
const entity = /&#?[0-9A-Za-z]{1,24};/gu;

/** Code points that are repaired together at most. */
const longestSegment = 1_000_000;

/** `text` repaired; entities are decoded only before the first line with a `<`, since HTML means them. */
export function fixText(text: string): string {
  if (plainAscii.test(text)) return text;
  let decodeEntities = true;
  let fixed = "";
  for (const segment of segmentsOf(text)) {
    if (segment.includes("<")) decodeEntities = false;
    fixed += fixSegment(segment, decodeEntities);
  }
  return fixed;
}

/** Lines with their breaks, longer ones in pieces. */
function* segmentsOf(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    const lineEnd = text.indexOf("\n", at) + 1 || text.length;
    const stop = lineEnd - at > longestSegment ? pieceEnd(text, at, lineEnd) : lineEnd;
    yield text.slice(at, stop);
    at = stop;
  }
}

function pieceEnd(text: string, start: number, lineEnd: number): number {
  let at = start;
  for (let count = 0; count < longestSegment && at < lineEnd; count += 1)
    at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return at;
}

function fixSegment(segment: string, decodeEntities: boolean): string {
  let text = segment;
  for (;;) {
    const before = text;
    if (decodeEntities) text = text.replace(entity, decodeEntity);
    text = fixCharacters(fixEncoding(text));
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
