/** What a set-up is, as data and three functions: what it takes, how its folder is filled, and how it is checked. */
import type { PinnedWheel } from "./pinned-wheels.js";
import type { RequiredTool } from "./required-tools.js";

export const SETUP_KINDS = ["tfjs-node", "tfjs-node-gpu", "cuda"] as const;
export type SetupKind = (typeof SETUP_KINDS)[number];

/** What a plan fills: a folder that takes its final place once it is checked. */
export interface SetupWorkspace {
  readonly folder: string;
  /** For what is needed on the way; gone afterwards. */
  readonly scratch: string;
  readonly signal?: AbortSignal | undefined;
  /** Runs one long part of the work under a name that the user sees. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Fetches and checks a wheel into `scratch`. @returns Its path. */
  fetch(wheel: PinnedWheel): Promise<string>;
}

export interface SetupPlan {
  readonly kind: SetupKind;
  readonly version: string;
  /** Name of the folder under the folder of native libraries. */
  readonly folderName: string;
  readonly wheels: readonly PinnedWheel[];
  /** What else comes over the network, in words; empty where nothing does. */
  readonly alsoFetches: string;
  readonly tools: readonly RequiredTool[];
  /** Most bytes on disk at any time on the way. */
  readonly diskBytes: number;
  /** What to do on platforms that the wheels are not for. */
  readonly elsewhere: string;
  /** Fills the folder. @returns Paths of the files that must never change, relative to it. */
  fill(workspace: SetupWorkspace): Promise<readonly string[]>;
  /** Runs what was set up. @returns One line that says what it is. @throws BackendError when it does not work. */
  check(folder: string, signal?: AbortSignal): Promise<string>;
  /** What else the user should know, one line each. */
  notes(folder: string, signal?: AbortSignal): Promise<readonly string[]>;
}
