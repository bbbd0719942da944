/** Whether two results may stand side by side: each reason against it as a sentence with both values. */
import type { Budget } from "../comparison.js";
import type { DataIdentity, Provenance, TrainingCost } from "../record.js";
import { plainDifferences, plainText } from "./plain-difference.js";

/** What two results may differ in, beside what a comparison is about: towers, loss and optimizer. */
export const ASPECTS = [
  "test data",
  "evaluator",
  "preprocessing",
  "precision",
  "training data",
  "budget",
  "data order",
  "recipe",
  "backend",
  "code",
] as const;
export type Aspect = (typeof ASPECTS)[number];

export interface Difference {
  readonly aspect: Aspect;
  /** `refused`: the two must not be compared; `unknown`: it cannot be told; `note`: a reader should know. */
  readonly severity: "refused" | "unknown" | "note";
  /** A whole sentence with both values. */
  readonly reason: string;
}

export interface ComparabilityOptions {
  /** What differs on purpose, e.g. ["training data", "budget", "data order"] for models that others trained. */
  readonly vary?: readonly Aspect[];
  /** What each may spend; without it the costs of training are not compared. */
  readonly budget?: Budget;
}

type Found = Omit<Difference, "aspect">;

/**
 * What stands against two results side by side, the gravest first; nothing where they may.
 *
 * Other test data, evaluator settings, preparation of pictures, precision, training data or budget: refused. A set without
 * a fingerprint, a cost that is not recorded, or seconds that are up to a quarter of the budget apart: it cannot be told.
 * Other seeds, recipes, backends or code: a note. Towers, loss, optimizer and schedule are what comparisons are about and
 * never a reason.
 *
 * @example
 * whyIncomparable(mine.provenance, theirs.provenance, { vary: ["training data"] }).filter(
 *   ({ severity }) => severity === "refused",
 * );
 */
export function whyIncomparable(
  a: Provenance,
  b: Provenance,
  { vary = [], budget }: ComparabilityOptions = {},
): readonly Difference[] {
  const checks: Readonly<Record<Aspect, () => readonly Found[]>> = {
    "test data": () => dataDifferences("measured on", a.testData, b.testData),
    evaluator: () => evaluatorDifferences(a, b),
    preprocessing: () =>
      settingDifferences("Pictures were prepared with", a.preprocessing, b.preprocessing),
    precision: () =>
      a.precision === b.precision
        ? []
        : [refused(`They ran in ${a.precision} and in ${b.precision}.`)],
    "training data": () => trainingDataDifferences(a, b),
    budget: () => (budget ? budgetDifferences(a.training, b.training, budget) : []),
    "data order": () => orderDifferences(a, b),
    recipe: () => recipeDifferences(a, b),
    backend: () =>
      a.backend === b.backend ? [] : [note(`They ran on "${a.backend}" and on "${b.backend}".`)],
    code: () => codeDifferences(a.code, b.code),
  };
  const found = ASPECTS.flatMap((aspect) =>
    vary.includes(aspect) ? [] : checks[aspect]().map((one) => Object.freeze({ aspect, ...one })),
  );
  const order = ["refused", "unknown", "note"];
  return found.toSorted((x, y) => order.indexOf(x.severity) - order.indexOf(y.severity));
}

const refused = (reason: string): Found => ({ severity: "refused", reason });
const unknown = (reason: string): Found => ({ severity: "unknown", reason });
const note = (reason: string): Found => ({ severity: "note", reason });

function dataDifferences(verb: string, a: DataIdentity, b: DataIdentity): readonly Found[] {
  if (a.fingerprint !== null && a.fingerprint === b.fingerprint) return [];
  const both = `${describeData(a)} and ${describeData(b)}`;
  if (a.fingerprint !== null && b.fingerprint !== null)
    return [refused(`They were ${verb} other data: ${both}.`)];
  if (a.size !== null && b.size !== null && a.size !== b.size)
    return [refused(`They were ${verb} sets of other sizes: ${both}.`)];
  const settings = plainDifferences(a.config, b.config);
  const reasons = [...new Set([a, b].filter((one) => one.fingerprint === null).map(noteOf))];
  const why = `Whether they were ${verb} the same data cannot be told: ${both}; ${reasons.join("; ")}.`;
  return [unknown(settings.length > 0 ? `${why} ${listSettings(settings)}` : why)];
}

const noteOf = ({ note: text }: DataIdentity): string =>
  text === "" ? "no fingerprint" : text.replace(/\.$/, "");

function describeData({ name, size, fingerprint }: DataIdentity): string {
  const facts = [
    ...(size === null ? [] : [`${size} samples`]),
    fingerprint === null ? "no fingerprint" : `fingerprint ${fingerprint.slice(0, 12)}`,
  ];
  return `"${name}" (${facts.join(", ")})`;
}

