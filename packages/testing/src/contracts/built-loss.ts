/** A loss built for its contract, on unit vectors as features: what it declares, values for all of it, and what it gives. */
import {
  createParamCollector,
  createRandom,
  createRandomInputs,
  dimSymbols,
  drawInitializer,
  formatDim,
  hostTensorFrom,
  input,
  l2Normalize,
  symbolDim,
  type BuildContext,
  type DimBinding,
  type EncoderOutput,
  type HostTensor,
  type InputSpec,
  type Loss,
  type LossInputs,
  type LossNeed,
  type Mode,
  type ParameterSpec,
  type RandomInputSpec,
  type SymbolicDim,
  type Value,
} from "@diptych/core";
import { evaluateValues } from "@diptych/core/reference";
import { assert } from "vitest";
import { drawInput, drawRandomInput } from "./drawn-feeds.js";

export interface LossContractOptions {
  readonly name: string;
  readonly create: () => Loss;
  /** `image` and `text` by default. */
  readonly modalities?: readonly string[];
  /** Tokens and width of each modality's token sequence, for losses that need tokens; 3 and 4 by default. */
  readonly tokens?: { readonly tokens: number; readonly width: number };
  /** Inputs of the encoders, for losses that need them; their first axis is the batch. */
  readonly inputs?: readonly InputSpec[];
  /**
   * Values of an auxiliary input or an encoder's input; by default normals, integers below 3, 0, 0, 1, 1, … for `…Sample`
   * and 0, 1, 2, … for `…Item`.
   */
  readonly feed?: (spec: InputSpec, shape: readonly number[]) => HostTensor;
  /** Whether the model has a bias of similarities; true by default. */
  readonly logitBias?: boolean;
  /** The loss does not depend on the order of samples; true by default. */
  readonly orderFree?: boolean;
}

/** All rows' symbol, where pictures and texts are as many. */
const BATCH = symbolDim("batch");

/** Width of the features. */
export const EMBED_DIM = 4;

export type Feeds = Readonly<Record<string, HostTensor>>;

/** What is built on. */
export interface Ground {
  readonly context: BuildContext;
  readonly inputs: LossInputs;
  readonly sizes: DimBinding;
  /** Inputs that are fed, with the symbols they have here. */
  readonly fed: readonly InputSpec[];
  /** What has been declared up to now. */
  specs(): readonly ParameterSpec[];
  random(): readonly RandomInputSpec[];
}

/** A built loss with what it declared. */
export interface BuiltOnce extends Omit<Ground, "specs" | "random"> {
  readonly loss: Value;
  readonly metrics: Readonly<Record<string, Value>>;
  readonly specs: readonly ParameterSpec[];
  readonly random: readonly RandomInputSpec[];
}

export interface GroundOptions {
  readonly mode?: Mode;
  /** Rows of every modality; 4 by default. */
  readonly batch?: number;
  /** A symbol and a number of rows of its own for each modality: 3, 4, … */
  readonly apart?: boolean;
}

const specOf = (
  name: string,
  shape: InputSpec["shape"],
  dtype: InputSpec["dtype"] = "float32",
): InputSpec => ({ name, shape, dtype });

/** Fails when a loss reads what it did not ask for. */
function requireNeed(loss: Loss, need: LossNeed): void {
  if (!loss.needs.includes(need))
    assert.fail(`${loss.name} reads ${need} without needs: ["${need}"]`);
}

/** A record whose entries may be read only by a loss that needs them. */
function guarded<T>(
  loss: Loss,
  need: LossNeed,
  values: Readonly<Record<string, T>>,
): Record<string, T> {
  const entries = Object.entries(values).map(([key, value]) => [
    key,
    {
      enumerable: true,
      get: (): T => {
        requireNeed(loss, need);
        return value;
      },
    },
  ]);
  return Object.defineProperties({}, Object.fromEntries(entries) as PropertyDescriptorMap);
}

