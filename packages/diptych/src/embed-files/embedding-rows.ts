/** The rows of an unfinished embedding on disk: appended batch by batch, whole after a kill at any time. */
import { createReadStream } from "node:fs";
import { open, readFile, rename, rm, writeFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "@diptych/core";
import { inputsPath } from "./embedding-plan.js";
import type { EmbeddingChunk } from "./embedding-format.js";
import { readLines } from "./lines.js";

const ROWS = "rows.f32";
const SKIPPED = "skipped.jsonl";

export interface SkippedInput {
  /** Position among the inputs, from 0. */
  readonly index: number;
  readonly input: string;
  readonly problem: string;
}

export interface EmbeddingRows {
  /** Inputs that are done, skipped ones included. */
  readonly done: () => number;
  readonly skipped: () => readonly SkippedInput[];
  /** Appends rows of the inputs that come next; of those in `skipped` the row counts for nothing. */
  append(rows: Float32Array, skipped: readonly SkippedInput[]): Promise<void>;
  /** The inputs from `start` on, `size` at a time. */
  inputs(start: number, size: number): AsyncGenerator<readonly string[], void, undefined>;
  /** Inputs and rows, those skipped left out. */
  chunks(size: number): AsyncGenerator<EmbeddingChunk, void, undefined>;
  close(): Promise<void>;
}

/** Opens the rows of `folder`; a row that was cut off is dropped. `fresh` drops them all. */
export async function openRows(
  folder: string,
  width: number,
  fresh: boolean,
): Promise<EmbeddingRows> {
  const rowBytes = width * Float32Array.BYTES_PER_ELEMENT;
  if (fresh) {
    await rm(join(folder, ROWS), { force: true });
    await rm(join(folder, SKIPPED), { force: true });
  }
  const file = await open(join(folder, ROWS), "a+");
  let done = Math.floor((await file.stat()).size / rowBytes);
  await file.truncate(done * rowBytes);
  // Noted before their rows: a kill in between leaves notes of inputs that are not done.
  const skipped = (await readSkipped(folder)).filter(({ index }) => index < done);
  await writeSkipped(folder, skipped);
  const notes = await open(join(folder, SKIPPED), "a");
  return Object.freeze({
    done: () => done,
    skipped: () => skipped,
    append: async (rows: Float32Array, more: readonly SkippedInput[]) => {
      if (more.length > 0) {
        skipped.push(...more);
        await notes.appendFile(noteLines(more));
      }
      await file.appendFile(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
      done += rows.length / width;
    },
    inputs: (start: number, size: number) => readInputs(folder, start, size),
    chunks: (size: number) => readChunks(folder, { file, width, size, skipped }),
    close: async () => {
      await file.close();
      await notes.close();
    },
  });
}

async function* readInputs(
  folder: string,
  start: number,
  size: number,
): AsyncGenerator<readonly string[], void, undefined> {
  let at = 0;
  let batch: string[] = [];
  for await (const line of readLines(createReadStream(inputsPath(folder)))) {
    if (at++ < start) continue;
    batch.push(JSON.parse(line) as string);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

interface ChunkSource {
  readonly file: FileHandle;
  readonly width: number;
  readonly size: number;
  readonly skipped: readonly SkippedInput[];
}

async function* readChunks(
  folder: string,
  { file, width, size, skipped }: ChunkSource,
): AsyncGenerator<EmbeddingChunk, void, undefined> {
  const left = new Set(skipped.map(({ index }) => index));
  let start = 0;
  for await (const inputs of readInputs(folder, 0, size)) {
    const rows = new Float32Array(inputs.length * width);
    await readExactly(file, rows, start * width * Float32Array.BYTES_PER_ELEMENT);
    const kept = inputs.flatMap((_, i) => (left.has(start + i) ? [] : [i]));
    kept.forEach((from, to) => rows.copyWithin(to * width, from * width, (from + 1) * width));
    start += inputs.length;
    if (kept.length === 0) continue;
    yield {
      inputs: kept.map((i) => inputs[i] ?? ""),
      rows: rows.subarray(0, kept.length * width),
    };
  }
}

async function readExactly(file: FileHandle, rows: Float32Array, position: number): Promise<void> {
  const bytes = new Uint8Array(rows.buffer);
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, position + at);
    if (bytesRead === 0) {
      throw new DataError(
        "diptych/embedToFile: rows: expected those of every input, got fewer: something else has cut the file. Delete the .partial folder and start anew.",
      );
    }
    at += bytesRead;
  }
}

async function readSkipped(folder: string): Promise<SkippedInput[]> {
  const text = await readFile(join(folder, SKIPPED), "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  });
  // A last line without its end was cut off by a kill: its rows are not there either.
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as SkippedInput);
}

/** Renamed into its place: a kill leaves the notes that were there before. */
async function writeSkipped(folder: string, skipped: readonly SkippedInput[]): Promise<void> {
  const beside = join(folder, `${SKIPPED}.new`);
  await writeFile(beside, noteLines(skipped));
  await rename(beside, join(folder, SKIPPED));
}

function noteLines(skipped: readonly SkippedInput[]): string {
  return skipped.map((entry) => `${JSON.stringify(entry)}\n`).join("");
}
