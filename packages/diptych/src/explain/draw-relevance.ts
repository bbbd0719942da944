/** Relevance as a picture: a heat map, bilinearly enlarged, over the picture that it speaks of; several side by side. */
import type { HostTensor, Image } from "@diptych/core";
import { resizeImage } from "@diptych/data";
import { heatColour } from "./colormap.js";
import type { Region } from "./seen-region.js";

export interface DrawOptions {
  /** The part of the picture that the maps lie over, in its own pixels. */
  readonly region: Region;
  /** Most pixels of a panel's longer side; larger pictures are reduced. 1024 by default. */
  readonly maxSide?: number;
  /** Whether the picture alone is the first panel; true by default. */
  readonly original?: boolean;
}

const MAX_SIDE = 1024;
/** Pixels between panels, white. */
const GAP = 8;
/** How much of the heat's colour covers the picture, from the least relevant place to the most. */
const COVER = { least: 0.35, most: 0.75 };
/** What the model does not see is darkened to this share. */
const UNSEEN = 0.25;

/**
 * Panels side by side: the picture, then it under each map [gridHeight, gridWidth]. Each map is scaled to its own
 * range, dark where it is least and bright where it is most; a map without any relevance stays dark. Outside the region
 * the picture is darkened.
 */
export async function drawRelevance(
  image: Image,
  maps: readonly HostTensor[],
  { region, maxSide = MAX_SIDE, original = true }: DrawOptions,
): Promise<Image> {
  const scale = Math.min(1, maxSide / Math.max(image.width, image.height));
  const width = Math.max(1, Math.round(image.width * scale));
  const height = Math.max(1, Math.round(image.height * scale));
  const picture = flatten(
    await resizeImage(image, { imageWidth: width, imageHeight: height }, "squash"),
  );
  const across = width / image.width;
  const down = height / image.height;
  const scaled: Region = {
    left: region.left * across,
    top: region.top * down,
    width: region.width * across,
    height: region.height * down,
  };
  const panels = maps.map((map) => heatPanel(picture, map, scaled));
  return sideBySide(original ? [picture, ...panels] : panels, width, height);
}

/** RGB over white. */
function flatten({ width, height, channels, data }: Image): Image {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const alpha = channels === 4 ? (data[i * 4 + 3] ?? 255) / 255 : 1;
    for (let c = 0; c < 3; c++) {
      const value = data[i * channels + (channels === 1 ? 0 : c)] ?? 0;
      rgb[i * 3 + c] = Math.round(value * alpha + 255 * (1 - alpha));
    }
  }
  return { width, height, channels: 3, data: rgb };
}

function heatPanel({ width, height, data }: Image, map: HostTensor, region: Region): Image {
  const heat = normalised(map);
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    const v = (y + 0.5 - region.top) / region.height;
    for (let x = 0; x < width; x++) {
      const u = (x + 0.5 - region.left) / region.width;
      const at = (y * width + x) * 3;
      const seen = u >= 0 && u <= 1 && v >= 0 && v <= 1;
      const value = seen ? sample(heat, u, v) : 0;
      const colour = heatColour(value);
      const cover = seen ? COVER.least + (COVER.most - COVER.least) * value : 0;
      for (let c = 0; c < 3; c++) {
        const under = (data[at + c] ?? 0) * (seen ? 1 : UNSEEN);
        out[at + c] = Math.round(under * (1 - cover) + (colour[c] ?? 0) * cover);
      }
    }
  }
  return { width, height, channels: 3, data: out };
}

interface Heat {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** (value − least)/(most − least); zeros where all are equal. */
function normalised({ data, shape: [rows = 1, columns = 1] }: HostTensor): Heat {
  const values = Float64Array.from(data);
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const range = values.reduce((a, b) => Math.max(a, b), -Infinity) - least;
  return {
    rows,
    columns,
    values: values.map((value) => (range > 0 ? (value - least) / range : 0)),
  };
}

/** Bilinear between the centres of places, flat beyond the outer ones; u, v in [0, 1]. */
function sample({ rows, columns, values }: Heat, u: number, v: number): number {
  const x = Math.min(Math.max(u * columns - 0.5, 0), columns - 1);
  const y = Math.min(Math.max(v * rows - 0.5, 0), rows - 1);
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [x1, y1] = [Math.min(x0 + 1, columns - 1), Math.min(y0 + 1, rows - 1)];
  const row = (r: number): number =>
    (values[r * columns + x0] ?? 0) * (1 - (x - x0)) + (values[r * columns + x1] ?? 0) * (x - x0);
  return row(y0) * (1 - (y - y0)) + row(y1) * (y - y0);
}

function sideBySide(panels: readonly Image[], width: number, height: number): Image {
  const total = panels.length * width + Math.max(0, panels.length - 1) * GAP;
  const data = new Uint8Array(total * height * 3).fill(255);
  panels.forEach((panel, i) => {
    for (let y = 0; y < height; y++) {
      const row = panel.data.subarray(y * width * 3, (y + 1) * width * 3);
      data.set(row, (y * total + i * (width + GAP)) * 3);
    }
  });
  return { width: total, height, channels: 3, data };
}