/** A record of which only what is there may be read. */
function onlyDeclared(
  loss: Loss,
  values: Readonly<Record<string, Value>>,
): Readonly<Record<string, Value>> {
  return new Proxy(values, {
    get: (target, key) => {
      if (typeof key === "string" && !Object.hasOwn(target, key))
        assert.fail(`${loss.name} reads "${key}", which its auxiliary inputs do not list`);
      return Reflect.get(target, key) as unknown;
    },
  });
}

/** Symbols and sizes of the batch. */
function batchOf(
  modalities: readonly string[],
  { batch = 4, apart = false }: GroundOptions,
): { readonly sizes: DimBinding; readonly rowsOf: (spec: InputSpec) => SymbolicDim } {
  if (!apart) return { sizes: { batch }, rowsOf: () => BATCH };
  const sizes = Object.fromEntries(modalities.map((name, i) => [`${name}Batch`, 3 + i]));
  return {
    sizes: { ...sizes, batch: 3 },
    rowsOf: ({ name, shape }) => {
      const symbol = formatDim(shape[0] ?? 1);
      const modality = modalities.find((one) => symbol === `${one}Batch` || name.startsWith(one));
      return modality === undefined ? BATCH : symbolDim(`${modality}Batch`);
    },
  };
}

/** Width of a teacher's features, where a loss leaves it to the run. */
const TEACHER_DIM = 5;

function teacherWidths({ teachers = [], auxiliary }: Loss): DimBinding {
  const taught = new Set(teachers.flatMap(({ inputs }) => Object.values(inputs)));
  const open = auxiliary
    .filter(({ name }) => taught.has(name))
    .flatMap(({ shape }) => shape.slice(1).flatMap(dimSymbols));
  return Object.fromEntries(open.map((symbol) => [symbol, TEACHER_DIM]));
}

/** What `loss` is built on, with guards against reading what it does not ask for. */
export function createGround(
  options: LossContractOptions,
  loss: Loss,
  { mode = "train", ...rows }: GroundOptions = {},
): Ground {
  const modalities = options.modalities ?? ["image", "text"];
  const { tokens, width } = options.tokens ?? { tokens: 3, width: 4 };
  const { sizes: batch, rowsOf } = batchOf(modalities, rows);
  const sizes = { ...batch, ...teacherWidths(loss) };
  const fed: InputSpec[] = [];
  const declare = (spec: InputSpec): Value => {
    fed.push(spec);
    return input(spec.name, spec.shape, spec.dtype);
  };
  // Scalars stay scalars.
  const declareRows = (spec: InputSpec): Value =>
    declare(
      spec.shape.length === 0 ? spec : { ...spec, shape: [rowsOf(spec), ...spec.shape.slice(1)] },
    );
  const normalized: Record<string, Value> = {};
  const encoded: Record<string, EncoderOutput> = {};
  for (const modality of modalities) {
    const rowsDim = rowsOf(specOf(modality, []));
    const pooled = declare(specOf(`features ${modality}`, [rowsDim, EMBED_DIM]));
    normalized[modality] = l2Normalize(pooled);
    const sequence = declare(specOf(`tokens ${modality}`, [rowsDim, tokens, width]));
    encoded[modality] = guardedOutput(loss, pooled, sequence);
  }
  const declareAll = (specs: readonly InputSpec[]): Record<string, Value> =>
    Object.fromEntries(specs.map((spec) => [spec.name, declareRows(spec)]));
  const inputs = declareAll(options.inputs ?? []);
  const auxiliary = declareAll(loss.auxiliary);
  const scalars = {
    logitScale: declare(specOf("logitScale", [])),
    ...((options.logitBias ?? true) ? { logitBias: declare(specOf("logitBias", [])) } : {}),
  };
  const collector = createParamCollector();
  const random = createRandomInputs();
  return {
    context: { mode, scope: collector.root.child("inside"), random, sizes },
    inputs: {
      normalized: guarded(loss, "features", normalized),
      encoded,
      inputs: guarded(loss, "inputs", inputs),
      ...scalars,
      auxiliary: onlyDeclared(loss, auxiliary),
    },
    sizes,
    fed,
    specs: () => collector.specs(),
    random: () => random.specs(),
  };
}

