/** Name → derivative of every primitive; exhaustive by type, "no derivative" included. */
import type { PrimitiveName } from "../ops/primitive-table.js";
import type { Rule } from "./rule.js";
import { contractionRules } from "./rules/contraction.js";
import { arithmeticRules, choiceRules } from "./rules/elementwise.js";
import { indexingRules } from "./rules/indexing.js";
import { layoutRules } from "./rules/layout.js";
import { leafRules } from "./rules/leaves.js";
import { reductionRules } from "./rules/reduction.js";

export const GRADIENT_RULES = Object.freeze({
  ...leafRules,
  ...arithmeticRules,
  ...choiceRules,
  ...reductionRules,
  ...layoutRules,
  ...indexingRules,
  ...contractionRules,
} satisfies { readonly [Name in PrimitiveName]: Rule<Name> });

/** The rule of a primitive, its attributes taken as the node has them. */
export function gradientRule(name: PrimitiveName): Rule<PrimitiveName> {
  return GRADIENT_RULES[name] as Rule<PrimitiveName>;
}
