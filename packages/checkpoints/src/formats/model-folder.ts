/** A trained model of any towers: its weights, the configuration that builds it and its tokenizer's state. */
import { folderFormat } from "./folder.js";

export const modelFolder = folderFormat({
  name: "diptych",
  tensorsFile: "model.safetensors",
  metadataFile: "diptych.json",
  asInt64: (name) => name.endsWith("num_batches_tracked"),
});
