/** Resolving in two steps: the shell, then each part with its own plugin's strict schema. All problems are reported at once. */
import { type ConfigProblem, isDiptychError } from "../errors.js";
import type { Declaration, Part, PluginKind } from "../plugin/define-plugin.js";
import type { Registry } from "../plugin/registry.js";
import { formatPath, problemsOf, throwProblems } from "./problems.js";
import { rootSchema, type ConfigShell } from "./root-schema.js";
import { knownKeysAt } from "./schema-keys.js";
import { uniqueNames } from "./unique-names.js";

/** A part whose configuration its plugin has checked. */
export interface ResolvedPart<K extends PluginKind = PluginKind> {
  readonly declaration: Declaration<K>;
  /** With the plugin's defaults, without `type`. */
  readonly config: unknown;
}

/** A configuration in which every part is known to be valid. */
export interface ResolvedConfig extends Omit<
  ConfigShell,
  | "plugins"
  | "tiny"
  | "backend"
  | "tokenizer"
  | "loss"
  | "optimizer"
  | "schedule"
  | "model"
  | "data"
  | "evaluators"
> {
  readonly backend: ResolvedPart<"backend">;
  readonly tokenizer: ResolvedPart<"tokenizer">;
  readonly loss: ResolvedPart<"loss">;
  readonly optimizer: ResolvedPart<"optimizer">;
  readonly schedule: ResolvedPart<"schedule">;
  readonly model: Omit<ConfigShell["model"], "encoders"> & {
    readonly encoders: Readonly<Record<string, ResolvedPart<"encoder">>>;
  };
  readonly data: Omit<ConfigShell["data"], "train" | "transform"> & {
    readonly train: ResolvedPart<"dataset">;
    readonly transform?: ResolvedPart<"transform">;
  };
  readonly evaluators: readonly {
    /** Of the entry, else its evaluator's type; the second of one name is `name-2`. */
    readonly name: string;
    readonly evaluator: ResolvedPart<"evaluator">;
    readonly dataset: ResolvedPart<"dataset">;
    readonly trainDataset?: ResolvedPart<"dataset">;
  }[];
  /** The configuration as plain JSON with every default: written beside checkpoints. */
  readonly plain: Readonly<Record<string, unknown>>;
  /** Modules that the configuration names plugins by; plugins given as values have no name to save. */
  readonly pluginModules: readonly string[];
}

/** What measuring needs of a configuration. */
export type EvaluationConfig = Pick<ResolvedConfig, "name" | "seed" | "backend" | "evaluators">;

/** Where parts are looked up and their problems gathered. */
interface Resolution {
  readonly registry: Registry;
  readonly problems: ConfigProblem[];
}

/** Checks one part with its plugin; returns undefined after adding its problems. */
function resolvePart<K extends PluginKind>(
  { registry, problems }: Resolution,
  kind: K,
  part: Part,
  path: readonly PropertyKey[],
): ResolvedPart<K> | undefined {
  const at = formatPath(path);
  try {
    const declaration = registry.find(kind, part.type);
    const modality = String(path.at(-1));
    if (declaration.modality !== undefined && declaration.modality !== modality) {
      problems.push({
        path: at,
        message: `expected an encoder of ${modality}, got "${part.type}", which encodes ${declaration.modality}`,
      });
      return undefined;
    }
    const { type: _, ...inside } = part;
    const parsed = declaration.schema.safeParse(inside);
    if (parsed.success) return { declaration, config: parsed.data };
    const found = problemsOf(parsed.error, declaration.schema, inside, path);
    problems.push(...found.map((problem) => withOwner(problem, { registry, kind, part, at })));
  } catch (error) {
    if (!isDiptychError(error, "REGISTRY")) throw error;
    problems.push({ path: `${at}.type`, message: error.message.replace(/^[^:]*: /, "") });
  }
  return undefined;
}

interface PartPlace {
  readonly registry: Registry;
  readonly kind: PluginKind;
  readonly part: Part;
  /** Path of the part. */
  readonly at: string;
}

/** An unknown key of one backend may be another's: that one is named, with how to choose it. */
function withOwner(problem: ConfigProblem, { registry, kind, part, at }: PartPlace): ConfigProblem {
  const key = problem.path.slice(at.length + 1);
  if (kind !== "backend" || !problem.message.startsWith("unknown key. Known")) return problem;
  const owner = registry
    .list(kind)
    .find(
      ({ declaration: { schema, type } }) =>
        type !== part.type && knownKeysAt(schema, []).includes(key),
    );
  if (!owner) return problem;
  const { type } = owner.declaration;
  const message = `${problem.message} "${type}" has it: --set ${at}.type=${type} chooses that one.`;
  return { ...problem, message };
}

