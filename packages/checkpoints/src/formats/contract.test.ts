import { describeCheckpointFormatContract } from "@diptych/testing";
import { torchZip } from "../torch/torch-zip.test-support.js";
import { writeFileAtomically } from "../atomic-write.js";
import { modelFolder } from "./model-folder.js";
import { openClipFolder } from "./open-clip.js";
import { runState } from "./run-state.js";
import { safetensorsFile } from "./safetensors-file.js";
import { pytorchFile } from "./torch-formats.js";

for (const format of [modelFolder, openClipFolder, runState, safetensorsFile]) {
  describeCheckpointFormatContract({
    name: format.name,
    create: () => format,
    fileName: format.name === "safetensors" ? "model.safetensors" : "model",
  });
}

describeCheckpointFormatContract({
  name: "pytorch",
  create: () => pytorchFile,
  fileName: "model.pt",
  metadata: { epoch: 12, name: "a run" },
  write: (path, { tensors, metadata }) => {
    const entries = Object.fromEntries(tensors);
    return writeFileAtomically(path, [torchZip({ ...metadata, state_dict: entries })]);
  },
});
