/** A plugin's part made as a run makes it: the part goes through the schema, the factory gets small dependencies. */
import {
  installPlugins,
  type Part,
  type Plugin,
  type PluginKind,
  type PluginKinds,
} from "@diptych/core/plugin";

/** Dependencies of a tiny model, where a test gives no others. */
const TINY: { readonly [K in PluginKind]?: Partial<PluginKinds[K]["dependencies"]> } = {
  encoder: { modality: "image", embedDim: 6 },
  loss: { modalities: ["image", "text"], embedDim: 4 },
  schedule: { totalSteps: 100 },
  transform: { imageHeight: 8, imageWidth: 8 },
};

/**
 * What `plugin` makes of `part`, as a configuration that holds the part would.
 *
 * @param dependencies Those that matter to the test; an encoder is one of images and of 6 features, a loss one of image
 * and text and of 4, unless others are given.
 * @throws RegistryError where the plugin has no such type, and zod's error where the part does not fit its schema.
 * @example
 * describeLossContract({ name: "hinge", create: () => createPart(myPlugin, "loss", hinge({ margin: 0.1 })) });
 */
export function createPart<K extends "encoder" | "loss" | "optimizer" | "schedule" | "transform">(
  plugin: Plugin,
  kind: K,
  { type, ...settings }: Part,
  dependencies: Partial<PluginKinds[K]["dependencies"]> = {},
): PluginKinds[K]["result"] {
  const { schema, create } = installPlugins([plugin]).find(kind, type);
  // The schema's output is what the factory takes; the declaration's types pair them.
  return create(schema.parse(settings) as never, {
    ...TINY[kind],
    ...dependencies,
  }) as PluginKinds[K]["result"];
}
