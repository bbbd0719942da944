/** Which parameters a value depends on. */
import type { Value } from "@diptych/core";
import { nodesInOrder } from "@diptych/core/backend";

/** Names of those of `parameters` that `value` is computed from. */
export function reachedParameters(
  value: Value,
  parameters: ReadonlyMap<string, Value>,
): ReadonlySet<string> {
  const nodes = new Set(nodesInOrder([value]));
  return new Set([...parameters].filter(([, { node }]) => nodes.has(node)).map(([name]) => name));
}
