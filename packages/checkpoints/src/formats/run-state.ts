/** The state of a run at one step: parameters, buffers, optimizer slots and averages, with step, seed and configuration. */
import { folderFormat } from "./folder.js";

export const runState = folderFormat({
  name: "run-state",
  tensorsFile: "state.safetensors",
  metadataFile: "state.json",
});
