/** A tower's inner values by path name, and which of them can be laid over the picture. */
import {
  ConfigError,
  type BuiltModel,
  type EncoderOutput,
  shapeOf,
  type Shape,
  type Value,
} from "@diptych/core";
import { nodesInOrder } from "@diptych/core/backend";

const ATTENTION = "/attention";

/** Attention that the score depends on. */
export interface AttentionLayer {
  readonly path: string;
  /** [batch, heads, queries, keys] */
  readonly probabilities: Value;
  /** What is differentiated: the probabilities where the tower multiplies with them, else the output of `attention`. */
  readonly differentiated: Value;
  /** [batch, heads, keys, headDim] of an `attention` node, which hides its probabilities. */
  readonly values?: Value;
  /** The tokens after the layer's block, where the tower names them and the score depends on them. */
  readonly output?: Value;
}

/** A value with one vector a place of the picture, which the score depends on. */
export interface SpatialValue {
  readonly path: string;
  /** [batch, channels, gridHeight, gridWidth] or [batch, prefix + gridHeight·gridWidth, width]. */
  readonly value: Value;
  readonly layout: "map" | "tokens";
  readonly grid: Grid;
}

export interface Grid {
  readonly gridHeight: number;
  readonly gridWidth: number;
  /** Tokens before those of the places: 1 with a class token. */
  readonly prefix: number;
}

/** What an encoder of `built` returned. @throws ConfigError where the model has no such tower. */
export function towerOutput(built: BuiltModel, modality: string): EncoderOutput {
  const output = built.encoded[modality];
  if (output) return output;
  throw new ConfigError(
    `diptych/inspect: ${modality}: expected an encoder of it, got ${Object.keys(built.encoded).join(", ")}. Use a model that has one.`,
  );
}

/** The values named `paths`. @throws ConfigError naming what the tower has. */
export function innerValues(
  { intermediates }: EncoderOutput,
  paths: readonly string[],
): Readonly<Record<string, Value>> {
  const entries = paths.map((path) => {
    const value = intermediates[path];
    if (value) return [path, value] as const;
    throw new ConfigError(
      `diptych/inspect: "${path}": expected the path of an inner value, got an unknown one. This tower has ${Object.keys(intermediates).join(", ") || "none"}.`,
    );
  });
  return Object.fromEntries(entries);
}

/** Attention layers in the order in which they are applied. */
export function attentionLayers({ pooled, intermediates }: EncoderOutput): AttentionLayer[] {
  const onTheWay = new Set(nodesInOrder([pooled]));
  return Object.entries(intermediates).flatMap(([path, probabilities]): AttentionLayer[] => {
    if (!path.endsWith(ATTENTION) || shapeOf(probabilities).length !== 4) return [];
    const output = intermediates[path.slice(0, -ATTENTION.length)];
    const read = output && onTheWay.has(output.node);
    const layer = { path, probabilities, ...(read ? { output } : {}) };
    if (onTheWay.has(probabilities.node)) return [{ ...layer, differentiated: probabilities }];
    // The last one in order: attention of earlier blocks comes before.
    const node = nodesInOrder([probabilities]).findLast(({ op }) => op === "attention");
    const values = node?.inputs[2];
    if (!node || !values || !onTheWay.has(node)) return [];
    return [{ ...layer, differentiated: { node, index: 0 }, values }];
  });
}

/** Feature maps and patch tokens in the order in which they are computed; a value under several names counts once. */
export function spatialValues(
  { pooled, intermediates }: EncoderOutput,
  facts: Readonly<Record<string, number | string>>,
): SpatialValue[] {
  const onTheWay = new Set(nodesInOrder([pooled]));
  const found = new Map<unknown, SpatialValue>();
  for (const [path, value] of Object.entries(intermediates)) {
    if (path.endsWith(ATTENTION) || !onTheWay.has(value.node)) continue;
    const layout = layoutOf(shapeOf(value), facts);
    // The last name wins: a stage's, after its last block's.
    if (layout) found.set(value.node, { path, value, ...layout });
  }
  return [...found.values()];
}

function layoutOf(
  shape: Shape,
  facts: Readonly<Record<string, number | string>>,
): Pick<SpatialValue, "layout" | "grid"> | undefined {
  const [, rows, columns, last] = shape;
  if (shape.length === 4 && typeof columns === "number" && typeof last === "number") {
    return { layout: "map", grid: { gridHeight: columns, gridWidth: last, prefix: 0 } };
  }
  if (shape.length !== 3 || typeof rows !== "number") return undefined;
  const grid = tokenGrid(rows, facts);
  return grid && { layout: "tokens", grid };
}

/** How `tokens` lie over the picture; undefined where the tower does not say. */
export function tokenGrid(
  tokens: number,
  { gridHeight, gridWidth }: Readonly<Record<string, number | string>>,
): Grid | undefined {
  if (typeof gridHeight !== "number" || typeof gridWidth !== "number") return undefined;
  const prefix = tokens - gridHeight * gridWidth;
  return prefix < 0 ? undefined : { gridHeight, gridWidth, prefix };
}
