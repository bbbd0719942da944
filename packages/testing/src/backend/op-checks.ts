/** Every case of every op, forward and gradient, against the reference, in each dtype that a backend claims. */
import { isFloat, type Backend, type DType } from "@diptych/core";
import {
  buildCase,
  caseFeeds,
  caseGraph,
  evaluateGraph,
  OP_CASES,
  toHostTensor,
  type OpCase,
} from "@diptych/core/reference";
import type { ContractCheck } from "../contract-check.js";
import { expectClose } from "../matchers.js";
import { caseTolerance } from "../tolerances.js";
import { holding } from "./held.js";

/** What the checks of a backend are given. */
export interface BackendSubject {
  readonly backend: Backend;
  readonly tolerances: Readonly<Record<DType, number>>;
}

/** Checks of all ops in one float dtype; cases without floats belong to float32. */
export function opChecks(dtype: DType, large = true): readonly ContractCheck<BackendSubject>[] {
  const chosen = OP_CASES.filter((opCase) => runsIn(opCase, dtype) && (large || !opCase.large));
  return chosen.map((opCase) => ({
    name: `${opCase.op}: ${opCase.name} (${dtype})`,
    run: ({ backend, tolerances }) => checkCase(opCase, dtype, { backend, tolerances }),
  }));
}

/** Large cases are about loops and threads, which do not depend on the dtype: float32 is enough. */
function runsIn(opCase: OpCase, dtype: DType): boolean {
  if (!isFloat(dtype) || !opCase.dtypes.includes(dtype)) return false;
  if (dtype === "float32") return true;
  return !opCase.large && opCase.inputs.some((input) => input.dtype === "float");
}

/** Compiles a case once and runs it under each of its bindings. */
export async function checkCase(
  opCase: OpCase,
  dtype: DType,
  { backend, tolerances }: BackendSubject,
): Promise<void> {
  const built = buildCase(opCase, dtype);
  const graph = caseGraph(opCase, built);
  await holding(backend, async (held) => {
    const executable = await held.compile(graph);
    for (const binding of opCase.bindings) {
      const feeds = caseFeeds(opCase, built, binding);
      const results = await held.results(executable, feeds);
      for (const [name, reference] of Object.entries(evaluateGraph(graph, feeds))) {
        // Rounded to the dtype, so that what overflows there is an infinity on both sides.
        expectClose(results[name]!, toHostTensor(reference), {
          ...caseTolerance(opCase, { dtype, result: reference.dtype }, tolerances),
          what: `${name} under ${JSON.stringify(binding)}`,
        });
      }
    }
  });
}
