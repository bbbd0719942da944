/** What losses read of single towers, with errors that name the tower. */
import { ConfigError, type EncoderOutput, type LossInputs, type Value } from "@diptych/core";

/** Tokens [batch, tokens, width] of a modality. @throws ConfigError where its encoder gives none. */
export function tokensOf(where: string, inputs: LossInputs, modality: string): Value {
  const { tokens } = outputOf(where, inputs, modality);
  if (tokens) return tokens;
  throw new ConfigError(
    `${where}: model.encoders.${modality}: expected an encoder that gives tokens [batch, tokens, width], got one with pooled features alone. Use one that has them, such as vit, modified-resnet or compact-resnet for pictures and text-transformer for texts.`,
  );
}

/** What the tower of a modality gives. @throws ConfigError where the model has none. */
export function outputOf(where: string, { encoded }: LossInputs, modality: string): EncoderOutput {
  const output = encoded[modality];
  if (output) return output;
  throw new ConfigError(
    `${where}: modalities: expected some of ${Object.keys(encoded).join(", ")}, got "${modality}". Add an encoder for it under model.encoders.`,
  );
}

/** Ids of texts, int32 [batch, tokens]: the input of that name. @throws ConfigError where there is none. */
export function idsOf(where: string, { inputs }: LossInputs, text: string): Value {
  const ids = inputs[text];
  if (ids) return ids;
  throw new ConfigError(
    `${where}: ${text}: expected the ids of texts among the model's inputs, got ${Object.keys(inputs).join(", ") || "none"}. Add an encoder under model.encoders whose input has that name.`,
  );
}
