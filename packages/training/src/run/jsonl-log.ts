/** A log of one JSON record per line that only grows; a resumed run first drops what the state it goes on from never saw. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { TrainingError, type Logger, type LogRecord } from "@diptych/core";

export interface JsonlLogOptions {
  /**
   * Steps done in the state that the run goes on from; 0 for a new run. Records from there on are dropped, so that the
   * log reads as that of one run without a break.
   */
  readonly resumeStep: number;
}

/**
 * Opens the log at `path`, its folder made where it is missing. Records are written at once: a killed process loses none.
 *
 * @throws TrainingError where it cannot be written, e.g. on a full disk.
 */
export function createJsonlLog(path: string, { resumeStep }: JsonlLogOptions): Logger {
  const file = guarded(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    if (existsSync(path)) truncateSync(path, keptLength(readFileSync(path), resumeStep));
    return openSync(path, "a");
  });
  let open = true;
  return Object.freeze({
    write: (record: LogRecord): void => {
      const line = Buffer.from(`${JSON.stringify(record, replaceNonFinite)}\n`);
      guarded(path, () => {
        // A full disk may take part of a line: without the rest the log could not be read.
        for (let done = 0; done < line.length;) done += writeSync(file, line, done);
      });
    },
    close: async (): Promise<void> => {
      if (!open) return;
      open = false;
      guarded(path, () => {
        fsyncSync(file);
        closeSync(file);
      });
    },
  });
}

/** Records of a log. A last line that was cut off is left out. @throws TrainingError on another line that is no record. */
export function readJsonlLog(path: string): readonly LogRecord[] {
  const lines = guarded(path, () => readFileSync(path, "utf8")).split("\n");
  const records: LogRecord[] = [];
  lines.forEach((line, i) => {
    if (line === "") return;
    const record = parseRecord(line);
    if (record) records.push(record);
    else if (i < lines.length - 1) {
      throw new TrainingError(
        `training/readJsonlLog: ${path}: expected a JSON record in line ${i + 1}, got "${line.slice(0, 80)}". Remove that line.`,
      );
    }
  });
  return records;
}

/** Bytes before the first record that `resumeStep` makes untrue, or that is no whole record. */
function keptLength(content: Buffer, resumeStep: number): number {
  let kept = 0;
  for (;;) {
    const end = content.indexOf(0x0a, kept);
    if (end < 0) return kept;
    const record = parseRecord(content.toString("utf8", kept, end));
    if (!record || !isBefore(record, resumeStep)) return kept;
    kept = end + 1;
  }
}

function isBefore({ event, step }: LogRecord, resumeStep: number): boolean {
  if (event === "end") return false;
  if (typeof step !== "number") return resumeStep > 0;
  // A step's record carries its own number, the others the number of steps done.
  return event === "step" ? step < resumeStep : step <= resumeStep && resumeStep > 0;
}

function parseRecord(line: string): LogRecord | undefined {
  try {
    const record: unknown = JSON.parse(line);
    const isRecord = typeof record === "object" && record !== null && "event" in record;
    return isRecord ? (record as LogRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** JSON has no NaN: null would hide what happened. */
function replaceNonFinite(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function guarded<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "an error";
    const hint =
      code === "ENOSPC"
        ? "The disk is full: free some space and resume; the last checkpoint is untouched."
        : "Check that the folder exists and may be written.";
    throw new TrainingError(
      `training/createJsonlLog: ${path}: expected to read and write it, got ${code}. ${hint}`,
      { cause },
    );
  }
}
