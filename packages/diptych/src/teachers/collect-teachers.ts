/** Which models a loss is taught by, and which of its inputs each of them feeds. */
import { ConfigError, lossParts, type Loss } from "@diptych/core";

/** One teacher of a loss, all of its terms together. */
export interface WantedTeacher {
  /** Path or name, as the loss says it. */
  readonly model: string;
  /** Auxiliary inputs and the modality whose features each is fed. */
  readonly features: ReadonlyMap<string, string>;
  /** Auxiliary inputs that its scale is fed as. */
  readonly scales: ReadonlySet<string>;
}

/**
 * The teachers of a loss and of the terms of its sums, each once.
 *
 * @throws ConfigError where two teachers, or two modalities of one, would be fed as the same input.
 */
export function collectTeachers(loss: Loss): readonly WantedTeacher[] {
  const losses = [loss, ...lossParts(loss).map((part) => part.loss)];
  const found = new Map<string, { features: Map<string, string>; scales: Set<string> }>();
  const fed = new Map<string, string>();
  const claim = (input: string, by: string): void => {
    const before = fed.get(input) ?? by;
    if (before !== by) {
      throw new ConfigError(
        `diptych/teachers: input "${input}": expected one teacher to feed it, got ${before} and ${by}. Give the losses inputs of their own names.`,
      );
    }
    fed.set(input, by);
  };
  for (const { model, inputs, scale } of losses.flatMap(({ teachers }) => teachers ?? [])) {
    const one = found.get(model) ?? { features: new Map(), scales: new Set() };
    found.set(model, one);
    for (const [modality, input] of Object.entries(inputs)) {
      claim(input, `${modality} of ${model}`);
      one.features.set(input, modality);
    }
    if (scale !== undefined) {
      claim(scale, `the scale of ${model}`);
      one.scales.add(scale);
    }
  }
  return [...found].map(([model, one]) => Object.freeze({ model, ...one }));
}
