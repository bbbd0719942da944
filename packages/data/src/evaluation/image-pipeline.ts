/** Preparing any number of pictures for a model: decoded, resized and normalised in worker threads, in order. */
import { availableParallelism } from "node:os";
import { createHostTensor, DataError, type HostTensor } from "@diptych/core";
import { Piscina } from "piscina";
import { eachBounded } from "../each-bounded.js";
import type { ImageSource } from "../image/decode-raster.js";
import { createEvaluationTransform } from "./evaluation-transform.js";
import type { BadPicture } from "./image-worker.js";
import type { EvaluationOptions, EvaluationSettings } from "./settings.js";

export interface PipelineOptions {
  /**
   * Threads; default one for each processor, at most 8. 0 works on the calling thread, as does the package when it runs
   * from its TypeScript sources, which threads cannot load.
   */
  readonly workers?: number;
}

export interface PrepareCall {
  /** Stops handing out pictures; what is being worked on ends first. */
  readonly signal?: AbortSignal;
}

export interface ImagePipeline {
  readonly settings: EvaluationSettings;
  /**
   * float32 [n, 3, imageHeight, imageWidth], in the order of `sources`. At most two pictures for each thread are
   * decoded at a time, whatever n is.
   *
   * @throws DataError naming the first picture that fails, or the signal's reason.
   */
  prepare(sources: readonly ImageSource[], call?: PrepareCall): Promise<HostTensor<"float32">>;
  /** Ends the threads once what they work on is done; afterwards the pipeline refuses work. */
  dispose(): Promise<void>;
}

/** Where compiled packages keep the threads' file; tests name another. */
export interface WorkerPlace {
  readonly file: URL | undefined;
}

const MOST_WORKERS = 8;

/** Pictures that a thread has at once: one is decoded (by libuv's threads) while another is resized. */
const PER_WORKER = 2;

/** Pixels of a picture in memory above which it pays to copy it to a thread. */
const WORTH_COPYING = 256 * 256;

const IDLE_MILLISECONDS = 60_000;

/**
 * The evaluation transform ({@link createEvaluationTransform}) for many pictures. Threads start with the first batch,
 * stop after an idle minute (starting one takes a fifth of a second) and never keep a process alive; a single picture is prepared on the calling thread.
 *
 * @throws ConfigError for wrong settings, DataError for a wrong number of workers.
 */
export function createImagePipeline(
  options: EvaluationOptions = {},
  pipeline: PipelineOptions = {},
  place: WorkerPlace = { file: compiledWorker() },
): ImagePipeline {
  const transform = createEvaluationTransform(options);
  const { settings } = transform;
  const workers = countWorkers(pipeline, place);
  const { imageHeight, imageWidth } = settings;
  const size = 3 * imageHeight * imageWidth;
  let pool: Piscina | undefined;
  let isDisposed = false;
  const prepareIn = async (target: Target): Promise<void> => {
    const { source, data, offset, alone } = target;
    if (workers === 0 || alone || !isWorthCopying(source)) {
      return transform.write(source, data, offset);
    }
    pool ??= createPool(settings, workers, place);
    const answer = (await pool.run(source)) as Float32Array | BadPicture;
    if (!(answer instanceof Float32Array)) throw new DataError(answer.message);
    data.set(answer, offset);
  };
  return Object.freeze({
    settings,
    prepare: async (sources, { signal } = {}) => {
      if (isDisposed) {
        throw new DataError(
          "data/createImagePipeline: prepare: expected a pipeline in use, got a disposed one. Create another.",
        );
      }
      const data = new Float32Array(sources.length * size);
      const alone = sources.length === 1;
      await eachBounded(sources.length, Math.max(1, workers) * PER_WORKER, async (i) => {
        signal?.throwIfAborted();
        const source = sources[i] as ImageSource;
        await prepareIn({ source, data, offset: i * size, alone });
      });
      signal?.throwIfAborted();
      return createHostTensor("float32", [sources.length, 3, imageHeight, imageWidth], data);
    },
    dispose: async () => {
      isDisposed = true;
      const ending = pool;
      pool = undefined;
      await ending?.close();
    },
  } satisfies ImagePipeline);
}

interface Target {
  readonly source: ImageSource;
  readonly data: Float32Array;
  readonly offset: number;
  /** Whether the call has no other picture. */
  readonly alone: boolean;
}

function compiledWorker(): URL | undefined {
  const here = import.meta.url;
  return here.endsWith(".ts") ? undefined : new URL("image-worker.js", here);
}

function countWorkers({ workers }: PipelineOptions, { file }: WorkerPlace): number {
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 0 && workers <= 256)) {
    throw new DataError(
      `data/createImagePipeline: workers: expected a whole number from 0 to 256, got ${workers}.`,
    );
  }
  if (file === undefined) return 0;
  return workers ?? Math.min(MOST_WORKERS, availableParallelism());
}

function createPool(settings: EvaluationSettings, workers: number, place: WorkerPlace): Piscina {
  return new Piscina({
    filename: (place.file as URL).href,
    name: "prepareOne",
    minThreads: 0,
    maxThreads: workers,
    concurrentTasksPerWorker: PER_WORKER,
    idleTimeout: IDLE_MILLISECONDS,
    // Waiting for work must leave a thread's event loop free: decoding answers there.
    atomics: "disabled",
    workerData: settings,
  });
}

function isWorthCopying(source: ImageSource): boolean {
  if (typeof source === "string" || source instanceof Uint8Array) return true;
  return source.width * source.height > WORTH_COPYING;
}
