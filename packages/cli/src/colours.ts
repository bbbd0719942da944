/** Colours on a terminal that has and wants them: none where output is no terminal or NO_COLOR is set. */

export interface Colours {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly soft: (text: string) => string;
  readonly strong: (text: string) => string;
}

/** https://no-color.org: any value that is not empty; FORCE_COLOR asks for colours where output is no terminal. */
export function createColours(
  stream: { readonly isTTY?: boolean } = process.stdout,
  env: NodeJS.ProcessEnv = process.env,
): Colours {
  const forced = env["FORCE_COLOR"] !== undefined && env["FORCE_COLOR"] !== "0";
  const wanted = !env["NO_COLOR"] && env["TERM"] !== "dumb" && (stream.isTTY === true || forced);
  const paint =
    (open: number, close: number) =>
    (text: string): string =>
      wanted ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return { good: paint(32, 39), bad: paint(31, 39), soft: paint(2, 22), strong: paint(1, 22) };
}
