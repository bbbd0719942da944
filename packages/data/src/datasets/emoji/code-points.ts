/** One spelling of emoji code points for every vendor, so that their tables can be joined. */

/** `0023-FE0F-20E3` → `23-20e3`: lower case, without variation selectors and leading zeros. */
export function normalizeHexcode(hexcode: string): string {
  return hexcode
    .toLowerCase()
    .split("-")
    .filter((part) => part !== "fe0f")
    .map((part) => part.replace(/^0+/, ""))
    .join("-");
}

/** The normalized code points of an emoji character sequence. */
export function hexcodeOf(emoji: string): string {
  return normalizeHexcode(
    Array.from(emoji, (character) => (character.codePointAt(0) ?? 0).toString(16)).join("-"),
  );
}
