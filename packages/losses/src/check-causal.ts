/** A text tower whose tokens a decoder reads must not look ahead. */
import { ConfigError, type Encoder } from "@diptych/core";

/** @throws ConfigError where the text tower says that its tokens see those after them. */
export function checkCausal(
  text: string,
  encoders: Readonly<Record<string, Encoder>> | undefined,
): void {
  if (encoders?.[text]?.facts["attention"] !== "bidirectional") return;
  throw new ConfigError(
    `losses/captioning: over: expected a causal text tower for over: "tokens", got a bidirectional one, whose tokens give the next id away (model.encoders.${text}). Set its attention: "causal", or over: "ids".`,
  );
}
