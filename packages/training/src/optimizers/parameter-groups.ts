/** Groups of parameters by name pattern: each parameter belongs to one pattern's group, or to the default one. */
import {
  ConfigError,
  decays,
  type DecayRule,
  type ParameterGroup,
  type ParameterSpec,
} from "@diptych/core";
import { nearestName } from "@diptych/core/plugin";

/** Settings of the parameters whose names match `pattern`. */
export interface GroupConfig {
  /** A glob over state-dict names: `*` is any run of characters, `?` one, e.g. `visual.*` or `*.bias`. */
  readonly pattern: string;
  /** Multiplies the learning rate; 0 freezes. Default 1. */
  readonly learningRateScale?: number | undefined;
  /** Default: the optimizer's own. */
  readonly weightDecay?: number | undefined;
}

export interface GroupRules {
  readonly optimizer: string;
  readonly weightDecay: number;
  readonly decayRule: DecayRule;
  readonly groups: readonly GroupConfig[];
}

export interface ParameterGroups {
  groupOf(spec: ParameterSpec): ParameterGroup;
  checkParameters(specs: readonly ParameterSpec[]): void;
}

function globPattern(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\*/g, ".*").replace(/\?/g, ".")}$`);
}

/**
 * Groups by pattern. A parameter that the decay rule exempts has weight decay 0 in every group.
 */
export function createParameterGroups(rules: GroupRules): ParameterGroups {
  const { optimizer, decayRule } = rules;
  const matchers = rules.groups.map((group) => ({ group, expression: globPattern(group.pattern) }));
  const made = new Map<string, ParameterGroup>();
  const matching = (name: string) =>
    matchers.filter(({ expression }) => expression.test(name)).map(({ group }) => group);

  const groupOf = (spec: ParameterSpec): ParameterGroup => {
    const [group, second] = matching(spec.name);
    if (group && second) {
      throw new ConfigError(
        `training/${optimizer}: groups: expected one pattern per parameter, got "${group.pattern}" and "${second.pattern}" for "${spec.name}". Narrow one of them.`,
      );
    }
    const decayed = decays(spec, decayRule);
    const key = `${group?.pattern ?? "default"}${decayed ? "" : " without decay"}`;
    const known = made.get(key);
    if (known) return known;
    const created = Object.freeze({
      name: key,
      learningRateScale: group?.learningRateScale ?? 1,
      weightDecay: decayed ? (group?.weightDecay ?? rules.weightDecay) : 0,
    });
    made.set(key, created);
    return created;
  };

  const checkParameters = (specs: readonly ParameterSpec[]): void => {
    const weights = specs.filter(({ role }) => role === "weight");
    const names = weights.map(({ name }) => name);
    const problems = [
      ...matchers
        .filter(({ expression }) => !names.some((name) => expression.test(name)))
        .map(({ group }) => unmatched(group.pattern, names)),
      ...names.flatMap((name) => {
        const patterns = matching(name).map(({ pattern }) => `"${pattern}"`);
        return patterns.length > 1
          ? [`"${name}" matches ${patterns.join(" and ")}; each parameter belongs to one group`]
          : [];
      }),
    ];
    if (problems.length === 0) return;
    throw new ConfigError(
      `training/${optimizer}: groups: expected each pattern to match some parameter and each parameter one pattern at most, got ${problems.length === 1 ? "1 problem" : `${problems.length} problems`}:\n${problems.map((line) => `  ${line}`).join("\n")}\nNarrow or remove those patterns.`,
      problems.map((message) => ({ path: "optimizer.groups", message })),
    );
  };

  return Object.freeze({ groupOf, checkParameters });
}

function unmatched(pattern: string, names: readonly string[]): string {
  const plain = pattern.replace(/[*?]/g, "");
  const nearest = nearestName(plain, names) ?? names.find((name) => name.includes(plain));
  // The nearest name may hide behind a prefix: compare the pattern with the ends of names, too.
  const ends = new Map(
    names.flatMap((name) => {
      const parts = name.split(".");
      return parts.map((_, i) => [parts.slice(i).join("."), name] as const);
    }),
  );
  const byEnd = nearestName(plain.replace(/^\./, ""), ends.keys());
  const shown = nearest ?? (byEnd === undefined ? undefined : ends.get(byEnd));
  const hint =
    shown === undefined ? `names are such as "${names[0] ?? ""}"` : `nearest name "${shown}"`;
  return `"${pattern}" matches no parameter; ${hint}`;
}
