// Builds a loss on given features and evaluates it, its metrics and its gradients in float64.
import {
  createParamCollector,
  createRandomInputs,
  gradients,
  input,
  symbolDim,
  type Loss,
  type Value,
} from "@diptych/core";
import { createFloat64Tensor, evaluateValues } from "@diptych/core/reference";

export interface LossCase {
  /** Rows of features by modality. */
  readonly features: Readonly<Record<string, readonly (readonly number[])[]>>;
  /** Sample numbers by modality; 0, 1, 2, … by default. */
  readonly samples?: Readonly<Record<string, readonly number[]>>;
  /** Which sample each row comes from, by modality; 0, 1, 2, … by default. */
  readonly items?: Readonly<Record<string, readonly number[]>>;
  readonly logitScale?: number;
  readonly logitBias?: number;
  /** Values of other auxiliary inputs than sample numbers, by name. */
  readonly auxiliary?: Readonly<Record<string, GivenTensor>>;
  /** Values of the loss's parameters, by name. */
  readonly parameters?: Readonly<Record<string, readonly number[]>>;
}

export interface GivenTensor {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export interface LossRun {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** By modality, flattened, by `logitScale` and `logitBias`, and by parameter. */
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

export function runLoss(
  loss: Loss,
  {
    features,
    samples = {},
    items = {},
    logitScale = Math.log(10),
    logitBias,
    auxiliary: given = {},
    parameters = {},
  }: LossCase,
): LossRun {
  const nodes: Record<string, Value> = {};
  const auxiliary: Record<string, Value> = {};
  const feeds: Record<string, ReturnType<typeof createFloat64Tensor>> = {};
  for (const [modality, rows] of Object.entries(features)) {
    const width = rows[0]!.length;
    nodes[modality] = input(modality, [symbolDim(`${modality}Batch`), width]);
    feeds[modality] = createFloat64Tensor("float32", [rows.length, width], rows.flat());
  }
  for (const { name, shape, dtype } of loss.auxiliary) {
    const modality = name.replace(/Sample|Item/, "");
    auxiliary[name] = input(name, shape, dtype);
    const other = given[name];
    if (other) {
      feeds[name] = createFloat64Tensor(dtype, other.shape, other.values);
      continue;
    }
    const numbers =
      (name.endsWith("Item") ? items : samples)[modality] ?? features[modality]!.map((_, i) => i);
    feeds[name] = createFloat64Tensor("int32", [numbers.length], numbers);
  }
  const scale = input("logitScale", []);
  const bias = logitBias === undefined ? undefined : input("logitBias", []);
  feeds["logitScale"] = createFloat64Tensor("float32", [], [logitScale]);
  if (logitBias !== undefined) feeds["logitBias"] = createFloat64Tensor("float32", [], [logitBias]);
  const sizes = Object.fromEntries(
    Object.entries(features).map(([modality, rows]) => [`${modality}Batch`, rows.length]),
  );
  const collector = createParamCollector();
  const context = {
    mode: "train" as const,
    scope: collector.root,
    random: createRandomInputs(),
    sizes,
  };
  const built = loss.build(context, {
    normalized: nodes,
    encoded: {},
    inputs: {},
    logitScale: scale,
    ...(bias ? { logitBias: bias } : {}),
    auxiliary,
  });
  const owned: Record<string, Value> = {};
  for (const { name, shape } of collector.specs()) {
    owned[name] = collector.value(name)!;
    feeds[name] = createFloat64Tensor("float32", shape, parameters[name]!);
  }
  const wrt = { ...nodes, logitScale: scale, ...(bias ? { logitBias: bias } : {}), ...owned };
  const result = gradients({ outputs: [built.loss], wrt: Object.values(wrt) });
  const metrics = Object.entries(built.metrics);
  const values = evaluateValues(
    [...result.outputs, ...result.gradients, ...metrics.map(([, value]) => value)],
    feeds,
    sizes,
  ).map(({ data }) => [...data]);
  const names = Object.keys(wrt);
  return {
    loss: values[0]![0]!,
    gradients: Object.fromEntries(names.map((name, i) => [name, values[1 + i]!])),
    metrics: Object.fromEntries(
      metrics.map(([name], i) => [name, values[1 + names.length + i]![0]!]),
    ),
  };
}

export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((total, value, i) => total + value * b[i]!, 0);

/** `count` unit vectors without pattern. */
export function unitVectors(count: number, width: number, seed: number): number[][] {
  return Array.from({ length: count }, (_, row) => {
    const raw = Array.from({ length: width }, (_, i) =>
      Math.sin((row * width + i + 1) * (seed + 0.7)),
    );
    const length = Math.sqrt(dot(raw, raw));
    return raw.map((value) => value / length);
  });
}
