/** Laying a partial configuration over another: `--tiny`, and `--set path=value`. */
import { ConfigError } from "../errors.js";

type Plain = Readonly<Record<string, unknown>>;

function isPlain(value: unknown): value is Plain {
  return (
    typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

/** `over` laid over `base`: objects are merged key by key (a part of another `type` replaces it), everything else replaces. */
export function overlay(base: unknown, over: unknown): unknown {
  if (!isPlain(base) || !isPlain(over)) return over;
  const otherPart = over["type"] !== undefined && over["type"] !== base["type"];
  if (otherPart) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over))
    merged[key] = key in base ? overlay(base[key], value) : value;
  return merged;
}

/**
 * A partial configuration from `path=value` as typed on a command line; the value is JSON where it parses,
 * `undefined` (which unsets what the file says), else text.
 *
 * @throws ConfigError when there is no `=` or no path.
 */
export function parseAssignment(text: string): Plain {
  const at = text.indexOf("=");
  const path = text.slice(0, at).trim();
  if (at < 1 || path === "") {
    throw new ConfigError(
      `core/parseAssignment: --set: expected path=value, got "${text}". For example --set training.steps=100.`,
    );
  }
  const raw = text.slice(at + 1);
  let value: unknown = raw;
  try {
    value = JSON.parse(raw);
  } catch {
    // Not JSON: a number as people write it (.5), nothing, or the text itself.
    if (raw === "undefined") value = undefined;
    else if (/^[+-]?\.\d+(e[+-]?\d+)?$/i.test(raw)) value = Number(raw);
  }
  return path
    .split(".")
    .reverse()
    .reduce<unknown>((inside, key) => ({ [key]: inside }), value) as Plain;
}