/** "x.y (1 and 2), z ("a" and nothing)." */
function listSettings(settings: ReturnType<typeof plainDifferences>): string {
  const listed = settings.map(
    ({ path, a, b }) => `${path === "" ? "settings" : path} (${plainText(a)} and ${plainText(b)})`,
  );
  return `Their settings differ: ${listed.join(", ")}.`;
}

function settingDifferences(what: string, a: unknown, b: unknown): readonly Found[] {
  return plainDifferences(a, b).map((one) =>
    refused(
      `${what} ${one.path === "" ? "settings" : one.path} ${plainText(one.a)} and ${plainText(one.b)}.`,
    ),
  );
}

function evaluatorDifferences(a: Provenance, b: Provenance): readonly Found[] {
  if (a.evaluator && b.evaluator)
    return settingDifferences("They were measured with", a.evaluator, b.evaluator);
  if (!a.evaluator && !b.evaluator) return [];
  return [
    unknown(
      "Whether they were measured with the same settings cannot be told: one has no record of its evaluator's.",
    ),
  ];
}

function trainingDataDifferences(a: Provenance, b: Provenance): readonly Found[] {
  if (a.trainData && b.trainData) return dataDifferences("trained on", a.trainData, b.trainData);
  if (!a.trainData && !b.trainData) return [unknown("What either was trained on is not recorded.")];
  const known = (a.trainData ?? b.trainData)!;
  return [
    unknown(`One was trained on ${describeData(known)}; what the other was is not recorded.`),
  ];
}

function budgetDifferences(
  a: TrainingCost | null,
  b: TrainingCost | null,
  { kind, amount }: Budget,
): readonly Found[] {
  if (!a || !b)
    return [unknown(`What ${a || b ? "one of them" : "they"} cost to train is not recorded.`)];
  // A run ends with a whole step.
  const step = Math.max(...[a, b].map((cost) => cost[kind] / Math.max(1, cost.steps)));
  const apart = Math.abs(a[kind] - b[kind]);
  const isSeconds = kind === "seconds";
  if (apart <= Math.max(step, isSeconds ? 0.05 * amount : 0)) return [];
  const unit = { samples: "pictures", flops: "floating-point operations", seconds: "seconds" }[
    kind
  ];
  const spent = `They spent ${amountText(a[kind])} and ${amountText(b[kind])} ${unit} on training`;
  if (isSeconds && apart <= 0.25 * amount)
    return [unknown(`${spent}: the machine was not as fast as when their steps were timed.`)];
  return [refused(`${spent}.`)];
}

function amountText(amount: number): string {
  return amount >= 1e6 ? amount.toExponential(3) : String(Math.round(amount * 100) / 100);
}

function orderDifferences(a: Provenance, b: Provenance): readonly Found[] {
  if (!a.training || !b.training) return [];
  const found: Found[] = [];
  if (a.seed !== b.seed) {
    found.push(
      note(
        `They were trained under seeds ${a.seed ?? "unknown"} and ${b.seed ?? "unknown"}: data came in another order.`,
      ),
    );
  }
  if (a.training.batchSize !== b.training.batchSize) {
    found.push(
      note(`Their batches have ${a.training.batchSize} and ${b.training.batchSize} samples.`),
    );
  }
  return found;
}

/** Keys of a configuration that are looked at elsewhere, are what is compared, or change no result. */
const NO_RECIPE =
  /^(?:name|plugins|seed|backend|tokenizer|model|loss|optimizer|schedule|evaluators|tiny|data\.train|data\.prefetch|training\.(?:batchSize|steps|epochs|duration|checkpointEvery|keepLast|logEvery|rematerialise))(?:\.|$)/;

function recipeDifferences(a: Provenance, b: Provenance): readonly Found[] {
  if (!a.config || !b.config) return [];
  const settings = plainDifferences(a.config, b.config).filter(({ path }) => !NO_RECIPE.test(path));
  return settings.length === 0
    ? []
    : [note(`Beside towers, loss and optimizer, ${listSettings(settings).replace(/^T/, "t")}`)];
}

function codeDifferences(a: Provenance["code"], b: Provenance["code"]): readonly Found[] {
  const found: Found[] = [];
  if (a.diptych !== b.diptych)
    found.push(note(`They ran with Diptych ${a.diptych} and ${b.diptych}.`));
  if (a.commit !== b.commit) {
    found.push(
      note(`They ran from commits ${shortCommit(a.commit)} and ${shortCommit(b.commit)}.`),
    );
  } else if (a.dirty === true || b.dirty === true) {
    found.push(
      note(
        "The working folder had changes that no commit holds: the code may not have been the same.",
      ),
    );
  }
  return found;
}

const shortCommit = (commit: string | null): string => commit?.slice(0, 12) ?? "unknown";
