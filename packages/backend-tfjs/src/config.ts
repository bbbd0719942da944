/** Configuration of the backend `tfjs`. */
import { partConstructor } from "@diptych/core/plugin";
import { z } from "zod";
import { ENGINE_NAMES } from "./engines/engine.js";

export const tfjsSchema = z.strictObject({
  /** What computes; `auto`: the fastest that is present. */
  engine: z.enum(["auto", ...ENGINE_NAMES]).default("auto"),
  /** Threads within one operator, of the engine node; default: all cores. */
  threads: z.int().min(1).optional(),
});

export type TfjsConfig = z.output<typeof tfjsSchema>;

/** The backend in a configuration: `backend: tfjs({ engine: "node" })`. */
export const tfjs = partConstructor("tfjs", tfjsSchema);
