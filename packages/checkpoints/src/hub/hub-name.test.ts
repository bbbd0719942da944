import { describe, expect, it } from "vitest";
import { parseHubName } from "./hub-name.js";
import { findOpenAiModel, OPENAI_MODELS } from "./openai-models.js";

describe("parseHubName", () => {
  it.each([
    ["openai/clip-vit-base-patch32", "openai/clip-vit-base-patch32", "main"],
    [
      "hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
      "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
      "main",
    ],
    ["a/b@v1.0", "a/b", "v1.0"],
    ["a/b@refs/pr/3", "a/b", "refs/pr/3"],
    ["https://huggingface.co/a/b", "a/b", "main"],
    ["https://hf.co/a/b/tree/dev", "a/b", "dev"],
  ])("%s is a repository", (name, repo, revision) => {
    expect(parseHubName(name)).toEqual({ kind: "hugging-face", repo, revision });
  });

  it("an address may carry its hash", () => {
    const hash = "AB".repeat(32);
    expect(parseHubName(`https://x.org/a/m%20o.pt?x=1#sha256=${hash}`)).toEqual({
      kind: "url",
      url: "https://x.org/a/m%20o.pt?x=1",
      file: "m_o.pt",
      sha256: hash.toLowerCase(),
    });
    expect(parseHubName("https://x.org/")).toMatchObject({ file: "model" });
    expect(parseHubName("https://x.org/a/..%2F..%2Fetc")).toMatchObject({ file: "_.._etc" });
    expect(() => parseHubName("https://x.org/m.pt#sha256=12")).toThrow(/64 hexadecimal digits/);
    expect(() => parseHubName("http://x.org/m.pt")).toThrow(/expected https, got http/);
    expect(parseHubName(`http://x.org/m.pt#sha256=${hash}`)).toMatchObject({ kind: "url" });
    expect(parseHubName("http://127.0.0.1:1/m.pt")).toMatchObject({ kind: "url" });
  });

  it.each(["", "gpt2", "../a/b", "a/../b", "a/b/c", "ftp://x.org/a", "a/b@../c", "-a/b"])(
    "%j is none",
    (name) => {
      expect(() => parseHubName(name)).toThrow(/Give a Hugging Face repository/);
    },
  );
});

describe("OpenAI's models", () => {
  it("are nine, each with a hash of its own", () => {
    expect(OPENAI_MODELS.map(({ name }) => name)).toEqual([
      "RN50",
      "RN101",
      "RN50x4",
      "RN50x16",
      "RN50x64",
      "ViT-B/32",
      "ViT-B/16",
      "ViT-L/14",
      "ViT-L/14@336px",
    ]);
    expect(new Set(OPENAI_MODELS.map(({ sha256 }) => sha256)).size).toBe(9);
    for (const { sha256 } of OPENAI_MODELS) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("go by the paper's names and by open_clip's", () => {
    for (const model of OPENAI_MODELS) {
      expect(findOpenAiModel(model.name)).toBe(model);
      expect(findOpenAiModel(model.openClipName)).toBe(model);
      expect(parseHubName(`openai:${model.name}`)).toEqual({ kind: "openai", model });
    }
    expect(findOpenAiModel("ViT-H-14")).toBeUndefined();
  });
});
