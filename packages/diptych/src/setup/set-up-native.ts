/**
 * Brings a native library that no npm package carries: TensorFlow for Node, or ONNX Runtime's CUDA provider.
 * Fetched once per user into the folder of native libraries, outside every node_modules.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { formatBytes } from "@diptych/core";
import { nativeFolder } from "@diptych/core/host";
import { createCudaPlan } from "./cuda-plan.js";
import { fetchWheel } from "./fetch-wheels.js";
import { findChangedFile, recordFiles } from "./recorded-files.js";
import { checkDiskSpace, checkPlatform, checkTools } from "./required-tools.js";
import { isCurrent, readSetup, replaceSetup, type SetupRecord } from "./setup-folder.js";
import type { SetupKind, SetupPlan, SetupWorkspace } from "./setup-plan.js";
import { createTfjsNodePlan } from "./tfjs-node-plan.js";

export interface SetupOptions {
  /** Folder of native libraries; `nativeFolder()` of `@diptych/core/host` by default. */
  readonly folder?: string;
  /** Makes it anew although it is there. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
  /** Lines about what is needed, done and found. */
  readonly log?: (line: string) => void;
  /** Bytes of all downloads that have come. */
  readonly onProgress?: (bytes: number, total: number, file: string) => void;
}

export interface SetupResult {
  readonly kind: SetupKind;
  readonly version: string;
  /** Where it lies. */
  readonly folder: string;
  /** Whether it was there already, or made by this call. */
  readonly status: "present" | "made";
  /** One line: what it is. */
  readonly detail: string;
  /** What else it needs on this machine and what of that is there. */
  readonly notes: readonly string[];
}

/**
 * Sets up `kind`, unless it is there whole and unchanged.
 * @throws BackendError when a tool, disk space, a download or a check fails; nothing half is left then.
 */
export function setUpNative(kind: SetupKind, options: SetupOptions = {}): Promise<SetupResult> {
  const plan =
    kind === "cuda" ? createCudaPlan() : createTfjsNodePlan({ gpu: kind === "tfjs-node-gpu" });
  return runSetup(plan, options);
}

/** As `setUpNative`, by a plan. */
export async function runSetup(plan: SetupPlan, options: SetupOptions): Promise<SetupResult> {
  const { folder: parent = nativeFolder(), force = false, signal, log } = options;
  checkPlatform(plan.elsewhere);
  const folder = join(parent, plan.folderName);
  const present = force ? null : await findPresent(plan, folder, options);
  const record = present ?? (await make(plan, folder, options));
  signal?.throwIfAborted();
  const notes = await plan.notes(folder, signal);
  for (const note of notes) log?.(note);
  const { kind, version } = plan;
  const status = present === null ? "made" : "present";
  return { kind, version, folder, status, detail: record.detail, notes };
}

async function findPresent(
  plan: SetupPlan,
  folder: string,
  { signal, log }: SetupOptions,
): Promise<SetupRecord | null> {
  const record = await readSetup(folder);
  if (record === null) return null;
  if (!isCurrent(record, plan)) {
    log?.(
      `${folder} was made from other files (${record.kind} ${record.version}); making it anew.`,
    );
    return null;
  }
  const changed = await findChangedFile(folder, record.files, signal);
  if (changed === null) return record;
  log?.(`${folder} is damaged: ${changed}; making it anew.`);
  return null;
}

async function make(plan: SetupPlan, folder: string, options: SetupOptions): Promise<SetupRecord> {
  const { signal, log } = options;
  log?.(describeNeeds(plan, folder));
  await checkTools(plan.tools, signal);
  return replaceSetup(folder, async (partial) => {
    await checkDiskSpace(partial, plan.diskBytes);
    const workspace = await openWorkspace(plan, partial, options);
    const paths = await plan.fill(workspace);
    const detail = await workspace.step("check", () => plan.check(partial, signal));
    await rm(workspace.scratch, { recursive: true, force: true });
    const files = await workspace.step("record", () => recordFiles(partial, paths, signal));
    signal?.throwIfAborted();
    const wheels = plan.wheels.map(({ name, version, sha256 }) => ({ name, version, sha256 }));
    return { kind: plan.kind, version: plan.version, detail, wheels, files: [...files] };
  });
}

function describeNeeds({ kind, version, ...plan }: SetupPlan, folder: string): string {
  const wheels = plan.wheels.map((wheel) => `${wheel.name} ${wheel.version}`).join(", ");
  const bytes = plan.wheels.reduce((sum, wheel) => sum + wheel.bytes, 0);
  const tools = plan.tools.map(({ name }) => name).join(", ");
  return (
    `Setting up ${kind} ${version} in ${folder}\n` +
    `  fetches  ${formatBytes(bytes)} from the Python package index (${wheels})` +
    `${plan.alsoFetches === "" ? "" : `, ${plan.alsoFetches}`}\n` +
    `  needs    ${tools}; ${formatBytes(plan.diskBytes)} of disk on the way`
  );
}

async function openWorkspace(
  plan: SetupPlan,
  folder: string,
  { signal, log, onProgress }: SetupOptions,
): Promise<SetupWorkspace> {
  const scratch = join(folder, ".scratch");
  await mkdir(scratch);
  const total = plan.wheels.reduce((sum, wheel) => sum + wheel.bytes, 0);
  let before = 0;
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    signal?.throwIfAborted();
    const begun = performance.now();
    const result = await work();
    log?.(`  ${name.padEnd(12)} ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    return result;
  };
  return {
    folder,
    scratch,
    signal,
    step,
    fetch: (wheel) =>
      step("download", async () => {
        const onBytes = (bytes: number): void => onProgress?.(before + bytes, total, wheel.file);
        const path = await fetchWheel(wheel, scratch, { signal, onBytes });
        before += wheel.bytes;
        return path;
      }),
  };
}
