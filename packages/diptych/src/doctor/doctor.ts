/** `diptych doctor`: the machine, what each backend finds on it, and how fast each engine multiplies. */
import { readFile } from "node:fs/promises";
import {
  installPlugins,
  type BackendFinding,
  type Part,
  type Registry,
} from "@diptych/core/plugin";
import { isPartOf, partLabel, type PluginSource } from "../backend-parts.js";
import { defaultPlugins } from "../default-plugins.js";
import { runIsolated } from "../isolated/run-isolated.js";
import { openConfigFile } from "../load-config.js";
import { findGpuFacts, type GpuFacts } from "./gpu-facts.js";
import { findMachineFacts, type MachineFacts } from "./machine-facts.js";
import type { BackendRates } from "./measure-backend.js";
import { findNativeFacts, type NativeFacts } from "./native-facts.js";

export interface DoctorOptions extends PluginSource {
  /** Multiply matrices on each engine that is ready (default true). */
  readonly measure?: boolean;
  /** Milliseconds for each engine and type (default 1000). */
  readonly budgetMs?: number;
  /** Milliseconds that an engine may take to answer, its start included (default 60,000). */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly on?: (event: DoctorEvent) => void;
}

/** What is being looked at. */
export interface DoctorEvent {
  readonly what: string;
  readonly done: number;
  readonly total: number;
}

/** One engine or provider. `broken` where it said that it is ready and then failed to multiply. */
export interface EngineReport extends BackendFinding {
  /** `tfjs:wasm`. */
  readonly label: string;
  /** Whether the configuration, or Diptych without one, runs on it. */
  readonly isDefault: boolean;
  readonly rates: BackendRates | null;
}

export interface BackendReport {
  readonly type: string;
  readonly plugin: string;
  readonly engines: readonly EngineReport[];
}

export interface DoctorReport {
  readonly versions: { readonly diptych: string; readonly node: string };
  readonly machine: MachineFacts;
  readonly native: NativeFacts;
  readonly gpus: GpuFacts;
  readonly backends: readonly BackendReport[];
  /** What a run takes: the configuration's backend, or `{ type: "onnx" }`. */
  readonly defaultBackend: Part;
  /** Whether that one works. */
  readonly healthy: boolean;
}

/**
 * Looks at everything. Each backend is asked, and each engine measured, in a process of its own: what crashes there is a
 * finding.
 *
 * @throws ConfigError where a configuration is given that does not load; the signal's reason.
 */
export async function runDoctor(options: DoctorOptions = {}): Promise<DoctorReport> {
  const { measure = true, on = () => undefined } = options;
  const { registry, defaultBackend, source } = await openSource(options);
  const types = registry.list("backend");
  on({ what: "looking for backends", done: 0, total: types.length });
  const found = await Promise.all(
    types.map(async ({ plugin, declaration: { type } }): Promise<BackendReport> => {
      const part = type === defaultBackend.type ? defaultBackend : { type };
      const findings = await diagnose({ source, part }, options);
      const engines = findings.map((finding) => ({
        ...finding,
        label: partLabel(finding.part),
        isDefault: isPartOf(finding.part, defaultBackend, registry),
        rates: null,
      }));
      return { type, plugin, engines };
    }),
  );
  const backends = measure ? await measureAll(found, source, options) : found;
  const [machine, native, gpus] = await Promise.all([
    findMachineFacts(),
    findNativeFacts(),
    findGpuFacts(),
  ]);
  return {
    versions: { diptych: await ownVersion(), node: process.versions.node },
    machine,
    native,
    gpus,
    backends,
    defaultBackend,
    healthy: isHealthy(backends, defaultBackend),
  };
}

interface OpenedSource {
  readonly registry: Registry;
  readonly defaultBackend: Part;
  readonly source: PluginSource;
}

async function openSource({ config, tiny, set }: DoctorOptions): Promise<OpenedSource> {
  if (config === undefined) {
    const registry = installPlugins(defaultPlugins);
    return { registry, defaultBackend: { type: "onnx" }, source: {} };
  }
  const overlays = { ...(tiny === undefined ? {} : { tiny }), ...(set ? { set } : {}) };
  const opened = await openConfigFile(config, overlays);
  const defaultBackend = opened.config.plain["backend"] as Part;
  return { registry: opened.registry, defaultBackend, source: { config, ...overlays } };
}

/** What a backend finds; a process that died on the way is a finding about all of it. */
async function diagnose(
  input: { readonly source: PluginSource; readonly part: Part },
  { signal, timeoutMs = 60_000 }: DoctorOptions,
): Promise<readonly BackendFinding[]> {
  const outcome = await runIsolated("diagnose", input, { signal, timeoutMs });
  if (outcome.status === "done") return outcome.value;
  return [{ part: input.part, status: "broken", detail: outcome.reason }];
}

/** One after the other: two at once would slow each other down. */
async function measureAll(
  found: readonly BackendReport[],
  source: PluginSource,
  options: DoctorOptions,
): Promise<readonly BackendReport[]> {
  const { signal, budgetMs = 1000, timeoutMs = 60_000, on = () => undefined } = options;
  const ready = found.flatMap(({ engines }) => engines.filter(({ status }) => status === "ready"));
  const measured = new Map<EngineReport, EngineReport>();
  for (const [i, engine] of ready.entries()) {
    on({ what: `measuring ${engine.label}`, done: i, total: ready.length });
    const { part } = engine;
    const outcome = await runIsolated("measure", { source, part, budgetMs }, { signal, timeoutMs });
    measured.set(
      engine,
      outcome.status === "done"
        ? { ...engine, rates: outcome.value }
        : { ...engine, status: "broken", detail: outcome.reason },
    );
  }
  on({ what: "measured", done: ready.length, total: ready.length });
  return found.map((backend) => ({
    ...backend,
    engines: backend.engines.map((engine) => measured.get(engine) ?? engine),
  }));
}

/** The chosen engine is ready; where the backend chooses by itself, any of its own is. */
function isHealthy(backends: readonly BackendReport[], { type }: Part): boolean {
  const engines = backends.find((backend) => backend.type === type)?.engines ?? [];
  const chosen = engines.filter(({ isDefault }) => isDefault);
  return (chosen.length > 0 ? chosen : engines).some(({ status }) => status === "ready");
}

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
