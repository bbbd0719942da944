/** Pictures of a report's galleries as data URIs, each read and shrunk once. */
import type { Image } from "@diptych/core";
import { encodeThumbnail } from "diptych";
import { samplesOf, type Gallery } from "./galleries.js";

/** The picture of a task's sample by its position in the task's data. */
export type PictureSource = (task: string, sample: number) => Promise<Image>;

export type Thumbnails = ReadonlyMap<string, string>;

export function thumbnailKey(task: string, sample: number): string {
  return `${task}\n${sample}`;
}

/** Data URI by {@link thumbnailKey}; pictures that cannot be read are named by `failed` and shown as text. */
export async function loadThumbnails(
  galleries: readonly Gallery[],
  pictures: PictureSource | undefined,
  failed: (task: string, sample: number, error: unknown) => void,
): Promise<Thumbnails> {
  const found = new Map<string, string>();
  if (!pictures) return found;
  for (const gallery of galleries) {
    for (const sample of samplesOf(gallery)) {
      const key = thumbnailKey(gallery.task, sample);
      if (found.has(key)) continue;
      try {
        const webp = await encodeThumbnail(await pictures(gallery.task, sample));
        found.set(key, `data:image/webp;base64,${Buffer.from(webp).toString("base64")}`);
      } catch (error) {
        failed(gallery.task, sample, error);
      }
    }
  }
  return found;
}
