/** Positions added to tokens: a learned table, or fixed sines and cosines over a grid. */
import {
  add,
  checkShapes,
  fixedValues,
  ShapeError,
  slice,
  type BuildContext,
  type Initializer,
  type Value,
} from "@diptych/core";
import { lastSize } from "./linear.js";

export interface PositionEmbeddingOptions {
  /** Rows of the table: the most tokens that may come. */
  readonly contextLength: number;
  readonly init: Initializer;
}

/**
 * x + the first `tokens` rows of the learned table `positional_embedding` [contextLength, width], which does not
 * decay (open_clip's optim.py).
 *
 * @param x [batch, tokens, width], tokens at most contextLength (checked when tokens are known).
 * @throws ShapeError where there are more tokens than rows.
 */
export function buildPositionEmbedding(
  { scope }: BuildContext,
  x: Value,
  { contextLength, init }: PositionEmbeddingOptions,
): Value {
  const { tokens } = checkShapes("nn/buildPositionEmbedding", [
    x,
    "x",
    ["batch", "tokens", "width"],
  ]);
  if (typeof tokens === "number" && tokens > contextLength) {
    throw new ShapeError(
      `nn/buildPositionEmbedding: x: expected at most ${contextLength} tokens, got ${tokens}. Cut the text or raise contextLength.`,
    );
  }
  const width = lastSize(x, "nn/buildPositionEmbedding");
  const table = scope.parameter("positional_embedding", [contextLength, width], {
    initializer: init,
    weightDecay: false,
  });
  return add(x, tokens === contextLength ? table : slice(table, [0, 0], [tokens, width]));
}

export interface SinCosOptions {
  readonly gridHeight: number;
  readonly gridWidth: number;
  /** Rows of zeros before the grid, for class tokens. */
  readonly prefixTokens?: number;
}

/** x + the fixed table {@link sinCos2d}, kept as the buffer `positional_embedding` as open_clip does. */
export function buildSinCosPositions(
  { scope }: BuildContext,
  x: Value,
  { gridHeight, gridWidth, prefixTokens = 0 }: SinCosOptions,
): Value {
  const width = lastSize(x, "nn/buildSinCosPositions");
  const rows = prefixTokens + gridHeight * gridWidth;
  checkShapes("nn/buildSinCosPositions", [x, "x", ["batch", rows, width]]);
  const values = new Float32Array(rows * width);
  values.set(sinCos2d(width, gridHeight, gridWidth), prefixTokens * width);
  return add(x, scope.buffer("positional_embedding", [rows, width], fixedValues(values)));
}

/**
 * Sine-cosine positions of a grid, row-major [gridHeight·gridWidth, width]: the first half of the width encodes the
 * column, the second the row; each half is sines, then cosines, of position/10000^(2i/half) (MAE, arXiv:2111.06377,
 * and open_clip's pos_embed.py: width first).
 *
 * @throws ShapeError where width is no multiple of 4.
 */
export function sinCos2d(width: number, gridHeight: number, gridWidth: number): Float32Array {
  if (width % 4 !== 0) {
    throw new ShapeError(
      `nn/sinCos2d: width: expected a multiple of 4 (sine and cosine of column and row), got ${width}. Try ${Math.ceil(width / 4) * 4}.`,
    );
  }
  const quarter = width / 4;
  const values = new Float32Array(gridHeight * gridWidth * width);
  for (let row = 0; row < gridHeight; row++) {
    for (let column = 0; column < gridWidth; column++) {
      const at = (row * gridWidth + column) * width;
      for (let i = 0; i < quarter; i++) {
        const frequency = 1 / 10000 ** (i / quarter);
        values[at + i] = Math.sin(column * frequency);
        values[at + quarter + i] = Math.cos(column * frequency);
        values[at + 2 * quarter + i] = Math.sin(row * frequency);
        values[at + 3 * quarter + i] = Math.cos(row * frequency);
      }
    }
  }
  return values;
}
