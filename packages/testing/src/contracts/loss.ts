/** What every loss promises, checked on the float64 reference with unit vectors as features. */
import {
  createParamCollector,
  createRandom,
  createRandomInputs,
  drawInitializer,
  dtypeOf,
  hostTensorFrom,
  input,
  inputName,
  isLeafInput,
  l2Normalize,
  shapeOf,
  symbolDim,
  type EncoderOutput,
  type HostTensor,
  type InputSpec,
  type Loss,
  type LossNeed,
  type ParameterSpec,
  type RandomInputSpec,
  type Value,
} from "@diptych/core";
import { rewriteValues } from "@diptych/core/backend";
import { checkGradients, evaluateValues } from "@diptych/core/reference";
import { assert, describe, expect } from "vitest";
import { registerChecks, type ContractCheck } from "../contract-check.js";
import { expectClose } from "../matchers.js";
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
  /** Values of an auxiliary input or an encoder's input; by default normals, integers below 3, and 0, 0, 1, 1, … for `…Sample`. */
  readonly feed?: (spec: InputSpec, shape: readonly number[]) => HostTensor;
  /** Whether the model has a bias of similarities; true by default. */
  readonly logitBias?: boolean;
  /** The loss does not depend on the order of samples; true by default. */
  readonly orderFree?: boolean;
}

const BATCH = symbolDim("batch");
const EMBED_DIM = 4;

type Feeds = Record<string, HostTensor>;

/** A built loss, all of its symbols one batch, with what it declared. */
interface BuiltOnce {
  readonly loss: Value;
  readonly metrics: Readonly<Record<string, Value>>;
  readonly features: Readonly<Record<string, Value>>;
  readonly specs: readonly ParameterSpec[];
  readonly random: readonly RandomInputSpec[];
  readonly fed: readonly InputSpec[];
}

const specOf = (
  name: string,
  shape: InputSpec["shape"],
  dtype: InputSpec["dtype"] = "float32",
): InputSpec => ({ name, shape, dtype });

/** Every first axis is the one batch, so that a loss that equates modalities can; scalars stay scalars. */
function withBatch(spec: InputSpec): InputSpec {
  if (spec.shape.length === 0) return spec;
  return { ...spec, shape: [BATCH, ...spec.shape.slice(1)] };
}

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

function buildOnce(options: LossContractOptions, loss = options.create()): BuiltOnce {
  const modalities = options.modalities ?? ["image", "text"];
  const { tokens, width } = options.tokens ?? { tokens: 3, width: 4 };
  const fed: InputSpec[] = [];
  const declare = (spec: InputSpec): Value => {
    fed.push(spec);
    return input(spec.name, spec.shape, spec.dtype);
  };
  const features: Record<string, Value> = {};
  const normalized: Record<string, Value> = {};
  const encoded: Record<string, EncoderOutput> = {};
  for (const modality of modalities) {
    const pooled = declare(specOf(`features ${modality}`, [BATCH, EMBED_DIM]));
    features[modality] = pooled;
    normalized[modality] = l2Normalize(pooled);
    const sequence = declare(specOf(`tokens ${modality}`, [BATCH, tokens, width]));
    encoded[modality] = {
      get pooled() {
        requireNeed(loss, "features");
        return pooled;
      },
      get tokens() {
        requireNeed(loss, "tokens");
        return sequence;
      },
      intermediates: {},
    };
  }
  const inputs = Object.fromEntries(
    (options.inputs ?? []).map((spec) => [spec.name, declare(withBatch(spec))] as const),
  );
  const auxiliary = Object.fromEntries(
    loss.auxiliary.map((spec) => [spec.name, declare(withBatch(spec))] as const),
  );
  const scalars = {
    logitScale: declare(specOf("logitScale", [])),
    ...((options.logitBias ?? true) ? { logitBias: declare(specOf("logitBias", [])) } : {}),
  };
  const collector = createParamCollector();
  const random = createRandomInputs();
  const built = collector.root.within("inside", (scope) =>
    loss.build(
      { mode: "train", scope, random },
      {
        normalized: guarded(loss, "features", normalized),
        encoded,
        inputs: guarded(loss, "inputs", inputs),
        ...scalars,
        auxiliary,
      },
    ),
  );
  return { ...built, features, specs: collector.specs(), random: random.specs(), fed };
}

