/** Reading a configuration file (TypeScript, JavaScript, JSON or YAML), the plugins it names, `--tiny` and `--set`. */
import { existsSync } from "node:fs";
import { dirname, extname, isAbsolute, resolve } from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { loadConfig as readConfigFile } from "c12";
import {
  ConfigError,
  overlay,
  parseAssignment,
  resolveConfig,
  resolveEvaluation,
  type ConfigInput,
  type EvaluationConfig,
  type ResolvedConfig,
} from "@diptych/core";
import { installPlugins, isPlugin, type Plugin, type Registry } from "@diptych/core/plugin";
import { defaultPlugins } from "./default-plugins.js";

const EXTENSIONS = [".ts", ".mts", ".js", ".mjs", ".cjs", ".json", ".yaml", ".yml"];

export interface OpenConfigOptions {
  /** Lay the config's own `tiny` over it: a run of seconds. */
  readonly tiny?: boolean;
  /** Assignments `path=value`, applied last. */
  readonly set?: readonly string[];
  /** Plugins beside the default ones and those that the config names. */
  readonly plugins?: readonly Plugin[];
}

/** A configuration that is known to be valid, with what it is resolved against. */
export interface OpenedConfig {
  readonly config: ResolvedConfig;
  readonly registry: Registry;
  /** Folder that relative paths in the config start from. */
  readonly baseDir: string;
  /** Plugins beside the default ones. */
  readonly customPlugins: readonly Plugin[];
  /** What was read, for messages. */
  readonly source: string;
}

/** The same for what only measures a model: a whole configuration, or one of evaluators alone. */
export interface OpenedEvaluation extends Omit<OpenedConfig, "config"> {
  readonly config: EvaluationConfig;
}

/**
 * Reads, merges and checks a configuration file.
 *
 * @throws ConfigError when the file is missing, fails to load, or has problems (all are listed).
 */
export async function openConfigFile(
  file: string,
  options: OpenConfigOptions = {},
): Promise<OpenedConfig> {
  const raw = (await readConfiguration(file)) as ConfigInput;
  return openConfig(raw, { ...options, baseDir: dirname(resolve(file)), source: file });
}

/**
 * As {@link openConfigFile}; a file without `model` and `data` may hold evaluators, with backend, seed and plugins.
 *
 * @throws ConfigError when the file is missing, fails to load, or has problems (all are listed).
 */
export async function openEvaluationFile(
  file: string,
  options: OpenConfigOptions = {},
): Promise<OpenedEvaluation> {
  const raw = (await readConfiguration(file)) as ConfigInput;
  const at = { ...options, baseDir: dirname(resolve(file)), source: file };
  const isWhole = (merged: unknown): boolean =>
    typeof merged === "object" && merged !== null && ("model" in merged || "data" in merged);
  return open(raw, at, (merged, registry, source) =>
    isWhole(merged)
      ? resolveConfig(merged, registry, source)
      : resolveEvaluation(merged, registry, source),
  );
}

/**
 * The default export of a file in any of the configurations' formats, unchecked.
 *
 * @throws ConfigError where it is missing, is of another format, or fails to load.
 */
export async function readConfiguration(file: string): Promise<unknown> {
  const path = resolve(file);
  if (!existsSync(path)) {
    throw new ConfigError(
      `diptych/openConfigFile: ${file}: expected a configuration file, got nothing there. Name one, e.g. configs/emoji.ts.`,
    );
  }
  if (!EXTENSIONS.includes(extname(path))) {
    throw new ConfigError(
      `diptych/openConfigFile: ${file}: expected one of ${EXTENSIONS.join(", ")}, got "${extname(path)}".`,
    );
  }
  try {
    const loaded = await readConfigFile({
      configFile: path,
      cwd: dirname(path),
      rcFile: false,
      globalRc: false,
      packageJson: false,
      dotenv: false,
      extend: false,
      envName: false,
    });
    return loaded.config;
  } catch (cause) {
    throw new ConfigError(
      `diptych/openConfigFile: ${file}: expected it to load, got: ${cause instanceof Error ? cause.message : String(cause)}`,
      [],
      { cause },
    );
  }
}

type ConfigInMemory = OpenConfigOptions & { readonly baseDir?: string; readonly source?: string };

/** The same for a configuration in memory. `baseDir` is where its relative paths start. */
export async function openConfig(
  raw: ConfigInput,
  options: ConfigInMemory = {},
): Promise<OpenedConfig> {
  return open(raw, options, resolveConfig);
}

/** The same for evaluators in memory, without model and data. @throws ConfigError listing every problem. */
export async function openEvaluation(
  raw: unknown,
  options: ConfigInMemory = {},
): Promise<OpenedEvaluation> {
  return open(raw as ConfigInput, options, resolveEvaluation);
}

async function open<C>(
  raw: ConfigInput,
  options: ConfigInMemory,
  resolveMerged: (merged: unknown, registry: Registry, source: string) => C,
): Promise<Omit<OpenedConfig, "config"> & { readonly config: C }> {
  const { baseDir = process.cwd(), source = "config", tiny = false, set = [] } = options;
  let merged: unknown = raw;
  if (tiny) merged = overlay(merged, (raw as { tiny?: unknown }).tiny ?? {});
  for (const assignment of set) merged = overlay(merged, parseAssignment(assignment));
  const named = await loadPlugins((merged as { plugins?: unknown }).plugins, baseDir);
  const customPlugins = [...(options.plugins ?? []), ...named];
  const registry = installPlugins([...defaultPlugins, ...customPlugins]);
  const config = resolveMerged(merged, registry, source);
  return Object.freeze({ config, registry, baseDir, customPlugins, source });
}

/** Plugins given as values or as modules, whose exports are searched for them. */
async function loadPlugins(entries: unknown, baseDir: string): Promise<readonly Plugin[]> {
  if (!Array.isArray(entries)) return [];
  const loaded: Plugin[] = [];
  for (const entry of entries as readonly unknown[]) {
    if (typeof entry === "string") loaded.push(...(await importPlugins(entry, baseDir)));
    // What is no plugin is left to the schema, which says where it stands.
    else if (isPlugin(entry)) loaded.push(entry);
  }
  return loaded;
}

async function importPlugins(name: string, baseDir: string): Promise<readonly Plugin[]> {
  let exports: Record<string, unknown>;
  try {
    const isPath = name.startsWith(".") || isAbsolute(name);
    const path = isPath
      ? resolve(baseDir, name)
      : createRequire(resolve(baseDir, "config.js")).resolve(name);
    exports = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (cause) {
    throw new ConfigError(
      `diptych/openConfig: plugins: expected a module "${name}" from ${baseDir}, got: ${cause instanceof Error ? cause.message : String(cause)}. Install it, or give a path that starts with "./".`,
      [],
      { cause },
    );
  }
  const plugins = Object.values(exports).filter(isPlugin);
  if (plugins.length === 0) {
    throw new ConfigError(
      `diptych/openConfig: plugins: expected "${name}" to export the result of definePlugin, got ${Object.keys(exports).join(", ") || "no exports"}.`,
    );
  }
  return plugins;
}
