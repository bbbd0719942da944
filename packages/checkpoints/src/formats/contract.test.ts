import { describeCheckpointFormatContract } from "@diptych/testing";
import { CHECKPOINT_FORMATS } from "../open-checkpoint.js";

for (const format of CHECKPOINT_FORMATS) {
  describeCheckpointFormatContract({
    name: format.name,
    create: () => format,
    fileName: format.name === "safetensors" ? "model.safetensors" : "model",
  });
}
