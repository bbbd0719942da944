/** What every loss promises, checked on the float64 reference with unit vectors as features. */
import {
  dtypeOf,
  formatShape,
  gradients,
  hostTensorFrom,
  inputName,
  isLeafInput,
  shapeOf,
  type InputSpec,
  type Loss,
  type Value,
} from "@diptych/core";
import { rewriteValues } from "@diptych/core/backend";
import { checkGradients, evaluateValues } from "@diptych/core/reference";
import { describe, expect } from "vitest";
import { registerChecks, type ContractCheck } from "../contract-check.js";
import { expectClose } from "../matchers.js";
import {
  buildOnce,
  chooseRows,
  feedsOf,
  lossOf,
  type BuiltOnce,
  type Feeds,
  type LossContractOptions,
} from "./built-loss.js";
import { extremeFeeds } from "./extreme-feeds.js";
import { scoreChecks } from "./loss-scores.js";

export type { LossContractOptions } from "./built-loss.js";

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
    name: "declares parameters inside its scope, the same each time, those of parts under their names",
    run: (options) => {
      const loss = options.create();
      const [first, second] = [buildOnce(options, { loss }), buildOnce(options)];
      const parts = loss.parts?.map(({ name }) => `inside.${name}.`) ?? ["inside."];
      for (const { name } of first.specs)
        expect(
          parts.some((start) => name.startsWith(start)),
          `${name} starts with one of ${parts.join(", ")}`,
        ).toBe(true);
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
  {
    name: "lists what its teachers feed among its auxiliary inputs, features of two axes and a scalar scale",
    run: ({ create }) => {
      const { auxiliary, teachers = [] } = create();
      const axes = (name: string): number | undefined =>
        auxiliary.find((spec: InputSpec) => spec.name === name)?.shape.length;
      for (const { inputs, scale } of teachers) {
        for (const name of Object.values(inputs)) expect(axes(name), `axes of ${name}`).toBe(2);
        if (scale !== undefined) expect(axes(scale), `axes of ${scale}`).toBe(0);
      }
    },
  },
  {
    name: "has parts of names of their own, needs and inputs of theirs, and the scope of the widest",
    run: ({ create }) => {
      const { parts, needs, auxiliary, scope } = create();
      if (!parts) return;
      const names = parts.map(({ name }) => name);
      expect(new Set(names).size, "names of parts").toBe(names.length);
      const losses = parts.map(({ loss }) => loss);
      expect(needs, "needs").toEqual(expect.arrayContaining(losses.flatMap((loss) => loss.needs)));
      const named = ({ auxiliary: specs }: Pick<Loss, "auxiliary">): string[] =>
        specs.map(({ name }) => name);
      expect(named({ auxiliary }), "inputs").toEqual(expect.arrayContaining(losses.flatMap(named)));
      const wide = losses.some((loss) => loss.scope === "batch");
      expect(scope, "scope").toBe(wide ? "batch" : "sample");
    },
  },
];

