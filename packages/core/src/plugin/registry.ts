/** The registry: what installed plugins provide, by kind and type. Data only; instances live in a run. */
import { RegistryError } from "../errors.js";
import {
  CONTRACT_VERSION,
  isPlugin,
  type Declaration,
  type Plugin,
  type PluginKind,
} from "./define-plugin.js";
import { suggestName } from "./nearest-name.js";

export interface Registry {
  /** @throws RegistryError listing what is known and the nearest name. */
  find<K extends PluginKind>(kind: K, type: string): Declaration<K>;
  has(kind: PluginKind, type: string): boolean;
  /** Declarations of one kind, or all, with the plugin each came from. */
  list(
    kind?: PluginKind,
  ): readonly { readonly plugin: string; readonly declaration: Declaration }[];
  readonly plugins: readonly Plugin[];
}

/**
 * A registry of what `plugins` provide.
 *
 * @throws RegistryError on a value that is no plugin, another contract version, or a name declared twice.
 */
export function installPlugins(plugins: readonly Plugin[]): Registry {
  const entries = new Map<string, { plugin: string; declaration: Declaration }>();
  const names = new Set<string>();
  for (const plugin of plugins) {
    checkPlugin(plugin, names);
    for (const declaration of plugin.provides) {
      const key = `${declaration.kind}/${declaration.type}`;
      const before = entries.get(key);
      if (before) {
        throw new RegistryError(
          `core/installPlugins: ${declaration.kind} "${declaration.type}": expected one declaration, got two (plugins "${before.plugin}" and "${plugin.name}"). Rename one.`,
        );
      }
      entries.set(key, { plugin: plugin.name, declaration });
    }
  }
  const list = (kind?: PluginKind) =>
    [...entries.values()].filter((e) => !kind || e.declaration.kind === kind);
  return Object.freeze({
    plugins: Object.freeze([...plugins]),
    list,
    has: (kind: PluginKind, type: string) => entries.has(`${kind}/${type}`),
    find: <K extends PluginKind>(kind: K, type: string): Declaration<K> => {
      const entry = entries.get(`${kind}/${type}`);
      if (entry) return entry.declaration as unknown as Declaration<K>;
      const known = list(kind).map((e) => e.declaration.type);
      throw new RegistryError(
        `core/registry: ${kind}: expected an installed one, got "${type}". ${suggestName(type, known)}`,
      );
    },
  });
}

function checkPlugin(plugin: Plugin, names: Set<string>): void {
  if (!isPlugin(plugin)) {
    throw new RegistryError(
      `core/installPlugins: plugin: expected the result of definePlugin, got ${describe(plugin)}. Export one from the plugin's module.`,
    );
  }
  if (plugin.contract !== CONTRACT_VERSION) {
    throw new RegistryError(
      `core/installPlugins: plugin "${plugin.name}": expected contract ${CONTRACT_VERSION}, got ${plugin.contract}. Install a version of it that is made for this core.`,
    );
  }
  if (names.has(plugin.name)) {
    throw new RegistryError(
      `core/installPlugins: plugin "${plugin.name}": expected each once, got it twice. Remove one.`,
    );
  }
  names.add(plugin.name);
}

function describe(value: unknown): string {
  return typeof value === "object" && value !== null
    ? `an object with ${Object.keys(value).join(", ") || "no keys"}`
    : typeof value;
}
