/** What an engine is: a device for the executor, what it can do, and what it says of itself. */
import type { BackendCapabilities } from "@diptych/core";
import type { Device } from "../executor/device.js";

/** Fastest first: the order in which `auto` tries them. */
export const ENGINE_NAMES = ["node-gpu", "node", "webgpu", "wasm", "cpu"] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];
export type EngineChoice = EngineName | "auto";

export interface Engine {
  readonly name: EngineName;
  readonly capabilities: BackendCapabilities;
  /** One line: versions, device, threads. */
  readonly description: string;
  /** Whether it is far slower than the machine: plain JavaScript, or a software renderer in place of a GPU. */
  readonly slow: boolean;
  readonly device: Device;
}
