/** The definition of any op by name, primitive or composite. */
import { UnsupportedOpError } from "../errors.js";
import type { CompositeDef, OpDef } from "../graph/op-def.js";
import { suggestName } from "../plugin/nearest-name.js";
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
    `core/opDef: op: expected a primitive or composite, got "${name}". ${suggestName(name, OP_NAMES)}`,
  );
}

/** The definition of a composite, undefined for any other name. */
export function compositeDef(name: string): CompositeDef | undefined {
  return isCompositeName(name) ? (COMPOSITE_DEFS[name] as unknown as CompositeDef) : undefined;
}
