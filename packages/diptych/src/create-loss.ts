/** The loss of a configuration, and the losses inside it, made by their plugins. */
import { ConfigError, type Loss, type MultiEncoder, type Tokenizer } from "@diptych/core";
import type { Part } from "@diptych/core/plugin";
import type { OpenedConfig } from "./load-config.js";

/** @throws ConfigError on settings of an inner loss that do not fit, and what the plugins throw. */
export function createLoss(
  { config, registry }: Pick<OpenedConfig, "config" | "registry">,
  { encoders, embedDim }: MultiEncoder,
  tokenizer: Tokenizer,
): Loss {
  const dependencies = {
    modalities: Object.keys(encoders),
    embedDim,
    encoders,
    tokenizer,
    createLoss: (inner: Part): Loss => {
      const declaration = registry.find("loss", inner.type);
      const { type: _, ...settings } = inner;
      const parsed = declaration.schema.safeParse(settings);
      if (!parsed.success) {
        const problems = parsed.error.issues.map((issue) => ({
          path: ["loss", inner.type, ...issue.path].join("."),
          message: issue.message,
        }));
        throw new ConfigError(
          `diptych/loss: ${inner.type}: ${problems.map(({ path, message }) => `${path}: ${message}`).join("; ")}`,
          problems,
        );
      }
      return declaration.create(parsed.data as never, dependencies) as Loss;
    },
  };
  // The declaration's own schema has made the configuration, so the factory's type holds.
  return config.loss.declaration.create(config.loss.config as never, dependencies) as Loss;
}
