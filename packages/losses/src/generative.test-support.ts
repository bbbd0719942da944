// Builds a loss that predicts texts on given tower values and evaluates it, its scores and its gradients in float64.
import {
  createParamCollector,
  createRandomInputs,
  gradients,
  input,
  symbolDim,
  type EncoderOutput,
  type Loss,
  type Value,
} from "@diptych/core";
import { createFloat64Tensor, evaluateValues } from "@diptych/core/reference";

export interface TextCase {
  /** [images][keys][width]. */
  readonly tokens: readonly (readonly (readonly number[])[])[];
  /** [images][embedDim]. */
  readonly pooled?: readonly (readonly number[])[];
  /** [texts][tokens]. */
  readonly ids: readonly (readonly number[])[];
  /** [texts][tokens][width], of the text tower. */
  readonly textTokens?: readonly (readonly (readonly number[])[])[];
  /** Normalised features by modality, for a contrastive term beside. */
  readonly features?: Readonly<Record<"image" | "text", readonly (readonly number[])[]>>;
  readonly logitScale?: number;
  /** Which sample each row is of; 0, 1, 2, … by default. */
  readonly imageItem?: readonly number[];
  readonly textItem?: readonly number[];
}

/** Parameters by name, flat, with their shapes. */
export type Weights = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>
>;

export interface TextRun {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** [images, texts], flat; meaningless where the loss has none. */
  readonly scores: readonly number[];
  readonly weights: Weights;
  /** Of the loss, by `tokens`, `pooled`, `textTokens`, `image features`, `text features`, `logitScale` and parameter. */
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

/** `count` numbers without pattern, of about `size`. */
export function scattered(count: number, seed: number, size = 1): number[] {
  return Array.from({ length: count }, (_, i) => {
    const wave = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return size * (2 * (wave - Math.floor(wave)) - 1);
  });
}

export function cube(
  [rows, columns, depth]: readonly [number, number, number],
  seed: number,
): number[][][] {
  const flat = scattered(rows * columns * depth, seed);
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: columns }, (_, c) =>
      flat.slice((r * columns + c) * depth, (r * columns + c + 1) * depth),
    ),
  );
}

type Feeds = Record<string, ReturnType<typeof createFloat64Tensor>>;

/** Symbols that stand for different sizes in training and in scoring, so that a mistaken equality fails. */
const IMAGES = symbolDim("imageBatch");
const TEXTS = symbolDim("textBatch");
const TOKENS = symbolDim("textTokens");

function towerValues(at: TextCase): {
  readonly feeds: Feeds;
  readonly values: Readonly<Record<string, Value>>;
  readonly encoded: Readonly<Record<string, EncoderOutput>>;
} {
  const [firstKeys] = at.tokens;
  const keys = firstKeys!.length;
  const width = firstKeys![0]!.length;
  const images = at.tokens.length;
  const pooledRows = at.pooled ?? at.tokens.map(() => [0]);
  const embedDim = pooledRows[0]!.length;
  const values = {
    tokens: input("tokens", [IMAGES, keys, width]),
    pooled: input("pooled", [IMAGES, embedDim]),
    text: input("text", [TEXTS, TOKENS], "int32"),
    ...(at.textTokens
      ? { textTokens: input("textTokens", [TEXTS, TOKENS, at.textTokens[0]![0]!.length]) }
      : {}),
  };
  const feeds: Feeds = {
    tokens: createFloat64Tensor("float32", [images, keys, width], at.tokens.flat(2)),
    pooled: createFloat64Tensor("float32", [images, embedDim], pooledRows.flat()),
    text: createFloat64Tensor("int32", [at.ids.length, at.ids[0]!.length], at.ids.flat()),
  };
  if (at.textTokens) {
    const [rows, columns, depth] = [at.ids.length, at.ids[0]!.length, at.textTokens[0]![0]!.length];
    feeds["textTokens"] = createFloat64Tensor(
      "float32",
      [rows, columns, depth],
      at.textTokens.flat(2),
    );
  }
  const encoded = {
    image: { pooled: values.pooled, tokens: values.tokens, intermediates: {} },
    text: {
      pooled: values.pooled,
      ...("textTokens" in values ? { tokens: values.textTokens } : {}),
      intermediates: {},
    },
  };
  return { feeds, values, encoded: encoded };
}

/** `given` replaces drawn parameters by name. */
export function runTextLoss(loss: Loss, at: TextCase, given: Weights = {}): TextRun {
  const { feeds, values, encoded } = towerValues(at);
  const scale = input("logitScale", []);
  feeds["logitScale"] = createFloat64Tensor("float32", [], [at.logitScale ?? 0]);
  const normalized: Record<string, Value> = {};
  for (const [modality, rows] of Object.entries(at.features ?? {})) {
    const shape = [rows.length, rows[0]!.length];
    normalized[modality] = input(`${modality} features`, [
      modality === "image" ? IMAGES : TEXTS,
      shape[1]!,
    ]);
    feeds[`${modality} features`] = createFloat64Tensor("float32", shape, rows.flat());
  }
  const auxiliary: Record<string, Value> = {};
  for (const { name, shape, dtype } of loss.auxiliary) {
    auxiliary[name] = input(name, shape, dtype);
    const isImage = name.startsWith("image");
    const rows = isImage ? at.tokens : at.ids;
    const items = (isImage ? at.imageItem : at.textItem) ?? rows.map((_, i) => i);
    feeds[name] = createFloat64Tensor("int32", [items.length], items);
  }
  const inputs = { normalized, encoded, inputs: { text: values.text! }, logitScale: scale };
  const collector = createParamCollector();
  const context = { mode: "train" as const, scope: collector.root, random: createRandomInputs() };
  const built = loss.build(context, { ...inputs, auxiliary });
  const scoring = createParamCollector();
  const scores = loss.buildScores?.(
    { ...context, mode: "eval", scope: scoring.root },
    { ...inputs, auxiliary: {} },
  );
  const weights: Record<string, Weights[string]> = {};
  for (const { name, shape } of collector.specs()) {
    const count = shape.reduce((a, b) => a * b, 1);
    weights[name] = given[name] ?? { shape, values: scattered(count, name.length, 0.7) };
    feeds[name] = createFloat64Tensor("float32", shape, weights[name].values);
  }
  const wrt = {
    tokens: values.tokens!,
    pooled: values.pooled!,
    ...(values.textTokens ? { textTokens: values.textTokens } : {}),
    ...Object.fromEntries(
      Object.entries(normalized).map(([modality, value]) => [`${modality} features`, value]),
    ),
    ...(at.features ? { logitScale: scale } : {}),
    ...Object.fromEntries(collector.specs().map(({ name }) => [name, collector.value(name)!])),
  };
  const result = gradients({ outputs: [built.loss], wrt: Object.values(wrt) });
  const metrics = Object.entries(built.metrics);
  const found = evaluateValues(
    [scores ?? scale, ...result.outputs, ...result.gradients, ...metrics.map(([, value]) => value)],
    feeds,
  ).map(({ data }) => [...data]);
  const names = Object.keys(wrt);
  return {
    scores: found[0]!,
    loss: found[1]![0]!,
    gradients: Object.fromEntries(names.map((name, i) => [name, found[2 + i]!])),
    metrics: Object.fromEntries(
      metrics.map(([name], i) => [name, found[2 + names.length + i]![0]!]),
    ),
    weights,
  };
}
