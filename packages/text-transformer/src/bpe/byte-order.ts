/**
 * The order in which CLIP's vocabulary lists the 256 bytes (GPT-2's: printable ones first) and the characters that stand for them in a merges file.
 */

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

const printable = Array.from({ length: 256 }, (_, byte) => byte).filter(isPrintable);
const others = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !isPrintable(byte));

/** Byte at each id 0–255 (ids 256–511 are the same bytes at the end of a word). */
export const byteOfId: Uint8Array = Uint8Array.from([...printable, ...others]);

/** Id of each byte. */
export const idOfByte: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byteOfId.indexOf(byte),
);

/** The character that a merges file writes for the byte of each id: itself, or one from U+0100 on for bytes without a glyph. */
export const characterOfId: readonly string[] = [
  ...printable.map((byte) => String.fromCharCode(byte)),
  ...others.map((_, index) => String.fromCharCode(256 + index)),
];
