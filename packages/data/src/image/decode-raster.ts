/**
 * Decoding of image files into the pixels that Pillow would hold: no colour management, CMYK and 16-bit grey as they
 * are, palettes expanded but remembered. Only this package knows sharp.
 */
import { DataError, type Image } from "@diptych/core";
import sharp, { type Sharp } from "sharp";
import { decodeGif, type GifFrame } from "./gif.js";
import { checkNotEmpty, checkPixels, explainDecoding, readImageFile } from "./image-errors.js";
import { readImageHeader, type ImageHeader, type PixelKind } from "./image-header.js";
import { plainBytes } from "./plain-bytes.js";

export type ImageSource = string | Uint8Array | Image;

interface RasterBase {
  readonly width: number;
  readonly height: number;
}

/** Interleaved bytes. */
export interface ByteRaster extends RasterBase {
  readonly layout: "rgb" | "rgba" | "cmyk";
  readonly data: Uint8Array;
  /** Pixels of a palette or of one bit: their values are not to be mixed. */
  readonly kind: PixelKind;
  /** Whether alpha is a channel of the file, and not made of a transparent colour. */
  readonly ownAlpha: boolean;
  /** RGB triples. */
  readonly palette?: Uint8Array | undefined;
}

export interface DeepRaster extends RasterBase {
  readonly layout: "grey16";
  readonly data: Uint16Array;
}

export type Raster = ByteRaster | DeepRaster;

export interface RasterOptions {
  /** Most pixels that are decoded; checked on the header. */
  readonly pixelLimit: number;
  /** Turns the picture as its EXIF orientation says. */
  readonly orient: boolean;
}

/** A file's bytes, and what to call it. */
export interface EncodedImage {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly header: ImageHeader | undefined;
}

/**
 * Reads a file, or takes its bytes, and looks at the header.
 *
 * @throws DataError when it is missing, empty, or says that it has more than `pixelLimit` pixels.
 */
export async function openImage(
  source: string | Uint8Array,
  name: string,
  pixelLimit: number,
): Promise<EncodedImage> {
  const bytes = typeof source === "string" ? await readImageFile(source) : source;
  checkNotEmpty(bytes, name);
  const header = readImageHeader(bytes);
  if (header !== undefined) checkPixels(header, name, pixelLimit);
  return { bytes, name, header };
}

/** A decoder that ignores colour profiles, as Pillow does. */
export function openSharp(image: EncodedImage, options: RasterOptions): Sharp {
  const input = sharp(image.bytes, {
    ignoreIcc: true,
    limitInputPixels: options.pixelLimit,
    failOn: "error",
  });
  return options.orient ? input.autoOrient() : input;
}

/** @throws DataError naming the picture when it is corrupt, cut off, of an unknown format or too large. */
export async function decodeRaster(image: EncodedImage, options: RasterOptions): Promise<Raster> {
  const { header, name } = image;
  try {
    if (header?.format === "gif") {
      return rasterOfGif(decodeGif(image.bytes, name, options.pixelLimit));
    }
    const input = openSharp(image, options);
    const kind = header?.kind ?? (await readKind(image, options));
    if (kind === "grey16") return await decodeDeep(input);
    const converted =
      kind === "cmyk"
        ? input.pipelineColourspace("cmyk").toColourspace("cmyk")
        : input.toColourspace("srgb");
    const { data, info } = await converted
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    const layout = kind === "cmyk" ? "cmyk" : info.channels === 4 ? "rgba" : "rgb";
    if (info.channels !== (layout === "rgb" ? 3 : 4)) throw new Error(`${info.channels} channels`);
    const ownAlpha = header === undefined ? layout === "rgba" : header.alpha;
    const { width, height } = info;
    return {
      layout,
      kind,
      width,
      height,
      data: plainBytes(data),
      ownAlpha,
      palette: header?.palette,
    };
  } catch (cause) {
    throw explainDecoding(name, cause, options.pixelLimit);
  }
}

/** What a format is whose header we do not read ourselves (TIFF may be anything). */
async function readKind(image: EncodedImage, options: RasterOptions): Promise<PixelKind> {
  const { space, depth, channels, format } = await openSharp(image, options).metadata();
  if (format !== "tiff") return "color";
  if (space === "cmyk") return channels === 4 ? "cmyk" : "color";
  return depth === "ushort" && channels === 1 ? "grey16" : "color";
}

async function decodeDeep(input: Sharp): Promise<DeepRaster> {
  const { data, info } = await input
    .toColourspace("grey16")
    .raw({ depth: "ushort" })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const values = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  const grey =
    channels === 1
      ? values.slice()
      : Uint16Array.from({ length: width * height }, (_, i) => values[i * channels] as number);
  return { layout: "grey16", width, height, data: grey };
}

function rasterOfGif(frame: GifFrame): ByteRaster {
  const { width, height, indices, palette, transparent } = frame;
  const channels = transparent === undefined ? 3 : 4;
  const data = new Uint8Array(width * height * channels);
  for (let i = 0, at = 0; i < indices.length; i++, at += channels) {
    const index = indices[i] as number;
    data[at] = palette[index * 3] as number;
    data[at + 1] = palette[index * 3 + 1] as number;
    data[at + 2] = palette[index * 3 + 2] as number;
    if (channels === 4) data[at + 3] = index === transparent ? 0 : 255;
  }
  const layout = channels === 3 ? "rgb" : "rgba";
  const kind = frame.grey ? "color" : "palette";
  return { layout, kind, width, height, data, ownAlpha: false, palette };
}

/** A picture in memory as a raster; grey repeats its channel. @throws DataError when the data has another length. */
export function rasterOfImage(image: Image): ByteRaster {
  const { width, height, channels, data } = image;
  if (width < 1 || height < 1 || data.length !== width * height * channels) {
    throw new DataError(
      `data/evaluation: image: expected at least one pixel and ${width}×${height}×${channels} bytes, got ${data.length} bytes. Give width, height and channels that fit the data.`,
    );
  }
  const common = { width, height, kind: "color", ownAlpha: channels === 4 } as const;
  if (channels !== 1) return { ...common, layout: channels === 4 ? "rgba" : "rgb", data };
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) rgb.fill(data[i] as number, i * 3, i * 3 + 3);
  return { ...common, layout: "rgb", data: rgb };
}
