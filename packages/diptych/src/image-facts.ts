/** What a model's image tower says of its input. */
import { ConfigError, type MultiEncoder } from "@diptych/core";

/** Size of the image tower's input. @throws ConfigError where the tower does not say. */
export function imageFacts(model: MultiEncoder): {
  readonly imageHeight: number;
  readonly imageWidth: number;
} {
  const facts = model.encoders["image"]?.facts ?? {};
  const { imageHeight, imageWidth } = facts;
  if (typeof imageHeight === "number" && typeof imageWidth === "number") {
    return { imageHeight, imageWidth };
  }
  throw new ConfigError(
    `diptych/imageFacts: image encoder: expected facts imageHeight and imageWidth, got ${Object.keys(facts).join(", ") || "none"}. Add them to what the encoder's plugin returns.`,
  );
}
