// The models of the inference benchmark: ViT-B/32 and RN50 with weights from a seed, written once as open_clip folders
// (which PyTorch's open_clip reads too) and, for the ViT, as the folder of transformers.js.
import { existsSync } from "node:fs";
import path from "node:path";
import { buildEncoders, createRandom, initialiseParameters } from "@diptych/core";
import { openClipFolder } from "@diptych/checkpoints";
import { cacheFolder, convertModel, createOpenClipModel, openClipConfigs } from "diptych";

const names = { vit: "ViT-B-32", rn50: "RN50" };

/** Folders by model and layout; made where they are missing (some minutes, 3 GB). */
export async function prepareModels() {
  const folders = {};
  for (const [key, name] of Object.entries(names)) folders[key] = await prepareModel(name);
  const transformersJs = path.join(cacheFolder(), "bench", "ViT-B-32-transformers-js");
  if (!existsSync(path.join(transformersJs, "config.json"))) {
    await convertModel(folders.vit, transformersJs, {
      format: "transformers.js",
      dtypes: ["fp32", "int8"],
    });
  }
  return { ...folders, transformersJs };
}

/** The open_clip folder of one model. */
export async function prepareModel(name) {
  const folder = path.join(cacheFolder(), "bench", name);
  if (!existsSync(path.join(folder, "open_clip_model.safetensors"))) await writeModel(folder, name);
  return folder;
}

async function writeModel(folder, name) {
  const modelConfig = openClipConfigs[name];
  const specs = buildEncoders({ ...createOpenClipModel(modelConfig), mode: "eval" }).parameters;
  const tensors = initialiseParameters(specs, createRandom(0));
  const metadata = {
    model_cfg: modelConfig,
    preprocess_cfg: {
      mean: [0.48145466, 0.4578275, 0.40821073],
      std: [0.26862954, 0.26130258, 0.27577711],
    },
  };
  await openClipFolder.write(folder, { tensors, metadata });
}
