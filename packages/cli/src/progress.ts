/** Progress of long work: one bar on a terminal, a line now and then where output is no terminal. */
import { SingleBar } from "cli-progress";
import { formatDuration } from "@diptych/core";

export interface Progress {
  /** Where the work is; `values` fill the bar's text. */
  update(done: number, total: number, values?: ProgressValues): void;
  /** Writes a line without breaking the bar. */
  log(line: string): void;
  stop(): void;
}

export interface ProgressValues {
  /** Shown after the bar, e.g. `loss 1.23 · 1,300 images/s`. */
  readonly text: string;
  readonly secondsLeft?: number;
}

/** Seconds between lines where there is no terminal. */
const LINE_EVERY = 15;

export interface ProgressOptions {
  /** How amounts are written, e.g. as megabytes; plain numbers by default. */
  readonly format?: (amount: number) => string;
}

/** @param label What is being done, e.g. `training`. */
export function createProgress(
  label: string,
  stream: NodeJS.WriteStream = process.stderr,
  { format = String }: ProgressOptions = {},
): Progress {
  return stream.isTTY ? createBar(label, stream, format) : createLines(label, stream, format);
}

type Format = (amount: number) => string;

function left(values: ProgressValues | undefined): string {
  return values?.secondsLeft === undefined ? "" : ` · ${formatDuration(values.secondsLeft)} left`;
}

function createBar(label: string, stream: NodeJS.WriteStream, format: Format): Progress {
  const bar = new SingleBar({
    format: `${label} {bar} {value}/{total} {text}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    formatValue: (amount, _options, type) =>
      type === "value" || type === "total" ? format(amount) : String(amount),
    barsize: 24,
    hideCursor: true,
    fps: 8,
    stream,
    linewrap: false,
    gracefulExit: false,
  });
  let started = false;
  return {
    update: (done, total, values) => {
      const payload = { text: `${values?.text ?? ""}${left(values)}` };
      if (!started) bar.start(total, done, payload);
      started = true;
      bar.setTotal(total);
      bar.update(done, payload);
    },
    log: (line) => {
      if (started) stream.write("\r\x1b[K");
      stream.write(`${line}\n`);
      if (started) bar.render();
    },
    stop: () => {
      if (started) bar.stop();
      started = false;
    },
  };
}

function createLines(label: string, stream: NodeJS.WriteStream, format: Format): Progress {
  let last = -Infinity;
  return {
    update: (done, total, values) => {
      const now = performance.now() / 1000;
      if (done < total && now - last < LINE_EVERY) return;
      last = now;
      stream.write(
        `${label} ${format(done)}/${format(total)} ${values?.text ?? ""}${left(values)}\n`,
      );
    },
    log: (line) => {
      stream.write(`${line}\n`);
    },
    stop: () => undefined,
  };
}

/** Progress of one thing after another, a bar at a time. */
export interface ProgressSeries {
  /** The bar of `label`; one of another label ends the bar before. */
  at(label: string): Progress;
  /** The bar that is shown, if any. */
  current(): Progress | undefined;
  /** Writes a line, above the bar where there is one. */
  log(line: string): void;
  stop(): void;
}

export function createProgressSeries(): ProgressSeries {
  let shown: { readonly label: string; readonly progress: Progress } | undefined;
  return {
    at: (label) => {
      if (shown?.label !== label) {
        shown?.progress.stop();
        shown = { label, progress: createProgress(label) };
      }
      return shown.progress;
    },
    current: () => shown?.progress,
    log: (line) => {
      if (shown) shown.progress.log(line);
      else process.stderr.write(`${line}\n`);
    },
    stop: () => shown?.progress.stop(),
  };
}
