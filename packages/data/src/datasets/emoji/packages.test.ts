import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { findEmojiPackages } from "./packages.js";

vi.mock("node:module", async (original) => {
  const real = await original<typeof import("node:module")>();
  // Only what starts in the given folder is found: this package's own place has nothing installed.
  const createRequire = (from: string): NodeJS.Require =>
    real.createRequire(from.startsWith("file:") ? join(tmpdir(), "nowhere.js") : from);
  return { createRequire };
});

describe("findEmojiPackages", () => {
  it("finds the versions in a project that has them", async () => {
    const packages = await findEmojiPackages(process.cwd());
    expect(packages.versions).toHaveLength(6);
    expect(packages.versions[0]).toMatch(/^@iconify-json\/noto@\d/);
    await expect(packages.readJson("emojilib", "none.json")).rejects.toThrow(/the file none.json/);
  });

  it("names the packages to install where they are missing", async () => {
    const folder = await mkdtemp(join(tmpdir(), "diptych-bare-"));
    const error: unknown = await findEmojiPackages(folder).catch((reason: unknown) => reason);
    await rm(folder, { recursive: true });
    expect(error).toMatchObject({ code: "DATA" });
    expect((error as Error).message).toContain(
      "npm install --save-dev @iconify-json/noto @iconify-json/twemoji @iconify-json/openmoji @iconify-json/fluent-emoji-flat emojibase-data emojilib",
    );
  });
});
