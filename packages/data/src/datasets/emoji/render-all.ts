/** Renders every drawing of the set, several at a time. */
import { isDiptychError } from "@diptych/core";
import sharp from "sharp";
import type { DrawnConcept } from "./concepts.js";
import { EMOJI_FAMILIES, FAMILY_PACKAGES } from "./families.js";
import { iconSvg, type IconSet } from "./icon-svg.js";
import type { EmojiPackages } from "./packages.js";
import { renderDrawing, type RenderSettings } from "./render.js";

export interface RenderProgress {
  readonly report?: (what: string, done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Drawings in flight: libuv's default number of threads, on which sharp works. */
const IN_FLIGHT = 4;
const REPORT_EVERY = 32;

/**
 * Pixels of all drawings, [families][concepts][imageSize²·4] in the order of EMOJI_FAMILIES and `drawn`.
 *
 * @throws DataError naming the drawing that fails, or the signal's reason when it is aborted.
 */
export async function renderAll(
  packages: EmojiPackages,
  drawn: readonly DrawnConcept[],
  settings: RenderSettings,
  progress: RenderProgress = {},
): Promise<Uint8Array> {
  const bytesEach = settings.imageSize ** 2 * 4;
  const total = drawn.length * EMOJI_FAMILIES.length;
  const pixels = new Uint8Array(total * bytesEach);
  // One thread a picture: they are too small to share, and several are in flight.
  const threads = sharp.concurrency();
  sharp.concurrency(1);
  try {
    let done = 0;
    for (const [f, family] of EMOJI_FAMILIES.entries()) {
      const set = (await packages.readJson(FAMILY_PACKAGES[family], "icons.json")) as IconSet;
      await inFlight(drawn.length, async (c) => {
        progress.signal?.throwIfAborted();
        const { concept, icons } = drawn[c] as DrawnConcept;
        const svg = iconSvg(set, icons[family], settings.renderSize);
        const picture = await renderDrawing(svg, `${family} "${concept.name}"`, settings);
        pixels.set(picture, (f * drawn.length + c) * bytesEach);
        done += 1;
        if (done % REPORT_EVERY === 0 || done === total) {
          progress.report?.("rendering emoji", done, total);
        }
      });
    }
  } finally {
    sharp.concurrency(threads);
  }
  return pixels;
}

/** Runs `job` for 0…count−1, a few at a time; the first error stops the rest, and is thrown when none runs any more. */
async function inFlight(count: number, job: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  let failed: unknown;
  const work = async (): Promise<void> => {
    while (next < count && failed === undefined) {
      try {
        await job(next++);
      } catch (error) {
        failed ??= error ?? new Error("aborted");
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  if (failed !== undefined) throw isDiptychError(failed) ? failed : asError(failed);
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
