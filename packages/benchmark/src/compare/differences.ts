/** Where two plain values differ, as `path: was → is`. */
export function differences(was: unknown, is: unknown, path: string = ""): readonly string[] {
  if (isRecord(was) && isRecord(is)) {
    const keys = new Set([...Object.keys(was), ...Object.keys(is)]);
    return [...keys].flatMap((key) =>
      differences(was[key], is[key], path === "" ? key : `${path}.${key}`),
    );
  }
  const [before, after] = [JSON.stringify(was), JSON.stringify(is)];
  return before === after ? [] : [`${path}: ${shorten(before)} → ${shorten(after)}`];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function shorten(text: string | undefined): string {
  if (text === undefined) return "nothing";
  return text.length > 40 ? `${text.slice(0, 37)}…` : text;
}
