/** The definition of any op by name, primitive or composite. */
import { UnsupportedOpError } from "../errors.js";
import type { CompositeDef, OpDef } from "../graph/op-def.js";
import { COMPOSITE_DEFS, COMPOSITE_NAMES, isCompositeName } from "./composite-defs.js";
import { PRIMITIVE_DEFS } from "./primitive-defs.js";
import { isPrimitiveName, PRIMITIVE_NAMES } from "./primitive-table.js";

/** Every op's name: primitives first. */
export const OP_NAMES: readonly string[] = Object.freeze([...PRIMITIVE_NAMES, ...COMPOSITE_NAMES]);

/** The definition of `name`. @throws UnsupportedOpError naming the nearest known op. */
export function opDef(name: string): OpDef {
  // A node's attributes were checked by its builder, so the definition may read them as its own.
  if (isPrimitiveName(name)) return PRIMITIVE_DEFS[name] as unknown as OpDef;
  const composite = compositeDef(name);
  if (composite) return composite;
  throw new UnsupportedOpError(
    `core/opDef: op: expected a primitive or composite, got "${name}". Did you mean "${nearestName(name, OP_NAMES)}"?`,
  );
}

/** The definition of a composite, undefined for any other name. */
export function compositeDef(name: string): CompositeDef | undefined {
  return isCompositeName(name) ? (COMPOSITE_DEFS[name] as unknown as CompositeDef) : undefined;
}

function nearestName(name: string, known: readonly string[]): string {
  const scored = known.map((candidate) => ({ candidate, distance: editDistance(name, candidate) }));
  return scored.reduce((best, next) => (next.distance < best.distance ? next : best)).candidate;
}

/** Levenshtein's distance, without regard to case. */
function editDistance(a: string, b: string): number {
  const [left, right] = [a.toLowerCase(), b.toLowerCase()];
  let row = Array.from({ length: right.length + 1 }, (_, j) => j);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const swap = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[right.length]!;
}
