/** Where two plain values differ, in words. */
import { plainDifferences } from "../comparability/plain-difference.js";

/** As `path: was → is`, lists item by item. */
export function differences(was: unknown, is: unknown): readonly string[] {
  return plainDifferences(was, is, { items: true }).map(
    ({ path, a, b }) => `${path}: ${shorten(a)} → ${shorten(b)}`,
  );
}

function shorten(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 37)}…` : text;
}