function guardedOutput(loss: Loss, pooled: Value, tokens: Value): EncoderOutput {
  return {
    get pooled() {
      requireNeed(loss, "features");
      return pooled;
    },
    get tokens() {
      requireNeed(loss, "tokens");
      return tokens;
    },
    intermediates: {},
  };
}

/** The loss in training mode. */
export function buildOnce(
  options: LossContractOptions,
  { loss = options.create(), ...rows }: GroundOptions & { readonly loss?: Loss } = {},
): BuiltOnce {
  const ground = createGround(options, loss, rows);
  const output = loss.build(ground.context, ground.inputs);
  return { ...ground, ...output, specs: ground.specs(), random: ground.random() };
}

/** Seeded values for everything that is declared. */
export function feedsOf(
  options: LossContractOptions,
  built: Pick<BuiltOnce, "fed" | "sizes" | "specs" | "random">,
): Feeds {
  const { fed, sizes } = built;
  const feeds: Record<string, HostTensor> = {};
  for (const spec of fed) {
    const given = /^(features|tokens|logit)/.test(spec.name) ? undefined : options.feed;
    feeds[spec.name] =
      (given ? undefined : rowNumbers(spec, sizes)) ??
      drawInput(spec, sizes, { below: 3, ...(given ? { feed: given } : {}) });
  }
  feeds["logitScale"] = hostTensorFrom("float32", [], [Math.log(5)]);
  if (feeds["logitBias"]) feeds["logitBias"] = hostTensorFrom("float32", [], [-1]);
  for (const { name, shape, initializer } of built.specs) {
    const drawn = drawInitializer(initializer, shape, createRandom("parameter").split(name));
    feeds[name] = hostTensorFrom("float32", shape, drawn);
  }
  for (const spec of built.random) feeds[spec.name] = drawRandomInput(spec, sizes);
  return feeds;
}

/** Concepts of two samples each, and rows of a sample of their own, for inputs of such names. */
function rowNumbers({ name, shape }: InputSpec, sizes: DimBinding): HostTensor | undefined {
  const each = /Sample$/.test(name) ? 2 : /Item$/.test(name) ? 1 : undefined;
  if (each === undefined) return undefined;
  const rows = sizes[formatDim(shape[0] ?? 1)] ?? 0;
  return hostTensorFrom(
    "int32",
    [rows],
    Array.from({ length: rows }, (_, i) => Math.floor(i / each)),
  );
}

export function lossOf(built: BuiltOnce, feeds: Feeds): number {
  return evaluateValues([built.loss], feeds, built.sizes)[0]!.data[0]!;
}

/** The same samples in another order, or some of them: which rows, by symbol. */
export function chooseRows(
  { fed, random }: Pick<BuiltOnce, "fed" | "random">,
  feeds: Feeds,
  rowsOf: (symbol: string) => readonly number[] | undefined,
): Feeds {
  const symbols = new Map(
    [...fed, ...random].map(({ name, shape }) => [name, formatDim(shape[0] ?? 1)] as const),
  );
  return Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => {
      const rows = rowsOf(symbols.get(name) ?? "");
      return [name, rows ? takeRows(tensor, rows) : tensor];
    }),
  );
}

function takeRows(tensor: HostTensor, rows: readonly number[]): HostTensor {
  const width = tensor.data.length / tensor.shape[0]!;
  const values = rows.flatMap((row) =>
    Array.from(tensor.data.subarray(row * width, (row + 1) * width)),
  );
  const data = tensor.data.slice(0, values.length);
  data.set(values);
  return { ...tensor, shape: [rows.length, ...tensor.shape.slice(1)], data };
}
