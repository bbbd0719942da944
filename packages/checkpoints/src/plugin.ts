/** The checkpoint formats as a plugin. */
import { checkpointFormat, definePlugin } from "@diptych/core/plugin";
import { z } from "zod";
import { CHECKPOINT_FORMATS } from "./open-checkpoint.js";

const SUMMARIES: Readonly<Record<string, string>> = {
  diptych: "a folder with weights, configuration and tokenizer of any model",
  "open-clip": "a folder as open_clip writes it",
  "hugging-face": "a folder of transformers' CLIPModel",
  "run-state": "everything a run needs to go on at one step",
  openai: "a TorchScript archive as OpenAI published its models (read only)",
  pytorch: "what torch.save writes: a state dict or a training checkpoint (read only)",
  safetensors: "one safetensors file",
};

export const checkpointsPlugin = definePlugin({
  name: "@diptych/checkpoints",
  contract: 1,
  provides: CHECKPOINT_FORMATS.map((format) =>
    checkpointFormat(format.name, {
      summary: SUMMARIES[format.name] ?? format.name,
      schema: z.strictObject({}),
      create: () => format,
    }),
  ),
});