/** Seeded values for everything that a built loss reads, `batch` samples. */
function feedsOf(options: LossContractOptions, built: BuiltOnce, batch = 4): Feeds {
  const sizes = { batch };
  const feeds: Feeds = {};
  for (const spec of built.fed) {
    const own = /Sample$/.test(spec.name) && !options.feed;
    feeds[spec.name] = own
      ? hostTensorFrom(
          "int32",
          [batch],
          Array.from({ length: batch }, (_, i) => Math.floor(i / 2)),
        )
      : drawInput(spec, sizes, {
          below: 3,
          ...(options.feed && !/^(features|tokens|logit)/.test(spec.name)
            ? { feed: options.feed }
            : {}),
        });
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

function lossOf(built: BuiltOnce, feeds: Feeds): number {
  return evaluateValues([built.loss], feeds)[0]!.data[0]!;
}

/** The same samples in another order, or some of them. */
function chooseRows(built: BuiltOnce, feeds: Feeds, rows: readonly number[]): Feeds {
  const batched = new Set([
    ...built.fed.filter(({ shape }) => shape[0] === BATCH).map(({ name }) => name),
    ...built.random.map(({ name }) => name),
  ]);
  return Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => {
      if (!batched.has(name)) return [name, tensor];
      const width = tensor.data.length / tensor.shape[0]!;
      const values = rows.flatMap((row) =>
        Array.from(tensor.data.subarray(row * width, (row + 1) * width)),
      );
      const data = tensor.data.slice(0, values.length);
      data.set(values);
      return [name, { ...tensor, shape: [rows.length, ...tensor.shape.slice(1)], data }];
    }),
  );
}

const built: readonly ContractCheck<LossContractOptions>[] = [
  {
    name: "gives a scalar and scalar metrics, and reads only what it needs",
    run: (options) => {
      const { loss, metrics } = buildOnce(options);
      for (const [name, value] of [["loss", loss] as const, ...Object.entries(metrics)])
        expect(shapeOf(value), name).toHaveLength(0);
      expect(dtypeOf(loss)).toBe("float32");
    },
  },
  {
    name: "declares parameters inside its scope, the same each time",
    run: (options) => {
      const [first, second] = [buildOnce(options), buildOnce(options)];
      for (const { name } of first.specs) expect(name).toMatch(/^inside\./);
      const show = ({ specs }: BuiltOnce): unknown =>
        specs.map(({ name, shape }) => ({ name, shape }));
      expect(show(second)).toEqual(show(first));
    },
  },
  {
    name: "names its auxiliary inputs once",
    run: ({ create }) => {
      const names = create().auxiliary.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
    },
  },
];

