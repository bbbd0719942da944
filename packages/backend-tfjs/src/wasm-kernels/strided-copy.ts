/**
 * Copies entries between two strided views of one array: what transposes, windows, joins, padding and repetition are. Axes
 * that both views pass in one go are merged, so that most copies end in long runs or in one exchange of two axes.
 */

/** Where the entries of a view lie: at `offset` plus the sum of each index times its axis's stride. */
export interface View {
  readonly offset: number;
  readonly strides: readonly number[];
}

type Heap = Int32Array | Uint8Array;

interface Axis {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/** Runs from this length on are moved as a block: below, a call costs more than the entries. */
const BLOCK = 24;

/** Entries of a square that is exchanged at once: a line of the cache that was read is used up before it goes. */
const SQUARE = 32;

/** Copies an array of `sizes` from one view to another; they do not overlap. A stride of 0 reads an entry again. */
export function stridedCopy(
  heap: Heap,
  sizes: readonly number[],
  { from, to }: { readonly from: View; readonly to: View },
): void {
  if (sizes.includes(0)) return;
  const axes = mergedAxes(sizes, from.strides, to.strides);
  // Writes in a row, reads as near to one another as the order of axes allows.
  axes.sort((a, b) => b.to - a.to);
  const inner = axes.pop() ?? { size: 1, from: 1, to: 1 };
  const nearest = axes.reduce((best, axis) => Math.min(best, axis.from), Infinity);
  const at = inner.from === 1 ? axes.length - 1 : axes.findIndex((axis) => axis.from === nearest);
  const [middle] = at < 0 ? [{ size: 1, from: 0, to: 0 }] : axes.splice(at, 1);
  const index = axes.map(() => 0);
  let [source, target] = [from.offset, to.offset];
  for (;;) {
    copyPlane(heap, { middle: middle!, inner, source, target });
    let axis = axes.length - 1;
    for (; axis >= 0; axis--) {
      const { size, from: step, to: write } = axes[axis]!;
      source += step;
      target += write;
      if (++index[axis]! < size) break;
      index[axis] = 0;
      source -= step * size;
      target -= write * size;
    }
    if (axis < 0) return;
  }
}

/** Axes of more than one entry; neighbours that both views pass in one go are one. */
function mergedAxes(
  sizes: readonly number[],
  from: readonly number[],
  to: readonly number[],
): Axis[] {
  const axes: Axis[] = [];
  sizes.forEach((size, i) => {
    if (size === 1) return;
    const axis = { size, from: from[i]!, to: to[i]! };
    const last = axes.at(-1);
    if (last?.from === axis.from * size && last.to === axis.to * size)
      axes[axes.length - 1] = { ...axis, size: last.size * size };
    else axes.push(axis);
  });
  return axes;
}

interface Plane {
  readonly middle: Axis;
  readonly inner: Axis;
  readonly source: number;
  readonly target: number;
}

function copyPlane(heap: Heap, plane: Plane): void {
  const { middle, inner, source, target } = plane;
  const { size } = inner;
  if (inner.to !== 1 || size < BLOCK || inner.from > 1) return copySquares(heap, plane);
  for (let i = 0; i < middle.size; i++) {
    const [read, write] = [source + i * middle.from, target + i * middle.to];
    if (inner.from === 1) heap.copyWithin(write, read, read + size);
    else heap.fill(heap[read]!, write, write + size);
  }
}

function copySquares(heap: Heap, { middle, inner, source, target }: Plane): void {
  const { size: rows, from: rowFrom, to: rowTo } = middle;
  const { size: columns, from: columnFrom, to: columnTo } = inner;
  for (let row = 0; row < rows; row += SQUARE) {
    const rowEnd = Math.min(rows, row + SQUARE);
    for (let column = 0; column < columns; column += SQUARE) {
      const count = Math.min(columns - column, SQUARE);
      for (let i = row; i < rowEnd; i++) {
        let read = source + i * rowFrom + column * columnFrom;
        let write = target + i * rowTo + column * columnTo;
        for (let j = 0; j < count; j++) {
          heap[write] = heap[read]!;
          read += columnFrom;
          write += columnTo;
        }
      }
    }
  }
}
