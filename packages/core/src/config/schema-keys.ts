/** The keys that a schema knows at a path, so that an unknown key can be answered with the nearest known one. */
import { z } from "zod";

/** Strips optional, default, prefault, transform and refinement wrappers. */
function inner(schema: unknown): unknown {
  let current = schema;
  for (;;) {
    if (current instanceof z.ZodPipe) current = current.in;
    else if (
      current instanceof z.ZodOptional ||
      current instanceof z.ZodNullable ||
      current instanceof z.ZodDefault ||
      current instanceof z.ZodPrefault ||
      current instanceof z.ZodReadonly
    ) {
      current = current.unwrap();
    } else return current;
  }
}

/** Known keys of the object that `path` leads to. */
export function knownKeysAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  let current = inner(schema);
  for (const key of path) {
    if (current instanceof z.ZodObject) current = inner(current.shape[String(key)]);
    else if (current instanceof z.ZodArray) current = inner(current.element);
    else if (current instanceof z.ZodRecord) current = inner(current.valueType);
    else return [];
  }
  if (current instanceof z.ZodObject) return Object.keys(current.shape);
  if (current instanceof z.ZodUnion || current instanceof z.ZodDiscriminatedUnion) {
    return [...new Set(current.options.flatMap((option) => knownKeysAt(option, [])))];
  }
  return [];
}
