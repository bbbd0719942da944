import { installPlugins } from "@diptych/core/plugin";
import { describe, expect, it } from "vitest";
import { dataPlugin } from "./plugin.js";

describe("dataPlugin", () => {
  it("installs its datasets and transforms", () => {
    const registry = installPlugins([dataPlugin]);
    expect(registry.list("dataset").map((entry) => entry.declaration.type)).toEqual([
      "emoji",
      "image-folder",
      "jsonl",
    ]);
    expect(registry.list("transform").map((entry) => entry.declaration.type)).toEqual([
      "augment",
      "resize",
    ]);
  });

  it("creates a transform from its schema's defaults", () => {
    const { create, schema } = installPlugins([dataPlugin]).find("transform", "resize");
    const config = schema.parse({});
    const size = { imageHeight: 8, imageWidth: 8 };
    expect(create(config as never, size)).toMatchObject({ name: "resize" });
  });
});
