/** What a suite calls its models: short, and each another. */
import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";

/** A model as the user wrote it, and the name of its configuration, or the same again where it has none. */
export interface NamedModel {
  readonly source: string;
  readonly name: string;
}

/**
 * The names of the configurations where each is another's; else, where all are folders or files, what is not the same in
 * all their paths (`a-seed0` and `a-seed1` of `runs/a-seed0/model` and `runs/a-seed1/model`); else what the user wrote.
 */
export function modelLabels(models: readonly NamedModel[]): readonly string[] {
  const isThere = ({ source }: NamedModel): boolean => existsSync(source);
  // Names of public models stay whole.
  const short = models.map((model) =>
    model.name === model.source && isThere(model) ? basename(resolve(model.source)) : model.name,
  );
  if (areDistinct(short)) return short;
  const sources = models.map(({ source }) => source);
  const parts = models.every(isThere) ? differingParts(sources) : sources;
  return areDistinct(parts) ? parts : sources;
}

function areDistinct(labels: readonly string[]): boolean {
  return new Set(labels).size === labels.length;
}

/** Paths without the folders that begin all of them and those that end all of them. */
function differingParts(paths: readonly string[]): readonly string[] {
  const split = paths.map((path) => resolve(path).split(/[\\/]/));
  const [first = []] = split;
  const least = Math.min(...split.map(({ length }) => length));
  const agree = (at: number): boolean => split.every((parts) => parts.at(at) === first.at(at));
  let start = 0;
  while (start < least - 1 && agree(start)) start++;
  let end = 0;
  while (end < least - 1 - start && agree(-1 - end)) end++;
  return split.map((parts) => parts.slice(start, parts.length - end).join("/"));
}
