/** Batches at the edge of what a loss must bear. */
import { hostTensorFrom, type HostTensor } from "@diptych/core";
import { EMBED_DIM, type BuiltOnce, type Feeds } from "./built-loss.js";

/** Log of a scale that makes similarities of 1 logits of 10,000. */
const LARGE = Math.log(1e4);

/** Feeds by what is extreme in them, made of ordinary ones. */
export function extremeFeeds(
  { fed }: Pick<BuiltOnce, "fed">,
  plain: Feeds,
): Readonly<Record<string, Feeds>> {
  const dtypes = new Map(fed.map(({ name, dtype }) => [name, dtype] as const));
  const changed = (matching: RegExp, value: (i: number, name: string) => number): Feeds => {
    const change = (name: string, { shape, data }: HostTensor): HostTensor =>
      hostTensorFrom(
        dtypes.get(name) ?? "float32",
        shape,
        Array.from(data, (_, i) => value(i, name)),
      );
    const entries = Object.entries(plain).map(([name, tensor]) => [
      name,
      dtypes.has(name) && matching.test(name) ? change(name, tensor) : tensor,
    ]);
    return Object.fromEntries(entries) as Feeds;
  };
  const scaled = (feeds: Feeds, log: number): Feeds => ({
    ...feeds,
    logitScale: hostTensorFrom("float32", [], [log]),
  });
  const same = changed(/^features/, () => 1);
  const opposite = changed(/^features/, (i) => (Math.floor(i / EMBED_DIM) % 2 === 0 ? 1 : -1));
  // The first modality's numbers are its own: nothing is shared with another.
  const [first = ""] = [...dtypes.keys()].filter((name) => NUMBERS.test(name));
  const modality = first.replace(NUMBERS, "");
  return {
    "ordinary features": plain,
    "features of zero": changed(/^features/, () => 0),
    "equal features": same,
    "opposite features": opposite,
    "one concept": changed(/Sample$/, () => 0),
    "rows of one sample": changed(NUMBERS, () => 0),
    "nothing in common": changed(NUMBERS, (i, name) => (name.startsWith(modality) ? i : 100 + i)),
    "a scale of 100": scaled(plain, Math.log(100)),
    "logits up to 10,000": scaled(plain, LARGE),
    "logits of 10,000 alike": scaled(same, LARGE),
    "logits of ±10,000": scaled(opposite, LARGE),
  };
}

/** Auxiliary inputs that number concepts and samples. */
const NUMBERS = /(Sample|Item)$/;
