/** Embedding of any number of pictures or texts into a file: in bounded memory, resumed after a kill at any time. */
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { DataError, isDiptychError, type Image } from "@diptych/core";
import { acquireRunLock } from "@diptych/training";
import type { Clip } from "../load-clip.js";
import type { EncodeOptions, Features } from "../encode/encoder-runtime.js";
import {
  writeInputLines,
  type EmbeddingFormat,
  type EmbeddingTable,
  type InputKind,
} from "./embedding-format.js";
import {
  checkSamePlan,
  keepPlan,
  listInputs,
  readPlan,
  type EmbeddingPlan,
} from "./embedding-plan.js";
import { openRows, type EmbeddingRows, type SkippedInput } from "./embedding-rows.js";

export interface EmbedProgress {
  readonly done: number;
  readonly total: number;
  /** Done before this call began. */
  readonly resumedFrom: number;
}

export interface EmbedToFileOptions {
  readonly clip: Pick<Clip, "embedDim" | "encodeImages" | "encodeTexts">;
  readonly kind: InputKind;
  /** Paths of pictures, or texts; read once, one at a time. */
  readonly inputs: AsyncIterable<string>;
  /** The file to write. What is done is kept in `<out>.partial` until then. */
  readonly out: string;
  readonly format: EmbeddingFormat;
  /** Whether rows are scaled to length 1; true by default. */
  readonly normalize?: boolean;
  /** Leave out inputs that cannot be read and go on. */
  readonly skipBad?: boolean;
  /** Inputs embedded, and then kept, at once; 32 by default. */
  readonly batchSize?: number;
  /** What else decides the rows, e.g. the precision of the weights: unfinished work of other settings is refused. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Replace `out` where it is there already. */
  readonly overwrite?: boolean;
  readonly onProgress?: (progress: EmbedProgress) => void;
  readonly signal?: AbortSignal;
}

export interface EmbedSummary {
  readonly rows: number;
  readonly width: number;
  readonly skipped: readonly SkippedInput[];
  /** The files written: `out`, and the list of inputs where the format does not hold them. */
  readonly files: readonly string[];
}

const DEFAULT_BATCH = 32;
/** Texts are quick, and sorted by length among those embedded at once. */
const TEXT_BATCHES = 16;
/** Rows copied at once into the result. */
const COPY_ROWS = 1024;

/**
 * Embeds `inputs` into `out`, row i of input i. Ended at any time, by a signal or a kill, the same call goes on with the
 * batch after the last one that was done. The result is written beside and renamed.
 *
 * @throws DataError when `out` exists, when `<out>.partial` holds the work of other inputs, another model or other
 * settings, without inputs, and naming the first one that cannot be read (unless skipped); TrainingError while another
 * process embeds into `out`.
 */
export async function embedToFile(options: EmbedToFileOptions): Promise<EmbedSummary> {
  const { out } = options;
  if (existsSync(out) && !options.overwrite) {
    throw new DataError(
      `diptych/embedToFile: ${out}: expected no file of that name yet, got one. Give another --out, or --force to replace it.`,
    );
  }
  const folder = `${out}.partial`;
  await mkdir(dirname(out), { recursive: true });
  const lock = await acquireRunLock(folder);
  try {
    const work = await openWork(folder, options);
    let summary: EmbedSummary;
    try {
      await embedRest(work, options);
      summary = await writeResult(work, options);
    } finally {
      await work.rows.close();
    }
    await rm(folder, { recursive: true, force: true });
    return summary;
  } finally {
    await lock.release();
  }
}

interface Work {
  readonly plan: EmbeddingPlan;
  readonly rows: EmbeddingRows;
}

async function openWork(folder: string, options: EmbedToFileOptions): Promise<Work> {
  const { clip, kind, inputs, normalize = true, settings = {}, format } = options;
  const check = format.holdsInputs ? () => undefined : checkOneLine;
  const listed = await listInputs(folder, inputs, check);
  const plan: EmbeddingPlan = {
    version: 1,
    kind,
    count: listed.count,
    inputs: listed.hash,
    width: clip.embedDim,
    settings: { normalize: String(normalize), ...settings },
    probe: await probeModel(clip, kind),
  };
  const kept = await readPlan(folder);
  if (kept) {
    await rm(listed.path, { force: true });
    checkSamePlan(folder, kept, plan);
  } else {
    await keepPlan(folder, plan, listed);
  }
  return { plan, rows: await openRows(folder, plan.width, !kept) };
}

function checkOneLine(input: string): void {
  if (!/[\r\n]/.test(input)) return;
  throw new DataError(
    `diptych/embedToFile: inputs: expected names without line breaks, got ${JSON.stringify(input)}. Rename the file, or write .parquet.`,
  );
}

/** Odd sides, so that resizing and cropping show; no symmetry that a wrong order of channels could hide in. */
const PROBE_IMAGE: Image = Object.freeze({
  width: 61,
  height: 47,
  channels: 3,
  data: Uint8Array.from({ length: 61 * 47 * 3 }, (_, i) => (i * i * 31 + i * 7) % 251),
});

