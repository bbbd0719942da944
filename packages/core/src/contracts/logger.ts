/** Logger: records of a run as plain data (JSONL on disk, a bar on a terminal, nothing in tests). */

export interface LogRecord {
  readonly event: string;
  readonly [key: string]: unknown;
}

export interface Logger {
  write(record: LogRecord): void;
  /** Flushes and closes. */
  close(): Promise<void>;
}
