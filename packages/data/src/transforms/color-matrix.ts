/** Linear changes of colour as 3×3 matrices: they hold for premultiplied colours as they are. */
import type { Random } from "@diptych/core";
import type { AugmentConfig } from "./config.js";

/** Row-major. */
export type ColorMatrix = readonly number[];

/** Rec. 601 luma. */
const LUMA = [0.299, 0.587, 0.114];
/** The five ways to put channels in another place. */
const PERMUTATIONS = [
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

/** Rotation about the grey axis by `turns`; grey stays as it is. */
function hueMatrix(turns: number): ColorMatrix {
  const angle = turns * 2 * Math.PI;
  const cos = Math.cos(angle);
  const same = cos + (1 - cos) / 3;
  const less = (1 - cos) / 3 - Math.sin(angle) * Math.sqrt(1 / 3);
  const more = (1 - cos) / 3 + Math.sin(angle) * Math.sqrt(1 / 3);
  return [same, less, more, more, same, less, less, more, same];
}

function greyMatrix(): ColorMatrix {
  return [...LUMA, ...LUMA, ...LUMA];
}

/** Output channel i is input channel `order[i]`. */
function permutationMatrix(order: readonly number[]): ColorMatrix {
  return order.flatMap((from) => [0, 1, 2].map((c) => (c === from ? 1 : 0)));
}

/** First b, then a. */
function multiplyMatrices(a: ColorMatrix, b: ColorMatrix): ColorMatrix {
  const entry = (i: number, j: number): number =>
    [0, 1, 2].reduce((sum, k) => sum + (a[i * 3 + k] ?? 0) * (b[k * 3 + j] ?? 0), 0);
  return Array.from({ length: 9 }, (_, i) => entry(Math.floor(i / 3), i % 3));
}

/** The change of colour of one picture, or undefined for none. */
export function drawColorMatrix(config: AugmentConfig, random: Random): ColorMatrix | undefined {
  if (random.next() < config.grey) return greyMatrix();
  let matrix = config.hue > 0 ? hueMatrix(random.normal() * config.hue) : undefined;
  if (random.next() < config.permute) {
    const order = PERMUTATIONS[random.integer(PERMUTATIONS.length)] ?? [0, 1, 2];
    const permutation = permutationMatrix(order);
    matrix = matrix ? multiplyMatrices(permutation, matrix) : permutation;
  }
  return matrix;
}
