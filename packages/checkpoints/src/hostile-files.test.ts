// Hostile and broken safetensors, Hugging Face folders and files of something else: a CheckpointError within a second and 100 MB.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder, refusal, refusedFile } from "./hostile.test-support.js";

describe("safetensors that lie", () => {
  const file = (header: unknown, data = 4, length?: bigint): Buffer => {
    const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(length ?? BigInt(json.length));
    return Buffer.concat([prefix, json, Buffer.alloc(data)]);
  };
  const w = (change: object) => ({
    w: { dtype: "F32", shape: [1], data_offsets: [0, 4], ...change },
  });

  it.each([
    ["a header longer than the file", file({}, 4, 2n ** 60n), /a header of/],
    [
      "a header longer than is read",
      Buffer.concat([file({}, 0, 20_000_000n), Buffer.alloc(2e7)]),
      /at most 10000000/,
    ],
    ["overlapping tensors", file({ ...w({}), v: w({}).w }), /expected it at byte/],
    [
      "a shape of 2^60",
      file(w({ shape: [2 ** 30, 2 ** 30] })),
      /expected 4611686018427388000 bytes/,
    ],
    ["a size beyond exact numbers", file(w({ shape: [1e300] })), /a shape of sizes/],
    ["a dtype of an object's prototype", file(w({ dtype: "toString" })), /expected a dtype/],
    ["a dtype that cannot be a string", file(w({ dtype: { toString: 1 } })), /expected a dtype/],
    ["no object", file("[]"), /expected an object/],
    ["metadata that is text", file({ __metadata__: "x" }), /__metadata__/],
    ["nesting without end", file("[".repeat(1_000_000)), /expected/],
    [
      "no UTF-8",
      Buffer.concat([Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0xfe, 0x7d])]),
      /no UTF-8/,
    ],
    [
      "integers beyond 32 bits",
      Buffer.concat([
        file({ n: { dtype: "I64", shape: [1], data_offsets: [0, 8] } }, 0),
        Buffer.alloc(8, 0x7f),
      ]),
      /other dtype n/,
    ],
  ])("%s", async (_, bytes, expected) => {
    expect(await refusedFile("m.safetensors", bytes)).toMatch(expected);
  });
});

describe("files of something else", () => {
  it.each([
    ["a text named .pt", "m.pt", Buffer.from("no weights, but long enough to be taken for some")],
    [
      "a PNG named .safetensors",
      "m.safetensors",
      Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"),
    ],
    ["an empty .pt", "m.pt", Buffer.alloc(0)],
    ["an empty .safetensors", "m.safetensors", Buffer.alloc(0)],
    ["a pickle without storages", "m.pt", Buffer.from("80028a0a6cfc9c46f9206aa850192e", "hex")],
  ])("%s", async (_, name, bytes) => {
    await refusedFile(name, bytes);
  });
});

describe("Hugging Face folders that lie", () => {
  const config = { model_type: "clip", text_config: {}, vision_config: {} };
  const write = async (files: Readonly<Record<string, unknown>>): Promise<string> => {
    const path = join(folder, "model");
    await mkdir(path);
    for (const [name, content] of Object.entries(files))
      await writeFile(
        join(path, name),
        typeof content === "string" ? content : JSON.stringify(content),
      );
    return path;
  };

  it.each([
    ["../secret.safetensors"],
    ["/etc/passwd.safetensors"],
    ["a/../../secret.safetensors"],
    ["..\\secret.safetensors"],
    ["https://example.org/a.safetensors"],
    ["model.bin"],
    [""],
    [7],
    [{}],
  ])("an index that leads to %j", async (file) => {
    const index = { weight_map: { w: file } };
    const path = await write({ "config.json": config, "model.safetensors.index.json": index });
    expect(await refusal(path)).toContain("expected an index of tensors by file");
  });

  it.each([
    ["an index of nothing", { "model.safetensors.index.json": [] }, /JSON object/],
    [
      "a shard that is missing",
      { "model.safetensors.index.json": { weight_map: { w: "a.safetensors" } } },
      /ENOENT/,
    ],
    [
      "heads that do not divide the width",
      {
        "config.json": {
          ...config,
          text_config: { num_attention_heads: 7 },
          vision_config: { num_attention_heads: 7 },
        },
        "model.safetensors": "",
      },
      /heads that divide/,
    ],
    [
      "two activations",
      {
        "config.json": { ...config, text_config: { hidden_act: "gelu" } },
        "model.safetensors": "",
      },
      /one activation/,
    ],
    [
      "an unknown activation",
      {
        "config.json": {
          ...config,
          text_config: { hidden_act: "relu" },
          vision_config: { hidden_act: "relu" },
        },
        "model.safetensors": "",
      },
      /got "relu"/,
    ],
    [
      "a size of 2^60",
      {
        "config.json": { ...config, vision_config: { hidden_size: 2 ** 60 } },
        "model.safetensors": "",
      },
      /hidden_size/,
    ],
  ])("%s", async (_, files, expected) => {
    expect(await refusal(await write({ "config.json": config, ...files }))).toMatch(expected);
  });
});
