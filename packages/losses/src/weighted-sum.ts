/** A weighted sum of losses that keeps its terms apart. */
import {
  add,
  ConfigError,
  equalShapes,
  formatShape,
  mul,
  type BuildContext,
  type InputSpec,
  type Loss,
  type LossPart,
  type Teacher,
  type Value,
} from "@diptych/core";

export interface WeightedTerm {
  readonly loss: Loss;
  /** 1 by default. */
  readonly weight?: number;
  /** Prefix of its metrics; the loss's own name by default. */
  readonly name?: string;
}

/**
 * Σ weight·loss. `parts` lists the terms, so that a trainer can compute those over the whole batch and those over
 * samples in their own ways (see core's `lossParts`). Metrics: each term's `<name>/loss`, not weighted, and
 * `<name>/<metric>`. A term's parameters are under its name, so that two terms of one type are two.
 *
 * Scores (`buildScores`): Σ weight·scores where every term of a weight other than 0 has some. A term without trains the
 * cosines, so that they are what the sum is judged by, as the contract says of a loss without scores. Teachers are those
 * of all terms.
 *
 * @throws ConfigError without terms, on two terms of one name, on a weight that is no finite number, on auxiliary inputs
 * of one name and two shapes, or on one that two teachers would feed.
 */
export function createWeightedSum(terms: readonly WeightedTerm[]): Loss {
  const parts = terms.map(({ loss, weight = 1, name = loss.name }): LossPart =>
    Object.freeze({ name, loss, weight }),
  );
  checkParts(parts);
  const teachers = mergeTeachers(parts);
  const scored = parts.filter(({ weight }) => weight !== 0);
  const hasScores = scored.length > 0 && scored.every(({ loss }) => loss.buildScores !== undefined);
  return Object.freeze({
    name: "weighted-sum",
    needs: [...new Set(parts.flatMap(({ loss }) => loss.needs))],
    auxiliary: mergeInputs(parts),
    scope: parts.some(({ loss }) => loss.scope === "batch") ? "batch" : "sample",
    parts: Object.freeze(parts),
    build: (context, inputs) => {
      const metrics: Record<string, Value> = {};
      const loss = addWeighted(parts, (part) => {
        const output = inPart(part, context, (own) => part.loss.build(own, inputs));
        metrics[`${part.name}/loss`] = output.loss;
        for (const [key, value] of Object.entries(output.metrics))
          metrics[`${part.name}/${key}`] = value;
        return output.loss;
      });
      return { loss, metrics };
    },
    ...(teachers.length > 0 ? { teachers } : {}),
    ...(hasScores ? { buildScores: scoresOf(scored) } : {}),
  } satisfies Loss);
}

/** Σ weight·scores of parts that all have scores. */
function scoresOf(parts: readonly LossPart[]): NonNullable<Loss["buildScores"]> {
  return (context, inputs) =>
    addWeighted(parts, (part) =>
      inPart(part, context, (own) => part.loss.buildScores!(own, inputs)),
    );
}

/** Builds in the scope of a part. */
function inPart<T>({ name }: LossPart, context: BuildContext, build: (own: BuildContext) => T): T {
  return context.scope.within(name, (scope) => build({ ...context, scope }));
}

function addWeighted(parts: readonly LossPart[], build: (part: LossPart) => Value): Value {
  return parts
    .map((part) => {
      const value = build(part);
      return part.weight === 1 ? value : mul(value, part.weight);
    })
    .reduce((total, term) => add(total, term));
}

function checkParts(parts: readonly LossPart[]): void {
  if (parts.length === 0) {
    throw new ConfigError(
      "losses/weighted-sum: terms: expected at least one, got none. Add { loss, weight }.",
    );
  }
  for (const [i, { name, weight }] of parts.entries()) {
    if (!Number.isFinite(weight)) {
      throw new ConfigError(
        `losses/weighted-sum: terms[${i}].weight: expected a finite number, got ${weight}.`,
      );
    }
    if (parts.findIndex((part) => part.name === name) !== i) {
      throw new ConfigError(
        `losses/weighted-sum: terms[${i}].name: expected each name once, got "${name}" twice. Give one of them a name of its own.`,
      );
    }
  }
}

/** Auxiliary inputs of all terms, each once. */
function mergeInputs(parts: readonly LossPart[]): readonly InputSpec[] {
  const merged = new Map<string, InputSpec>();
  for (const { name, loss } of parts) {
    for (const spec of loss.auxiliary) {
      const before = merged.get(spec.name) ?? spec;
      if (before.dtype !== spec.dtype || !equalShapes(before.shape, spec.shape)) {
        throw new ConfigError(
          `losses/weighted-sum: auxiliary "${spec.name}": expected one shape, got ${before.dtype}${formatShape(before.shape)} and, from ${name}, ${spec.dtype}${formatShape(spec.shape)}.`,
        );
      }
      merged.set(spec.name, before);
    }
  }
  return Object.freeze([...merged.values()]);
}

/** Teachers of all terms: of each model once, but for terms that it feeds the same under two names. */
function mergeTeachers(parts: readonly LossPart[]): readonly Teacher[] {
  const merged: Teacher[] = [];
  const feeders = new Map<string, string>();
  for (const teacher of parts.flatMap(({ loss }) => loss.teachers ?? [])) {
    for (const input of fedInputs(teacher)) {
      const feeder = feeders.get(input) ?? teacher.model;
      if (feeder !== teacher.model) {
        throw new ConfigError(
          `losses/weighted-sum: teachers: expected one to feed "${input}", got ${feeder} and ${teacher.model}. Name their inputs apart.`,
        );
      }
      feeders.set(input, feeder);
    }
    const at = merged.findIndex((known) => canJoin(known, teacher));
    if (at < 0) merged.push(teacher);
    else merged[at] = joinTeachers(merged[at]!, teacher);
  }
  return Object.freeze(merged);
}

function fedInputs({ inputs, scale }: Teacher): readonly string[] {
  return [...Object.values(inputs), ...(scale === undefined ? [] : [scale])];
}

/** Whether both are one model that has no two names for one thing. */
function canJoin(a: Teacher, b: Teacher): boolean {
  const agree = (first: string | undefined, second: string | undefined): boolean =>
    first === undefined || second === undefined || first === second;
  return (
    a.model === b.model &&
    agree(a.scale, b.scale) &&
    Object.entries(b.inputs).every(([modality, input]) => agree(a.inputs[modality], input))
  );
}

function joinTeachers(a: Teacher, b: Teacher): Teacher {
  return Object.freeze({ ...a, ...b, inputs: Object.freeze({ ...a.inputs, ...b.inputs }) });
}
