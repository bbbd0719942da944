/** Where two pieces of plain data differ, by path, and how a reader is told of a value. */

export interface PlainDifference {
  /** e.g. `dataset.classes`; empty where the wholes differ. */
  readonly path: string;
  readonly a: unknown;
  readonly b: unknown;
}

/** Longest value shown in a sentence. */
const SHOWN = 60;

export interface PlainDifferencesOptions {
  /** Of what is compared. */
  readonly path?: string;
  /** Whether lists that differ are told item by item (`axes.1`); as wholes by default. */
  readonly items?: boolean;
}

/** Every leaf that differs, in the order of `a`'s keys and then of `b`'s. */
export function plainDifferences(
  a: unknown,
  b: unknown,
  { path = "", items = false }: PlainDifferencesOptions = {},
): readonly PlainDifference[] {
  const isEntered = (value: unknown): value is Readonly<Record<string, unknown>> =>
    isRecord(value) || (items && Array.isArray(value));
  if (isEntered(a) && isEntered(b)) {
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    return keys.flatMap((key) =>
      plainDifferences(a[key], b[key], { path: path === "" ? key : `${path}.${key}`, items }),
    );
  }
  return canonical(a) === canonical(b) ? [] : [{ path, a, b }];
}

/** A value as a sentence shows it: JSON, cut where it is long. */
export function plainText(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}… (${text.length} characters)`;
}

/** JSON with keys in one order, so that equal data is equal text. */
function canonical(value: unknown): string {
  if (value === undefined) return "nothing";
  return JSON.stringify(value, (_, inner: unknown) =>
    isRecord(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1)))
      : inner,
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
