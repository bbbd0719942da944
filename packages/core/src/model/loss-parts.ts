/** A weighted sum seen as its terms: GradCache builds those over the whole batch and those over samples apart. */
import type { Loss, LossPart } from "../contracts/loss.js";

/** The terms of a loss with their weights: sums are opened, however deep; any other loss is its own only term. */
export function lossParts(loss: Loss): readonly LossPart[] {
  if (!loss.parts) return [{ name: loss.name, loss, weight: 1 }];
  return loss.parts.flatMap((part) => {
    const inner = lossParts(part.loss);
    if (!part.loss.parts) return [part];
    return inner.map(({ name, loss: term, weight }) => ({
      name: `${part.name}/${name}`,
      loss: term,
      weight: weight * part.weight,
    }));
  });
}

/** The terms of one scope. */
export function partsOfScope(loss: Loss, scope: Loss["scope"]): readonly LossPart[] {
  return lossParts(loss).filter((part) => part.loss.scope === scope);
}
