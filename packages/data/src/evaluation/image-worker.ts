/** What a thread of the image pipeline runs: one picture to its tensor, handed over without copying. */
import { workerData } from "node:worker_threads";
import { isDiptychError } from "@diptych/core";
import { move } from "piscina";
import sharp from "sharp";
import type { ImageSource } from "../image/decode-raster.js";
import { createEvaluationTransform, type EvaluationTransform } from "./evaluation-transform.js";
import type { EvaluationSettings } from "./settings.js";

/** What was wrong with a picture: an error's class and code do not survive the way between threads. */
export interface BadPicture {
  readonly message: string;
}

let transform: EvaluationTransform | undefined;

/** Called by the pool; gives a Float32Array, moved to the caller. */
export async function prepareOne(
  source: ImageSource,
): Promise<ReturnType<typeof move> | BadPicture> {
  transform ??= startTransform();
  const { imageHeight, imageWidth } = transform.settings;
  const values = new Float32Array(3 * imageHeight * imageWidth);
  try {
    await transform.write(source, values);
  } catch (error) {
    if (!isDiptychError(error, "DATA")) throw error;
    return { message: error.message };
  }
  return move(values);
}

function startTransform(): EvaluationTransform {
  // Threads of the pool are what works in parallel: more of libvips' would only take turns with them.
  sharp.concurrency(1);
  return createEvaluationTransform(workerData as EvaluationSettings);
}
