/** Weights in 8 bits: one scale per output channel, symmetric about 0. */

/** Largest code: all of int8 but −128; or half of it, for processors whose 8-bit products saturate. */
export const WIDE_LEVELS = 127;
export const REDUCED_LEVELS = 63;

export interface QuantizedMatrix {
  /** [rows, columns] */
  readonly codes: Int8Array;
  /** [columns] */
  readonly scales: Float32Array;
}

export interface MatrixLayout {
  readonly rows: number;
  readonly columns: number;
  /** Whether `values` are [columns, rows]. */
  readonly transposed: boolean;
}

/**
 * w[k, n] ≈ scales[n]·codes[k, n] with scales[n] = maxₖ |w[k, n]| / levels: rounded to nearest, no zero point.
 * (Krishnamoorthi 2018, arXiv:1806.08342, section 2.2.) A column of zeros has scale 1.
 */
export function quantizeColumns(
  values: Float32Array,
  { rows, columns, transposed }: MatrixLayout,
  levels: number,
): QuantizedMatrix {
  const [rowStep, columnStep] = transposed ? [1, rows] : [columns, 1];
  const scales = new Float32Array(columns);
  const codes = new Int8Array(rows * columns);
  for (let n = 0; n < columns; n++) {
    let largest = 0;
    for (let k = 0; k < rows; k++) {
      const size = Math.abs(values[k * rowStep + n * columnStep]!);
      if (size > largest) largest = size;
    }
    const scale = largest === 0 ? 1 : largest / levels;
    scales[n] = scale;
    for (let k = 0; k < rows; k++)
      codes[k * columns + n] = Math.round(values[k * rowStep + n * columnStep]! / scale);
  }
  return { codes, scales };
}

export interface QuantizedRows {
  /** The shape of the table. */
  readonly codes: Int8Array;
  /** [rows, 1] */
  readonly scales: Float32Array;
}

/** A table with one scale per row. */
export function quantizeRows(values: Float32Array, rows: number): QuantizedRows {
  const width = values.length / rows;
  const scales = new Float32Array(rows);
  const codes = new Int8Array(values.length);
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let i = row * width; i < (row + 1) * width; i++)
      largest = Math.max(largest, Math.abs(values[i]!));
    const scale = largest === 0 ? 1 : largest / WIDE_LEVELS;
    scales[row] = scale;
    for (let i = row * width; i < (row + 1) * width; i++) codes[i] = Math.round(values[i]! / scale);
  }
  return { codes, scales };
}
