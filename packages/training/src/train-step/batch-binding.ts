/** What the symbols of a model's inputs stand for in a batch. */
import { isSymbolic, shapeOf, ShapeError, type BuiltLoss, type DimBinding } from "@diptych/core";

/**
 * Sizes of symbols, from the shapes of one batch: `{ imageBatch: 64, textBatch: 64, textTokens: 77 }`.
 *
 * @throws ShapeError where one symbol would stand for two sizes, or a shape has another number of axes.
 */
export function batchBinding(
  built: BuiltLoss,
  feeds: Readonly<Record<string, { readonly shape: readonly number[] }>>,
): DimBinding {
  const binding: Record<string, number> = {};
  for (const [name, value] of Object.entries({ ...built.model.inputs, ...built.auxiliary })) {
    const shape = feeds[name]?.shape;
    if (!shape) continue;
    const dims = shapeOf(value);
    if (dims.length !== shape.length) {
      throw new ShapeError(
        `training/batchBinding: ${name}: expected ${dims.length} axes, got [${shape.join(", ")}]. Let the loader give what the model reads.`,
      );
    }
    dims.forEach((dim, axis) => {
      const size = shape[axis] ?? 0;
      // Only plain symbols are solved for; polynomials over them follow.
      if (!isSymbolic(dim) || dim.terms.length !== 1 || dim.key !== dim.terms[0]?.symbols[0])
        return;
      const before = binding[dim.key];
      if (before !== undefined && before !== size) {
        throw new ShapeError(
          `training/batchBinding: ${name}: expected ${dim.key} to be ${before} as before, got ${size}. Give every input the same ${dim.key}.`,
        );
      }
      binding[dim.key] = size;
    });
  }
  return binding;
}
