/** Numbers as a report prints them, the same in HTML and Markdown. */
import type { Interval } from "../comparison.js";

/** A dash for what is not there. */
export const NOTHING = "–";

/** Whether values are shares, to be shown as percentages: all of them between −1 and 1. */
export function areShares(values: readonly number[]): boolean {
  const finite = values.filter((value) => Number.isFinite(value));
  return finite.length > 0 && finite.every((value) => Math.abs(value) <= 1);
}

/** `63.2 %`, or four digits of what is no share. */
export function formatMetric(value: number | undefined, share: boolean): string {
  if (value === undefined || !Number.isFinite(value)) return NOTHING;
  return share ? `${(100 * value).toFixed(1)} %` : digits(value);
}

/** `+1.3` points, with a true minus. */
export function formatDifference(value: number, share: boolean): string {
  if (!Number.isFinite(value)) return NOTHING;
  const text = share ? Math.abs(100 * value).toFixed(1) : digits(Math.abs(value));
  return `${value < 0 ? "−" : "+"}${text}`;
}

/** `60.1 to 64.0`, in percent or as they are; signed where they are of a difference. */
export function formatInterval(interval: Interval | null, share: boolean, signed = false): string {
  if (interval === null) return "no interval";
  const { low, high } = interval;
  if (!Number.isFinite(low) || !Number.isFinite(high)) return NOTHING;
  const one = (value: number): string =>
    signed
      ? formatDifference(value, share)
      : share
        ? (100 * value).toFixed(1)
        : digits(value).replace("-", "−");
  return `${one(low)} to ${one(high)}`;
}

export function formatProbability(p: number | null): string {
  if (p === null || !Number.isFinite(p)) return NOTHING;
  if (p < 0.001) return "< 0.001";
  return p.toFixed(p < 0.1 ? 3 : 2);
}

/** `1,234,567`; large ones of which only the size matters are `12.8 M`. */
export function formatCount(value: number): string {
  const steps = [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
  ] as const;
  const [size, unit] = steps.find(([least]) => value >= least) ?? [1, ""];
  return unit === ""
    ? Math.round(value).toLocaleString("en")
    : `${digits(value / size, 3)} ${unit}`;
}

/** `310 TFLOP`. */
export function formatFlops(value: number): string {
  const units = ["", "k", "M", "G", "T", "P", "E", "Z"];
  const at = Math.min(
    units.length - 1,
    Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)),
  );
  return `${digits(value / 1000 ** at, 3)} ${units[at] ?? ""}FLOP`;
}

function digits(value: number, count = 4): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-3) return value.toExponential(2);
  return size >= 10 ** count ? value.toFixed(0) : String(Number(value.toPrecision(count)));
}

/** The first eight of a hash's characters. */
export function shortHash(hash: string | null): string {
  return hash === null ? "unknown" : hash.slice(0, 8);
}