/**
 * Checks a whole configuration against the shell's schema and each part's own.
 *
 * @param source Name of the file, for the error.
 * @throws ConfigError listing every problem with its path.
 */
export function resolveConfig(raw: unknown, registry: Registry, source = "config"): ResolvedConfig {
  const parsed = rootSchema.safeParse(raw);
  if (!parsed.success) {
    throwProblems(source, [
      ...problemsOf(parsed.error, rootSchema, raw),
      ...partProblems(raw, registry),
    ]);
  }
  const shell = parsed.data as ConfigShell;
  const problems: ConfigProblem[] = [];
  const resolve = <K extends PluginKind>(kind: K, part: Part, ...path: PropertyKey[]) =>
    resolvePart({ registry, problems }, kind, part, path);

  const backend = resolve("backend", shell.backend, "backend");
  const tokenizer = resolve("tokenizer", shell.tokenizer, "tokenizer");
  const loss = resolve("loss", shell.loss, "loss");
  const optimizer = resolve("optimizer", shell.optimizer, "optimizer");
  const schedule = resolve("schedule", shell.schedule, "schedule");
  const train = resolve("dataset", shell.data.train, "data", "train");
  const transform =
    shell.data.transform && resolve("transform", shell.data.transform, "data", "transform");
  const encoders = Object.entries(shell.model.encoders).map(
    ([modality, part]) =>
      [modality, resolve("encoder", part, "model", "encoders", modality)] as const,
  );
  const evaluators = resolveEvaluators({ registry, problems }, shell.evaluators);
  throwProblems(source, problems);

  const { plugins, tiny: _tiny, ...plain } = shell;
  return Object.freeze({
    ...shell,
    backend,
    tokenizer,
    loss,
    optimizer,
    schedule,
    model: { ...shell.model, encoders: Object.fromEntries(encoders) },
    data: { ...shell.data, train, transform },
    evaluators,
    plain,
    pluginModules: plugins.filter((entry) => typeof entry === "string"),
  }) as unknown as ResolvedConfig;
}

function resolveEvaluators(
  resolution: Resolution,
  entries: ConfigShell["evaluators"],
): readonly unknown[] {
  const names = uniqueNames(entries.map(({ name, evaluator }) => name ?? evaluator.type));
  return entries.map((entry, i) => {
    const resolve = (kind: PluginKind, part: Part, key: string) =>
      resolvePart(resolution, kind, part, ["evaluators", i, key]);
    const { evaluator, dataset, trainDataset } = entry;
    return {
      name: names[i],
      evaluator: resolve("evaluator", evaluator, "evaluator"),
      dataset: resolve("dataset", dataset, "dataset"),
      ...(trainDataset ? { trainDataset: resolve("dataset", trainDataset, "trainDataset") } : {}),
    };
  });
}

const evaluationSchema = rootSchema.pick({
  name: true,
  plugins: true,
  seed: true,
  backend: true,
  evaluators: true,
});

/**
 * As {@link resolveConfig}, for a configuration that only measures: without model, data and what trains.
 *
 * @throws ConfigError listing every problem with its path.
 */
export function resolveEvaluation(
  raw: unknown,
  registry: Registry,
  source = "config",
): EvaluationConfig {
  const parsed = evaluationSchema.safeParse(raw);
  if (!parsed.success) throwProblems(source, problemsOf(parsed.error, evaluationSchema, raw));
  const { name, seed, backend, evaluators } = parsed.data as ConfigShell;
  const resolution: Resolution = { registry, problems: [] };
  const resolved = {
    name,
    seed,
    backend: resolvePart(resolution, "backend", backend, ["backend"]),
    evaluators: resolveEvaluators(resolution, evaluators),
  };
  throwProblems(source, resolution.problems);
  return Object.freeze(resolved) as unknown as EvaluationConfig;
}

/** When the shell itself is wrong: the problems of the parts that can still be recognised, so that all come at once. */
function partProblems(raw: unknown, registry: Registry): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const at = (...path: string[]): unknown =>
    path.reduce<unknown>(
      (value, key) =>
        typeof value === "object" && value !== null
          ? (value as Record<string, unknown>)[key]
          : undefined,
      raw,
    );
  const check = (kind: PluginKind, ...path: string[]): void => {
    const part = at(...path);
    if (typeof part === "object" && part !== null && typeof (part as Part).type === "string") {
      resolvePart({ registry, problems }, kind, part as Part, path);
    }
  };
  for (const kind of ["backend", "tokenizer", "loss", "optimizer", "schedule"] as const)
    check(kind, kind);
  check("dataset", "data", "train");
  check("transform", "data", "transform");
  const encoders = at("model", "encoders");
  if (typeof encoders === "object" && encoders !== null) {
    for (const modality of Object.keys(encoders)) check("encoder", "model", "encoders", modality);
  }
  return problems;
}
