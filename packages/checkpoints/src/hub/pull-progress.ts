/** How far a pull is: bytes of all files together. */

export interface PullProgress {
  /** Bytes that are here by now, those of an earlier time included. */
  readonly bytes: number;
  /** Bytes of all files; undefined while a server has not said. */
  readonly total: number | undefined;
  /** File that the last bytes are of, and how many of it are here. */
  readonly file: string;
  readonly fileBytes: number;
}

/** Takes the bytes of one file. */
export type PullMeter = (file: string, bytes: number, total: number | undefined) => void;

export function createPullMeter(
  files: readonly { readonly name: string; readonly expected: { readonly size?: number } }[],
  onProgress: ((progress: PullProgress) => void) | undefined,
): PullMeter {
  const totals = new Map(files.map(({ name, expected }) => [name, expected.size]));
  const here = new Map<string, number>();
  return (file, bytes, total) => {
    here.set(file, bytes);
    if (total !== undefined) totals.set(file, total);
    onProgress?.({
      bytes: sum([...here.values()]),
      total: sumOfAll([...totals.values()]),
      file,
      fileBytes: bytes,
    });
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function sumOfAll(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((n) => n !== undefined);
  return known.length === numbers.length ? sum(known) : undefined;
}
