/** What the first bytes of an image file say: the things that decide how Pillow treats it, and its size. */

/** How a file stores its pixels, in Pillow's distinctions. */
export type PixelKind =
  /** Grey or RGB, with or without alpha; 16-bit RGB too. */
  | "color"
  /** Indices into a palette, or one bit a pixel: never interpolated by Pillow. */
  | "palette"
  | "bilevel"
  | "cmyk"
  | "grey16";

export interface ImageHeader {
  readonly format: "jpeg" | "png" | "gif";
  readonly kind: PixelKind;
  readonly width: number;
  readonly height: number;
  /** RGB triples of a PNG palette. */
  readonly palette?: Uint8Array;
  /** Whether pixels have an alpha channel of their own, and not only a transparent colour. */
  readonly alpha: boolean;
}

/** Undefined when the format is another one, or the header is damaged: the decoder then says what is wrong. */
export function readImageHeader(bytes: Uint8Array): ImageHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 30) return undefined;
  const start = view.getUint32(0);
  if (start === 0x89504e47 && view.getUint32(4) === 0x0d0a1a0a) return readPng(view, bytes);
  if (start >>> 8 === 0xffd8ff) return readJpeg(view);
  if (start === 0x47494638) {
    const size = { width: view.getUint16(6, true), height: view.getUint16(8, true) };
    return { format: "gif", kind: "palette", alpha: false, ...size };
  }
  return undefined;
}

const PNG_BILEVEL = 1;
const [PNG_GREY, PNG_PALETTE, PNG_GREY_ALPHA, PNG_RGB_ALPHA] = [0, 3, 4, 6];

function readPng(view: DataView, bytes: Uint8Array): ImageHeader {
  const depth = bytes[24] as number;
  const color = bytes[25] as number;
  const kind =
    color === PNG_PALETTE
      ? "palette"
      : color === PNG_GREY && depth === PNG_BILEVEL
        ? "bilevel"
        : color === PNG_GREY && depth === 16
          ? "grey16"
          : "color";
  const palette = kind === "palette" ? findPngPalette(view, bytes) : undefined;
  return {
    format: "png",
    kind,
    width: view.getUint32(16),
    height: view.getUint32(20),
    alpha: color === PNG_GREY_ALPHA || color === PNG_RGB_ALPHA,
    ...(palette && { palette }),
  };
}

function findPngPalette(view: DataView, bytes: Uint8Array): Uint8Array | undefined {
  for (let at = 8; at + 8 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = view.getUint32(at + 4);
    if (type === 0x504c5445) return bytes.slice(at + 8, at + 8 + length);
    if (type === 0x49444154) return undefined;
    at += length + 12;
  }
  return undefined;
}

function readJpeg(view: DataView): ImageHeader | undefined {
  for (let at = 2; at + 10 <= view.byteLength;) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    // Restart markers and TEM stand alone.
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf;
    if (isFrame && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      const kind = view.getUint8(at + 9) === 4 ? "cmyk" : "color";
      const size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
      return { format: "jpeg", kind, alpha: false, ...size };
    }
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}
