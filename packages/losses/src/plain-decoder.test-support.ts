// The text decoder once more, in plain numbers: what the graph is held against. One text and one picture at a time.
import type { Weights } from "./generative.test-support.js";

type Row = readonly number[];
type Rows = readonly Row[];

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const dot = (a: Row, b: Row): number => a.reduce((total, value, i) => total + value * b[i]!, 0);
const plus = (a: Row, b: Row): Row => a.map((value, i) => value + b[i]!);

/** Its Taylor series, which float64 sums exactly enough for the small arguments of a test. */
function erf(x: number): number {
  let [term, total] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= -(x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}
// Constants of a graph are float32.
const [EPSILON, HALF_ROOT] = [Math.fround(1e-5), Math.fround(Math.SQRT1_2)];
const gelu = (x: number): number => 0.5 * x * (1 + erf(x * HALF_ROOT));

export const logSumExp = (values: Row): number => {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((total, value) => total + Math.exp(value - top), 0));
};

export interface PlainSettings {
  readonly layers: number;
  readonly heads: number;
  /** Index of what is read first where texts have no start; its vector is `start_token`. */
  readonly start: boolean;
  readonly tied: boolean;
}

/** Logits [places][vocab] of a text's vectors (or ids), over a picture's tokens. */
export function plainLogits(
  weights: Weights,
  { ids, vectors, memory }: { ids: Row; vectors?: Rows; memory: Rows },
  { layers, heads, start, tied }: PlainSettings,
): Rows {
  const all = (name: string): Row => weights[`text_decoder.${name}`]!.values;
  const matrix = (name: string): Rows => {
    const { shape, values } = weights[`text_decoder.${name}`]!;
    const columns = shape.at(-1)!;
    return range(values.length / columns).map((r) => values.slice(r * columns, (r + 1) * columns));
  };
  const read: Row[] = ids.map((id, i) => vectors?.[i] ?? matrix("token_embedding.weight")[id]!);
  if (!start) read.unshift(all("start_token"));
  let x: Rows = vectors
    ? read
    : read.map((row, i) => plus(row, matrix("positional_embedding")[i]!));

  const norm = (name: string, row: Row): Row => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length;
    return row.map(
      (value, i) =>
        ((value - mean) / Math.sqrt(variance + EPSILON)) * all(`${name}.weight`)[i]! +
        all(`${name}.bias`)[i]!,
    );
  };
  const linear = (name: string, row: Row): Row =>
    matrix(`${name}.weight`).map((w, i) => dot(w, row) + all(`${name}.bias`)[i]!);
  const project = (name: string, row: Row, part: 0 | 1 | 2): Row => {
    const bias = all(`${name}.in_proj_bias`);
    const width = bias.length / 3;
    const rows =
      `text_decoder.${name}.in_proj_weight` in weights
        ? matrix(`${name}.in_proj_weight`).slice(part * width, (part + 1) * width)
        : matrix(`${name}.${"qkv"[part]!}_proj_weight`);
    return rows.map((w, i) => dot(w, row) + bias[part * width + i]!);
  };
  const attend = (name: string, queries: Rows, sources: Rows, causal: boolean): Rows => {
    const [keys, values] = [1, 2].map((part) =>
      sources.map((row) => project(name, row, part as 1 | 2)),
    );
    return queries.map((row, place) => {
      const query = project(name, row, 0);
      const headDim = query.length / heads;
      const joined = range(heads).flatMap((head) => {
        const cut = (r: Row): Row => r.slice(head * headDim, (head + 1) * headDim);
        const seen = causal ? range(place + 1) : range(sources.length);
        const scores = seen.map(
          (s) => dot(cut(query), cut(keys![s]!)) * Math.fround(headDim ** -0.5),
        );
        const total = logSumExp(scores);
        return range(headDim).map((d) =>
          seen.reduce((sum, s, i) => sum + Math.exp(scores[i]! - total) * cut(values![s]!)[d]!, 0),
        );
      });
      return linear(`${name}.out_proj`, joined);
    });
  };
  const mlp = (name: string, row: Row): Row =>
    linear(`${name}.mlp.c_proj`, linear(`${name}.mlp.c_fc`, norm(`${name}.ln_2`, row)).map(gelu));
  for (let i = 0; i < layers; i++) {
    const self = `resblocks.${i}`;
    const inner = x.map((row) => norm(`${self}.ln_1`, row));
    x = attend(`${self}.attn`, inner, inner, true).map((row, p) => plus(row, x[p]!));
    x = x.map((row) => plus(row, mlp(self, row)));
    const cross = `cross_attn.${i}`;
    const seen = memory.map((row) => norm(`${cross}.ln_1_kv`, row));
    const asking = x.map((row) => norm(`${cross}.ln_1`, row));
    x = attend(`${cross}.attn`, asking, seen, false).map((row, p) => plus(row, x[p]!));
    x = x.map((row) => plus(row, mlp(cross, row)));
  }
  const last = x.map((row) => norm("ln_final", row));
  if (tied) return last.map((row) => matrix("token_embedding.weight").map((w) => dot(w, row)));
  const projection = matrix("text_projection");
  return last.map((row) =>
    range(projection[0]!.length).map((v) =>
      row.reduce((sum, value, i) => sum + value * projection[i]![v]!, 0),
    ),
  );
}
