/** A checkpoint under other names: tensors copied, transposed or stacked from those of another reader, when asked for. */
import {
  CheckpointError,
  createHostArray,
  createHostTensor,
  type CheckpointReader,
  type HostTensor,
  type TensorEntry,
} from "@diptych/core";

/** How a tensor comes from stored ones: as it is, with its two axes exchanged, or several one above another. */
export interface Derivation {
  readonly how: "copy" | "transpose" | "stack" | "flatten";
  readonly from: readonly string[];
}

/** The reader of `derivations` by their new names; closing it closes `reader`. */
export function deriveReader(
  reader: CheckpointReader,
  derivations: ReadonlyMap<string, Derivation>,
  metadata: Readonly<Record<string, unknown>>,
): CheckpointReader {
  const stored = new Map(reader.entries.map((entry) => [entry.name, entry]));
  return Object.freeze({
    path: reader.path,
    entries: Object.freeze(
      [...derivations].map(([name, derivation]) => derivedEntry(name, derivation, stored)),
    ),
    metadata: Object.freeze(metadata),
    read: async (name: string): Promise<HostTensor> => {
      const derivation = derivations.get(name);
      if (!derivation) {
        throw new CheckpointError(
          `checkpoints/read: ${reader.path}: expected a tensor "${name}", got none among its ${derivations.size}.`,
        );
      }
      const parts: HostTensor[] = [];
      for (const from of derivation.from) parts.push(await reader.read(from));
      return derive(derivation, parts);
    },
    close: () => reader.close(),
  });
}

function derivedEntry(
  name: string,
  { how, from }: Derivation,
  stored: ReadonlyMap<string, TensorEntry>,
): TensorEntry {
  const { shape, dtype } = stored.get(from[0] ?? "")!;
  return Object.freeze({
    name,
    dtype,
    shape: Object.freeze(derivedShape(how, shape, from.length)),
  });
}

function derivedShape(
  how: Derivation["how"],
  shape: readonly number[],
  parts: number,
): readonly number[] {
  if (how === "copy") return [...shape];
  if (how === "transpose") return [...shape].reverse();
  if (how === "flatten") return [shape.reduce((product, size) => product * size, 1)];
  return [(shape[0] ?? 1) * parts, ...shape.slice(1)];
}

function derive({ how, from }: Derivation, parts: readonly HostTensor[]): HostTensor {
  const first = parts[0]!;
  if (how === "copy") return first;
  const shape = derivedShape(how, first.shape, from.length);
  if (how === "flatten") return createHostTensor(first.dtype, shape, first.data);
  if (how === "transpose") return transposeMatrix(first);
  const data = createHostArray(first.dtype, first.data.length * parts.length);
  for (const [i, part] of parts.entries()) data.set(part.data, i * first.data.length);
  return createHostTensor(first.dtype, shape, data);
}

/** The transpose of a matrix. */
export function transposeMatrix<T extends HostTensor>(matrix: T): T {
  const [rows = 1, columns = 1] = matrix.shape;
  const data = createHostArray(matrix.dtype, matrix.data.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      data[column * rows + row] = matrix.data[row * columns + column]!;
  return createHostTensor(matrix.dtype, [columns, rows], data) as T;
}
