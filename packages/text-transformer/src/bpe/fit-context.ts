/** Ids made to fit a model's context: cut or refused when too long, padded into one array for a batch. */
import { ConfigError, DataError, type TokenBatch } from "@diptych/core";

/** What happens to a text longer than the context: "cut" keeps its beginning, "error" refuses it. */
export type Truncation = "cut" | "error";

/** The context a tokenizer fills. */
export interface Context {
  /** Who complains, as `package/function`. */
  readonly origin: string;
  readonly contextLength: number;
  readonly truncate: Truncation;
  /** Id that a cut text must end with. */
  readonly end?: number;
}

/** @throws ConfigError unless `contextLength` is a whole number of at least `least` */
export function checkContextLength(origin: string, contextLength: number, least: number): void {
  if (Number.isInteger(contextLength) && contextLength >= least) return;
  throw new ConfigError(
    `${origin}: contextLength: expected a whole number of at least ${String(least)}, got ${String(contextLength)}. CLIP's is 77.`,
  );
}

/**
 * `ids`, or their beginning when there are more than the context holds (the last one then is `end`, as in open_clip).
 * @throws DataError when they do not fit and `truncate` is "error"
 */
export function fitContext(ids: number[], text: string, context: Context): number[] {
  const { contextLength, truncate, end } = context;
  if (ids.length <= contextLength) return ids;
  if (truncate === "error") throw textTooLong(ids.length, text, context);
  const cut = ids.slice(0, contextLength);
  if (end !== undefined) cut[contextLength - 1] = end;
  return cut;
}

/** What a text of more ids than the context holds is refused with. */
export function textTooLong(ids: number, text: string, context: Context): DataError {
  const beginning = JSON.stringify(text.length > 48 ? `${text.slice(0, 48)}…` : text);
  return new DataError(
    `${context.origin}: text: expected at most ${String(context.contextLength)} ids, got ${String(ids)} (text ${beginning}). Shorten it, or give the tokenizer truncate: "cut" to keep the beginning.`,
  );
}

/** Rows of ids padded to the context. */
export function padRows(
  rows: readonly (readonly number[])[],
  contextLength: number,
  pad: number,
): TokenBatch {
  const ids = new Int32Array(rows.length * contextLength).fill(pad);
  const lengths = new Int32Array(rows.length);
  rows.forEach((row, index) => {
    ids.set(row, index * contextLength);
    lengths[index] = row.length;
  });
  return { ids, lengths, batch: rows.length, contextLength };
}
