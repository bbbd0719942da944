/** One drawing: SVG → pixels → trimmed to what is visible → fitted into a small square with a margin. */
import { DataError } from "@diptych/core";
import sharp from "sharp";
import { premultiply, unpremultiply, type PremultipliedImage } from "../../image/premultiplied.js";
import { resamplePremultiplied } from "../../image/resample.js";

export interface RenderSettings {
  /** Side of the first rendering, in pixels. */
  readonly renderSize: number;
  /** Alpha (0–255) up to which a pixel counts as empty when trimming. */
  readonly alphaThreshold: number;
  /** Longest side of the trimmed drawing in the result. */
  readonly contentSize: number;
  /** Side of the result. */
  readonly imageSize: number;
}

/** What datasets.md's measured recipe renders, in proportion to the side: 96 → 28 of 32 pixels. */
export function renderSettings(imageSize: number): RenderSettings {
  return Object.freeze({
    renderSize: imageSize * 3,
    alphaThreshold: 10,
    contentSize: Math.round((imageSize * 28) / 32),
    imageSize,
  });
}

/**
 * Renders `svg` (renderSize wide and high) to imageSize² RGBA of straight alpha.
 *
 * @throws DataError naming `name` when the SVG does not render or shows nothing.
 */
export async function renderDrawing(
  svg: string,
  name: string,
  settings: RenderSettings,
): Promise<Uint8Array> {
  const pixels = await rasterize(svg, name, settings.renderSize);
  const box = visibleBox(pixels, settings.renderSize, settings.alphaThreshold);
  if (box === undefined) {
    throw new DataError(
      `data/emoji: ${name}: expected a drawing, got an SVG that shows nothing. Install the package version named in the README of @diptych/data.`,
    );
  }
  const drawing = crop(pixels, settings.renderSize, box);
  const scale = settings.contentSize / Math.max(drawing.width, drawing.height);
  const small = resamplePremultiplied(
    drawing,
    Math.max(1, Math.round(drawing.width * scale)),
    Math.max(1, Math.round(drawing.height * scale)),
  );
  return unpremultiply(centre(small, settings.imageSize)).data;
}

async function rasterize(svg: string, name: string, size: number): Promise<Uint8Array> {
  try {
    const { data, info } = await sharp(Buffer.from(svg))
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.width === size && info.height === size && info.channels === 4) return data;
    throw new Error(`rendered ${info.width}×${info.height}×${info.channels}`);
  } catch (cause) {
    throw new DataError(
      `data/emoji: ${name}: expected an SVG of ${size}×${size} pixels, got: ${cause instanceof Error ? cause.message : String(cause)}. Install the package version named in the README of @diptych/data.`,
      { cause },
    );
  }
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The smallest box around pixels of more alpha than `threshold`, ends excluded. */
function visibleBox(pixels: Uint8Array, size: number, threshold: number): Box | undefined {
  let left = size;
  let top = size;
  let right = 0;
  let bottom = 0;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if ((pixels[(y * size + x) * 4 + 3] ?? 0) <= threshold) continue;
      if (x < left) left = x;
      if (x >= right) right = x + 1;
      if (y < top) top = y;
      bottom = y + 1;
    }
  }
  return right > left ? { left, top, right, bottom } : undefined;
}

function crop(pixels: Uint8Array, size: number, box: Box): PremultipliedImage {
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    const from = ((box.top + y) * size + box.left) * 4;
    data.set(pixels.subarray(from, from + width * 4), y * width * 4);
  }
  return premultiply({ width, height, channels: 4, data });
}

function centre(image: PremultipliedImage, size: number): PremultipliedImage {
  const left = (size - image.width) >> 1;
  const top = (size - image.height) >> 1;
  const data = new Float32Array(size * size * 4);
  for (let y = 0; y < image.height; y++) {
    const row = image.data.subarray(y * image.width * 4, (y + 1) * image.width * 4);
    data.set(row, ((top + y) * size + left) * 4);
  }
  return { width: size, height: size, data };
}