async function probeModel(clip: EmbedToFileOptions["clip"], kind: InputKind): Promise<number[]> {
  const features =
    kind === "image"
      ? await clip.encodeImages([PROBE_IMAGE], { normalize: false })
      : await clip.encodeTexts(["cat"], { normalize: false });
  return [...features.data];
}

/** Two batches in flight: one is prepared while the other runs. */
async function embedRest({ plan, rows }: Work, options: EmbedToFileOptions): Promise<void> {
  const { batchSize = DEFAULT_BATCH, kind, onProgress, signal } = options;
  const size = kind === "text" ? batchSize * TEXT_BATCHES : batchSize;
  const resumedFrom = rows.done();
  const report = (): void => onProgress?.({ done: rows.done(), total: plan.count, resumedFrom });
  report();
  let start = resumedFrom;
  let running: Promise<EmbeddedBatch> | undefined;
  const finish = async (batch: Promise<EmbeddedBatch>): Promise<void> => {
    const { values, skipped } = await explained(batch, rows, plan.count);
    await rows.append(values, skipped);
    report();
  };
  try {
    for await (const inputs of rows.inputs(resumedFrom, size)) {
      signal?.throwIfAborted();
      const next = embedBatch(inputs, { start, width: plan.width, options });
      // Awaited a batch later: until then nobody would hear of its failure.
      next.catch(() => undefined);
      start += inputs.length;
      if (running) await finish(running);
      running = next;
    }
    if (running) await finish(running);
  } catch (error) {
    await running?.catch(() => undefined);
    throw error;
  }
}

/** Adds to what is wrong with an input where the work stands and how to go on. */
async function explained(
  batch: Promise<EmbeddedBatch>,
  rows: EmbeddingRows,
  total: number,
): Promise<EmbeddedBatch> {
  try {
    return await batch;
  } catch (cause) {
    if (!isDiptychError(cause, "DATA")) throw cause;
    throw new DataError(
      `${cause.message}\n${rows.done()} of ${total} inputs are done and kept. Mend this one and repeat the same command, or add --skip-bad to leave such inputs out.`,
      { cause },
    );
  }
}

interface EmbeddedBatch {
  readonly values: Float32Array;
  readonly skipped: readonly SkippedInput[];
}

interface BatchContext {
  readonly start: number;
  readonly width: number;
  readonly options: EmbedToFileOptions;
}

/** Rows of `inputs`; halved again and again where something in them cannot be read, down to what it is. */
async function embedBatch(
  inputs: readonly string[],
  { start, width, options }: BatchContext,
): Promise<EmbeddedBatch> {
  try {
    return { values: (await encode(inputs, options)).data, skipped: [] };
  } catch (error) {
    if (!options.skipBad || !isDiptychError(error, "DATA")) throw error;
    if (inputs.length === 1) {
      const skipped = { index: start, input: inputs[0] ?? "", problem: error.message };
      return { values: new Float32Array(width), skipped: [skipped] };
    }
  }
  const half = Math.ceil(inputs.length / 2);
  const first = await embedBatch(inputs.slice(0, half), { start, width, options });
  const second = await embedBatch(inputs.slice(half), { start: start + half, width, options });
  const values = new Float32Array(inputs.length * width);
  values.set(first.values);
  values.set(second.values, first.values.length);
  return { values, skipped: [...first.skipped, ...second.skipped] };
}

function encode(inputs: readonly string[], options: EmbedToFileOptions): Promise<Features> {
  const { clip, kind, normalize = true, signal } = options;
  const encoding: EncodeOptions = { normalize, ...(signal ? { signal } : {}) };
  return kind === "image"
    ? clip.encodeImages(inputs, encoding)
    : clip.encodeTexts(inputs, encoding);
}

async function writeResult(
  { plan, rows }: Work,
  { out, format, kind }: EmbedToFileOptions,
): Promise<EmbedSummary> {
  const skipped = rows.skipped();
  const table: EmbeddingTable = {
    kind,
    count: plan.count - skipped.length,
    width: plan.width,
    chunks: () => rows.chunks(COPY_ROWS),
  };
  const files = [out];
  if (!format.holdsInputs) {
    const list = `${out}.inputs.txt`;
    await writeBeside(list, (path) => writeInputLines(path, table));
    files.push(list);
  }
  // Last: where the file is, all is.
  await writeBeside(out, (path) => format.write(path, table));
  return { rows: table.count, width: plan.width, skipped: [...skipped], files };
}

async function writeBeside(path: string, write: (path: string) => Promise<void>): Promise<void> {
  const beside = `${path}.${process.pid}.tmp`;
  try {
    await write(beside);
    await rename(beside, path);
  } catch (cause) {
    await rm(beside, { force: true });
    throw cause;
  }
}
