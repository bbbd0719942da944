/** Which of the classes each sample has, from its labels. */
import { ConfigError, DataError, type Sample } from "@diptych/core";

export type LabelledSample = Pick<Sample, "id" | "labels">;

export interface TargetOptions {
  /** Name of the dataset, for errors. */
  readonly dataset: string;
  /** Key of the label that holds the class. */
  readonly label: string;
  /**
   * `name`: a class name; `index`: its position from 0; `sorted`: another name, the n-th of all in sorted order standing
   * for the n-th class (folders named by WordNet ids).
   */
  readonly labelIs: "name" | "index" | "sorted";
  readonly multiLabel: boolean;
  /** By default the names that occur, sorted. */
  readonly classNames?: readonly string[] | undefined;
}

export interface ClassTargets {
  readonly classNames: readonly string[];
  /** Of each sample: one class, or any number of them where samples have several. */
  readonly targets: readonly (readonly number[])[];
}

/** @throws DataError on samples without the label, and on labels that are none of the classes. */
export function resolveTargets(
  samples: readonly LabelledSample[],
  options: TargetOptions,
): ClassTargets {
  const labels = samples.map((sample) => labelsOf(sample, options));
  const classNames = options.classNames ?? namesThatOccur(labels, options);
  const positionOf = createPositions(labels, classNames, options);
  const targets = labels.map((all, i) => {
    const positions = all.map((label) => positionOf(label, samples[i]?.id ?? ""));
    return [...new Set(positions)];
  });
  return Object.freeze({ classNames, targets });
}

function labelsOf(
  { id, labels }: LabelledSample,
  { dataset, label, multiLabel }: TargetOptions,
): readonly string[] {
  const value = labels?.[label];
  if (value === undefined) {
    throw new DataError(
      `zeroshot/classification: sample ${id} of ${dataset}: expected a label "${label}", got ${Object.keys(labels ?? {}).join(", ") || "none"}. Set the evaluator's label.`,
    );
  }
  if (typeof value === "string") return [value];
  if (multiLabel) return value;
  throw new DataError(
    `zeroshot/classification: sample ${id} of ${dataset}: label "${label}": expected one class, got a list of ${value.length}. Set multiLabel: true.`,
  );
}

function namesThatOccur(
  labels: readonly (readonly string[])[],
  { labelIs, dataset }: TargetOptions,
): readonly string[] {
  if (labelIs !== "name") {
    throw new ConfigError(
      `zeroshot/classification: classNames: expected a list where labelIs is "${labelIs}", got none. Give classNames in the order of the classes.`,
    );
  }
  const names = [...new Set(labels.flat())].sort();
  if (names.length > 0) return names;
  throw new DataError(
    `zeroshot/classification: ${dataset}: expected at least one class, got samples without any. Give classNames.`,
  );
}

type PositionOf = (label: string, sample: string) => number;

function createPositions(
  labels: readonly (readonly string[])[],
  classNames: readonly string[],
  { labelIs, dataset }: TargetOptions,
): PositionOf {
  const last = classNames.length - 1;
  if (labelIs === "index") {
    return (label, sample) => {
      const position = /^\d+$/.test(label) ? Number(label) : -1;
      if (position >= 0 && position <= last) return position;
      throw new DataError(
        `zeroshot/classification: sample ${sample} of ${dataset}: expected a class from 0 to ${last}, got "${label}". Give all ${label === String(last + 1) ? last + 2 : "its"} classNames, or set labelIs: "name".`,
      );
    };
  }
  const names = labelIs === "sorted" ? [...new Set(labels.flat())].sort() : classNames;
  if (labelIs === "sorted" && names.length !== classNames.length) {
    throw new DataError(
      `zeroshot/classification: ${dataset}: expected ${classNames.length} different labels, one of each class name in sorted order, got ${names.length}. Classes without pictures leave a gap that sorting cannot see: set labelIs: "index" or "name".`,
    );
  }
  const positions = new Map<string, number>();
  names.forEach((name, i) => {
    if (!positions.has(name)) positions.set(name, i);
  });
  return (label, sample) => {
    const position = positions.get(label);
    if (position !== undefined) return position;
    throw new DataError(
      `zeroshot/classification: sample ${sample} of ${dataset}: class "${label}": expected it among the ${classNames.length} classNames (${classNames.slice(0, 3).join(", ")}, …), got none like it. Add it, or set labelIs: "index" or "sorted" where labels are no class names.`,
    );
  };
}
