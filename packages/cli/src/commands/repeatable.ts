/** An option that may be given several times: commander hands over each value with those before it. */
export function repeatable(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
