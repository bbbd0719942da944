/** The cases of every op, primitives and composites, in one table that is exhaustive by type. */
import type { CompositeName } from "../ops/composite-table.js";
import type { PrimitiveName } from "../ops/primitive-table.js";
import { attentionCases } from "./op-cases/attention.js";
import { compositeCases } from "./op-cases/composites.js";
import { contractionCases } from "./op-cases/contraction.js";
import { elementwiseCases } from "./op-cases/elementwise.js";
import { extremeCases } from "./op-cases/extremes.js";
import { indexingCases } from "./op-cases/indexing.js";
import { kinkCases } from "./op-cases/kinks.js";
import { layoutCases } from "./op-cases/layout.js";
import { leafCases } from "./op-cases/leaves.js";
import type { OpCase } from "./op-cases/op-case.js";
import { reductionCases } from "./op-cases/reduction.js";

const REGULAR_CASES = {
  ...leafCases,
  ...elementwiseCases,
  ...reductionCases,
  ...layoutCases,
  ...indexingCases,
  ...contractionCases,
  ...compositeCases,
  attention: attentionCases,
} satisfies Record<PrimitiveName | CompositeName, readonly OpCase[]>;

/** Every case: the regular ones of each op, then kinks, then extremes. */
export const OP_CASES: readonly OpCase[] = Object.freeze([
  ...Object.values(REGULAR_CASES).flat(),
  ...kinkCases,
  ...extremeCases,
]);

/** The cases of one op; none for a name that is no op. */
export function opCasesOf(op: string): readonly OpCase[] {
  return OP_CASES.filter((opCase) => opCase.op === op);
}
