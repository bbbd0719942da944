/** A weighted sum of losses that keeps its terms apart. */
import {
  add,
  ConfigError,
  equalShapes,
  formatShape,
  mul,
  type InputSpec,
  type Loss,
  type LossPart,
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
 * samples in their own ways (see core's `lossParts`). Metrics: each term's `<name>/loss` and `<name>/<metric>`.
 *
 * @throws ConfigError without terms, on two terms of one name, on a weight that is no finite number, or on auxiliary
 * inputs of one name and two shapes.
 */
export function createWeightedSum(terms: readonly WeightedTerm[]): Loss {
  const parts = terms.map(({ loss, weight = 1, name = loss.name }): LossPart =>
    Object.freeze({ name, loss, weight }),
  );
  checkParts(parts);
  return Object.freeze({
    name: "weighted-sum",
    needs: [...new Set(parts.flatMap(({ loss }) => loss.needs))],
    auxiliary: mergeInputs(parts),
    scope: parts.some(({ loss }) => loss.scope === "batch") ? "batch" : "sample",
    parts: Object.freeze(parts),
    build: (context, inputs) => {
      const metrics: Record<string, Value> = {};
      const weighted = parts.map(({ name, loss, weight }) => {
        const output = context.scope.within(name, (scope) =>
          loss.build({ ...context, scope }, inputs),
        );
        metrics[`${name}/loss`] = output.loss;
        for (const [key, value] of Object.entries(output.metrics))
          metrics[`${name}/${key}`] = value;
        return weight === 1 ? output.loss : mul(output.loss, weight);
      });
      return { loss: weighted.reduce((total, term) => add(total, term)), metrics };
    },
  } satisfies Loss);
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
