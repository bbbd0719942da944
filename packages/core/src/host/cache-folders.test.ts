import { join, resolve } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { nativeFolder, userCacheFolder } from "./cache-folders.js";

afterEach(() => vi.unstubAllEnvs());

it("is the folder that DIPTYCH_CACHE names, whatever the platform's is", () => {
  vi.stubEnv("DIPTYCH_CACHE", "some/cache");
  expect(userCacheFolder()).toBe(resolve("some/cache"));
  expect(nativeFolder()).toBe(resolve("some/cache/native"));
});

it.skipIf(process.platform === "win32" || process.platform === "darwin")(
  "follows XDG_CACHE_HOME, and is ~/.cache/diptych without",
  () => {
    vi.stubEnv("DIPTYCH_CACHE", "");
    vi.stubEnv("XDG_CACHE_HOME", "/elsewhere");
    expect(userCacheFolder()).toBe("/elsewhere/diptych");
    vi.stubEnv("XDG_CACHE_HOME", "");
    expect(userCacheFolder().endsWith(join(".cache", "diptych"))).toBe(true);
  },
);

it("keeps native libraries where DIPTYCH_NATIVE says", () => {
  vi.stubEnv("DIPTYCH_CACHE", "some/cache");
  vi.stubEnv("DIPTYCH_NATIVE", "libraries");
  expect(nativeFolder()).toBe(resolve("libraries"));
});
