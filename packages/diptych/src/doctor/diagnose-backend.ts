/** What one backend finds on this machine: what its declaration says, or whether it can be created where that says nothing. */
import type { Backend } from "@diptych/core";
import type { BackendFinding, Part } from "@diptych/core/plugin";
import {
  createBackendOf,
  partText,
  registryOf,
  resolveBackend,
  type PluginSource,
} from "../backend-parts.js";

export interface DiagnoseInput {
  readonly source: PluginSource;
  /** The backend's type; with the settings to try where the plugin does not diagnose itself. */
  readonly part: Part;
}

/** Run in a process of its own. @throws RegistryError on a type that no plugin provides; what `diagnose` throws. */
export async function diagnoseBackend({
  source,
  part,
}: DiagnoseInput): Promise<readonly BackendFinding[]> {
  const registry = await registryOf(source);
  const { diagnose } = registry.find("backend", part.type);
  if (diagnose) return diagnose();
  try {
    resolveBackend(part, registry);
  } catch (error) {
    const detail = `${partText(part)} is not enough to create it: ${messageOf(error)}. \`diptych doctor --config FILE\` tries it with a configuration's settings.`;
    return [{ part, status: "missing", detail }];
  }
  let backend: Backend | undefined;
  try {
    backend = await createBackendOf(part, registry, () => undefined);
    return [{ part, status: "ready", detail: backend.describe() }];
  } catch (error) {
    return [{ part, status: "broken", detail: messageOf(error) }];
  } finally {
    await backend?.dispose();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
