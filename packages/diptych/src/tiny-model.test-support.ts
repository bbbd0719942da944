// A model folder as training writes it, small, with CLIP's whole vocabulary; its weights are drawn, not learned.
import {
  buildEncoders,
  createConfiguredModel,
  createRandom,
  initialiseParameters,
} from "@diptych/core";
import { vit } from "@diptych/encoders-vit";
import { createBpeTokenizer, textTransformer } from "@diptych/text-transformer";
import { openConfig } from "./load-config.js";
import { saveModel } from "./model-folder.js";

/** Pictures of 8 pixels, features of 8 numbers, texts of up to 12 ids; both towers, or `only` one of them. */
export async function writeTinyModel(folder: string, only?: "image" | "text"): Promise<void> {
  const encoders = {
    image: vit({ imageSize: 8, patchSize: 4, width: 16, layers: 1, heads: 2 }),
    text: textTransformer({ width: 16, layers: 1, heads: 2 }),
  };
  const opened = await openConfig({
    model: {
      embedDim: 8,
      encoders: only === undefined ? encoders : { [only]: encoders[only] },
    },
    data: { train: { type: "emoji" }, mean: [0.5, 0.4, 0.3] },
  } as never);
  const tokenizer = createBpeTokenizer({ contextLength: 12, truncate: "cut" });
  const model = createConfiguredModel(opened.config.model, { tokenizer });
  const specs = buildEncoders({ ...model, mode: "eval" }).parameters;
  const parameters = initialiseParameters(specs, createRandom(1));
  await saveModel(folder, { config: opened.config, tokenizer, parameters, step: 7 });
}
