/** Backends as parts of a configuration: their short names, and creating one that no configuration file holds. */
import { ConfigError, problemsOf, type Backend, type ResolvedPart } from "@diptych/core";
import { installPlugins, type Part, type Registry } from "@diptych/core/plugin";
import { defaultPlugins } from "./default-plugins.js";
import { openConfigFile, type OpenConfigOptions } from "./load-config.js";

/** Where another process finds the plugins: a configuration file as it is opened here, or the default ones. */
export interface PluginSource extends Pick<OpenConfigOptions, "tiny" | "set"> {
  readonly config?: string;
}

export async function registryOf({ config, ...options }: PluginSource): Promise<Registry> {
  if (config === undefined) return installPlugins(defaultPlugins);
  return (await openConfigFile(config, options)).registry;
}

/** `tfjs:wasm` for `{ type: "tfjs", engine: "wasm" }`: the type and the values of its settings. */
export function partLabel({ type, ...settings }: Part): string {
  return [type, ...Object.values(settings).map(settingText)].join(":");
}

function settingText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** `{ type: "tfjs", engine: "wasm" }`, as it is written in a configuration. */
export function partText(part: Part): string {
  const entries = Object.entries(part).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `{ ${entries.join(", ")} }`;
}

/** A part checked by its plugin. @throws ConfigError, RegistryError with what is wrong. */
export function resolveBackend(part: Part, registry: Registry): ResolvedPart<"backend"> {
  const declaration = registry.find("backend", part.type);
  const { type: _, ...settings } = part;
  const parsed = declaration.schema.safeParse(settings);
  if (parsed.success) return { declaration, config: parsed.data };
  const problems = problemsOf(parsed.error, declaration.schema, settings, ["backend"]);
  throw new ConfigError(
    `diptych/backend: ${partText(part)}: ${problems.map(({ path, message }) => `${path}: ${message}`).join("; ")}`,
    problems,
  );
}

/** Whether `whole`, its defaults filled in, chooses the engine that `part` names. */
export function isPartOf(part: Part, whole: Part, registry: Registry): boolean {
  if (part.type !== whole.type) return false;
  const settings = resolveBackend(whole, registry).config as Readonly<Record<string, unknown>>;
  return Object.entries(part).every(([key, value]) => key === "type" || settings[key] === value);
}

/** A backend of its own, outside any run. @throws BackendError, ConfigError, RegistryError. */
export async function createBackendOf(
  part: Part,
  registry: Registry,
  log: (line: string) => void,
): Promise<Backend> {
  const { declaration, config } = resolveBackend(part, registry);
  return declaration.create(config as never, { log });
}