const computed: readonly ContractCheck<LossContractOptions>[] = [
  {
    name: "is finite with its gradients for one sample, equal, opposite and zero features, one concept, none shared, and logits of ±10,000",
    run: (options) => {
      const once = buildOnce(options);
      const cases = extremeFeeds(once, feedsOf(options, once));
      for (const [what, feeds] of Object.entries(cases)) expectFinite(what, once, feeds);
      const alone = buildOnce(options, { batch: 1 });
      expectFinite("one sample", alone, feedsOf(options, alone));
    },
  },
  {
    name: "has the derivatives that central differences show",
    run: (options) => {
      const shown = buildOnce(options);
      const feeds = feedsOf(options, shown);
      const leaves = [...shown.fed, ...shown.specs, ...shown.random];
      checkGradients({
        what: options.name,
        inputs: leaves.map(({ name, shape }) => ({ shape, values: feeds[name]! })),
        wrt: leaves.flatMap(({ name }, i) => (moves(name) ? [i] : [])),
        build: (nodes) => {
          const byName = new Map(leaves.map(({ name }, i) => [name, nodes[i]!]));
          return [onLeaves(buildOnce(options).loss, byName)];
        },
        binding: shown.sizes,
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
      const otherwise = chooseRows(once, feeds, allRows([2, 0, 3, 1]));
      expectClose([lossOf(once, otherwise)], [lossOf(once, feeds)], { relativeToLargest: 1e-9 });
    },
  },
  {
    name: "is a mean over samples where its scope says so",
    run: (options) => {
      if (options.create().scope !== "sample") return;
      const once = buildOnce(options);
      const feeds = feedsOf(options, once);
      const one = buildOnce(options, { batch: 1 });
      const alone = [0, 1, 2, 3].map((row) => lossOf(one, chooseRows(once, feeds, allRows([row]))));
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
      const whole = buildOnce(options, { loss });
      const feeds = feedsOf(options, whole);
      const total = loss.parts.reduce((sum, part) => {
        const alone = buildOnce(options, { loss: part.loss });
        // A part's parameters are those of the sum, under the part's name.
        const own = alone.specs.map(({ name }) => [
          name,
          feeds[name.replace(/^inside\./, `inside.${part.name}.`)]!,
        ]);
        const fed: Feeds = { ...feedsOf(options, alone), ...(Object.fromEntries(own) as Feeds) };
        return sum + part.weight * lossOf(alone, fed);
      }, 0);
      expectClose([total], [lossOf(whole, feeds)], { relativeToLargest: 1e-9 });
    },
  },
];

/** What a loss is differentiated by: features, tokens, scale and bias, and its own parameters. */
const moves = (name: string): boolean => /^(features|tokens|logit|inside\.)/.test(name);

const allRows =
  (rows: readonly number[]) =>
  (symbol: string): readonly number[] | undefined =>
    symbol === "batch" ? rows : undefined;

function expectFinite(
  what: string,
  { loss, metrics, fed, specs, sizes }: BuiltOnce,
  feeds: Feeds,
): void {
  const names = [...fed, ...specs].map(({ name }) => name).filter(moves);
  const found = new Map<string, Value>();
  rewriteValues([loss], (node) => {
    if (isLeafInput(node)) found.set(inputName(node), { node, index: 0 });
    return undefined;
  });
  const wrt = names.flatMap((name) => found.get(name) ?? []);
  const result = gradients({ outputs: [loss], wrt, carry: Object.values(metrics) });
  const values: readonly (readonly [string, Value])[] = [
    ["loss", result.outputs[0]!],
    ...Object.keys(metrics).map((name, i) => [name, result.carried[i]!] as const),
    ...wrt.map(({ node }, i) => [`gradient by ${inputName(node)}`, result.gradients[i]!] as const),
  ];
  const computed = evaluateValues(
    values.map(([, value]) => value),
    feeds,
    sizes,
  );
  for (const [i, [name, value]] of values.entries())
    expect(
      computed[i]!.data.every(Number.isFinite),
      `${name} ${formatShape(shapeOf(value))} is finite for ${what}`,
    ).toBe(true);
}

/** `value` on other leaves of the same names. */
function onLeaves(value: Value, leaves: ReadonlyMap<string, Value>): Value {
  return rewriteValues([value], (node) => {
    const leaf = isLeafInput(node) ? leaves.get(inputName(node)) : undefined;
    return leaf && [leaf];
  })(value);
}

/** The loss contract as checks, for tests of the suite itself. */
export const lossChecks: readonly ContractCheck<LossContractOptions>[] = [
  ...built,
  ...computed,
  ...scoreChecks,
];

/**
 * Registers the loss contract's tests.
 *
 * @example
 * describeLossContract({ name: "infoNce", create: () => createInfoNce() });
 */
export function describeLossContract(options: LossContractOptions): void {
  describe(`loss contract: ${options.name}`, () => registerChecks(lossChecks, () => options));
}
