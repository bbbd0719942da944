// Files that PyTorch wrote, in each of its formats: the values that it holds itself.
import path from "node:path";
import type { HostTensor } from "@diptych/core";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../open-checkpoint.js";

const folder = path.join(import.meta.dirname, "../../fixtures/torch");

async function readAll(file: string) {
  const { reader, format } = await openCheckpoint(path.join(folder, file));
  try {
    const tensors = new Map<string, HostTensor>();
    for (const { name } of reader.entries) tensors.set(name, await reader.read(name));
    return { tensors, format: format.name, metadata: reader.metadata };
  } finally {
    await reader.close();
  }
}

describe("files of PyTorch's", () => {
  it.each(["zip.pt", "protocol-4.pt", "legacy.pt", "training.pt"])("%s", async (file) => {
    const expected = await readAll("expected.safetensors");
    const { tensors, format } = await readAll(file);
    expect(format).toBe("pytorch");
    expect([...tensors.keys()].sort()).toEqual([...expected.tensors.keys()].sort());
    for (const [name, tensor] of expected.tensors) expect(tensors.get(name), name).toEqual(tensor);
  });

  it("gives what lies beside the model in a training checkpoint, and the prefix that its names had", async () => {
    const { metadata } = await readAll("training.pt");
    expect(metadata).toEqual({
      epoch: 3,
      name: "a run",
      device: "cpu",
      key: "state_dict",
      prefix: "module._orig_mod.",
    });
  });
});
