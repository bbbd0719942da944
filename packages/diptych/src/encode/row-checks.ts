/** Rows given as one array. */
import { ShapeError } from "@diptych/core";

/** Values of one row. @throws ShapeError where `length` is no multiple of it. */
export function checkRows(what: string, length: number, shape: readonly number[]): number {
  const each = shape.reduce((product, size) => product * size, 1);
  if (length % each === 0) return each;
  throw new ShapeError(
    `diptych/${what}: values: expected a multiple of ${each} ([n, ${shape.join(", ")}]), got ${length}. Give whole rows.`,
  );
}