const computed: readonly ContractCheck<LossContractOptions>[] = [
  {
    name: "is finite, also for one sample, for equal and opposite features and for a scale of 100",
    run: (options) => {
      const once = buildOnce(options);
      const plain = feedsOf(options, once);
      const filled = (value: (i: number) => number): Feeds =>
        Object.fromEntries(
          Object.entries(plain).map(([name, tensor]) =>
            name.startsWith("features")
              ? [
                  name,
                  hostTensorFrom(
                    "float32",
                    tensor.shape,
                    tensor.data.map((_, i) => value(i)),
                  ),
                ]
              : [name, tensor],
          ),
        );
      const scaled = { ...plain, logitScale: hostTensorFrom("float32", [], [Math.log(100)]) };
      const zero = filled(() => 0);
      const same = filled(() => 1);
      const opposite = filled((i) => (Math.floor(i / EMBED_DIM) % 2 === 0 ? 1 : -1));
      for (const [what, feeds] of Object.entries({
        plain,
        one: feedsOf(options, once, 1),
        scaled,
        zero,
        same,
        opposite,
      })) {
        const values = evaluateValues([once.loss, ...Object.values(once.metrics)], feeds);
        expect(
          values.every(({ data }) => Number.isFinite(data[0])),
          `finite for ${what}`,
        ).toBe(true);
      }
    },
  },
  {
    name: "has the derivatives that central differences show",
    run: (options) => {
      const shown = buildOnce(options);
      const feeds = feedsOf(options, shown);
      const leaves = [...shown.fed, ...shown.specs, ...shown.random];
      const moves = (name: string): boolean => /^(features|tokens|logit|inside\.)/.test(name);
      checkGradients({
        what: options.name,
        inputs: leaves.map(({ name, shape }) => ({ shape, values: feeds[name]! })),
        wrt: leaves.flatMap(({ name }, i) => (moves(name) ? [i] : [])),
        build: (nodes) => {
          const byName = new Map(leaves.map(({ name }, i) => [name, nodes[i]!]));
          return [onLeaves(buildOnce(options).loss, byName)];
        },
        entries: 12,
      });
    },
  },
  {
    name: "depends on what the encoders give",
    run: (options) => {
      const once = buildOnce(options);
      const feeds = feedsOf(options, once);
      const changed = Object.fromEntries(
        Object.entries(feeds).map(([name, tensor]) => [
          name,
          /^(features|tokens)/.test(name)
            ? hostTensorFrom(
                "float32",
                tensor.shape,
                Array.from(tensor.data, (x, i) => x + Math.sin(i + 1)),
              )
            : tensor,
        ]),
      );
      expect(lossOf(once, changed), "loss of other features").not.toBe(lossOf(once, feeds));
    },
  },
  {
    name: "does not depend on the order of samples",
    run: (options) => {
      if (options.orderFree === false) return;
      const once = buildOnce(options);
      const feeds = feedsOf(options, once);
      expectClose([lossOf(once, chooseRows(once, feeds, [2, 0, 3, 1]))], [lossOf(once, feeds)], {
        relativeToLargest: 1e-9,
      });
    },
  },
  {
    name: "is a mean over samples where its scope says so",
    run: (options) => {
      if (options.create().scope !== "sample") return;
      const once = buildOnce(options);
      const feeds = feedsOf(options, once);
      const alone = [0, 1, 2, 3].map((row) => lossOf(once, chooseRows(once, feeds, [row])));
      expectClose([alone.reduce((a, b) => a + b, 0) / 4], [lossOf(once, feeds)], {
        relativeToLargest: 1e-9,
      });
    },
  },
  {
    name: "is the weighted sum of its parts where it has some",
    run: (options) => {
      const loss = options.create();
      if (!loss.parts) return;
      const whole = buildOnce(options, loss);
      const feeds = feedsOf(options, whole);
      const total = loss.parts.reduce((sum, part) => {
        const alone = buildOnce({ ...options, create: () => part.loss });
        const own = feedsOf(options, alone);
        // A part's parameters are those of the sum, under the part's name.
        for (const { name } of alone.specs)
          own[name] = feeds[name.replace(/^inside\./, `inside.${part.name}.`)] ?? own[name]!;
        return sum + part.weight * lossOf(alone, own);
      }, 0);
      expectClose([total], [lossOf(whole, feeds)], { relativeToLargest: 1e-9 });
    },
  },
];

/** `value` on other leaves of the same names. */
function onLeaves(value: Value, leaves: ReadonlyMap<string, Value>): Value {
  return rewriteValues([value], (node) => {
    const leaf = isLeafInput(node) ? leaves.get(inputName(node)) : undefined;
    return leaf && [leaf];
  })(value);
}

/** The loss contract as checks, for tests of the suite itself. */
export const lossChecks: readonly ContractCheck<LossContractOptions>[] = [...built, ...computed];

/**
 * Registers the loss contract's tests.
 *
 * @example
 * describeLossContract({ name: "infoNce", create: () => createInfoNce() });
 */
export function describeLossContract(options: LossContractOptions): void {
  describe(`loss contract: ${options.name}`, () => registerChecks(lossChecks, () => options));
}
