/** The four methods of figure 2 differ in their text side alone. */
import { fileURLToPath } from "node:url";
import { openConfigFile } from "diptych";
import { describe, expect, it } from "vitest";
import { FIGURE2_METHODS } from "./figure2-configs.test-support.js";

const open = (name: string): ReturnType<typeof openConfigFile> =>
  openConfigFile(fileURLToPath(new URL(`../../../configs/figure2/${name}.ts`, import.meta.url)));

/** All of a configuration that the methods share. */
async function sharedPart(name: string): Promise<unknown> {
  const { config } = await open(name);
  const {
    name: _,
    loss: __,
    model,
    ...rest
  } = config.plain as {
    readonly name: string;
    readonly loss: object;
    readonly model: { readonly encoders: Readonly<Record<string, object>> };
  };
  const { text: ___, ...encoders } = model.encoders;
  return { ...rest, model: { ...model, encoders } };
}

describe("configs/figure2", () => {
  it.each(FIGURE2_METHODS)(
    "$name has the pictures, batches, tower and steps of clip",
    async ({ name }) => {
      expect(await sharedPart(name)).toEqual(await sharedPart("clip"));
    },
  );

  it.each(FIGURE2_METHODS)("$name is its method", async ({ name, loss, text }) => {
    const { config } = await open(name);
    expect(config.name).toBe(`figure2-${name}`);
    expect(config.loss.declaration.type).toBe(loss);
    expect(config.model.encoders["text"]!.declaration.type).toBe(text);
  });
});
