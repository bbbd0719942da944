import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadEmojiSet, type EmojiSetOptions } from "./emoji-set.js";
import { EMOJI_FAMILIES } from "./families.js";
import { iconSvg } from "./icon-svg.js";
import { renderDrawing, renderSettings } from "./render.js";

let folder: string;
let options: EmojiSetOptions;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-emoji-"));
  options = { baseDir: process.cwd(), cacheDir: join(folder, "cache"), limit: 12 };
});
afterAll(() => rm(folder, { recursive: true }));

describe("loadEmojiSet", () => {
  it("renders drawings with a margin, once, and reads them again from the cache", async () => {
    const reports: number[][] = [];
    const first = await loadEmojiSet({
      ...options,
      report: (_, done, total) => reports.push([done, total]),
    });
    expect(first.concepts).toHaveLength(12);
    expect(first.renderSeconds).toBeGreaterThan(0);
    expect(reports.at(-1)).toEqual([48, 48]);
    const second = await loadEmojiSet({ ...options, report: () => expect.fail("rendered again") });
    expect(second.renderSeconds).toBe(0);
    expect(second.concepts).toEqual(first.concepts);
    for (const family of EMOJI_FAMILIES) {
      for (let i = 0; i < 12; i++) {
        const { width, height, channels, data } = first.picture(family, i);
        expect([width, height, channels, data.length]).toEqual([32, 32, 4, 4096]);
        const alpha = data.filter((_, j) => j % 4 === 3);
        // The margin is empty, and the drawing reaches it on its longer side.
        expect(Math.max(...alpha.subarray(0, 64), ...alpha.subarray(30 * 32))).toBe(0);
        expect(alpha.some((a) => a > 128)).toBe(true);
        expect(data).toEqual(second.picture(family, i).data);
      }
    }
    expect(() => first.picture("noto", 12)).toThrow(/a concept below 12/);
  });

  it("renders again when the cached pixels are damaged", async () => {
    const before = await loadEmojiSet(options);
    const name = (await readdir(options.cacheDir)).find((file) => file.endsWith(".bin"));
    const path = join(options.cacheDir, name ?? "");
    const bytes = await readFile(path);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const after = await loadEmojiSet(options);
    expect(after.renderSeconds).toBeGreaterThan(0);
    expect(after.picture("fluent", 5)).toEqual(before.picture("fluent", 5));
    expect((await readdir(options.cacheDir)).filter((file) => file.endsWith(".tmp"))).toEqual([]);
  });

  it("stops at the signal without leaving a cache", async () => {
    const cacheDir = join(folder, "aborted");
    const controller = new AbortController();
    const loading = loadEmojiSet({
      ...options,
      cacheDir,
      signal: controller.signal,
      report: () => {
        controller.abort(new Error("stopped by the user"));
      },
    });
    await expect(loading).rejects.toThrow("stopped by the user");
    await expect(readdir(cacheDir)).rejects.toThrow(/ENOENT/);
  });

  it("says that it cannot write its cache", async () => {
    const cacheDir = join(folder, "a-file");
    await writeFile(cacheDir, "");
    await expect(loadEmojiSet({ ...options, cacheDir })).rejects.toThrow(
      /data\/emoji: cache: .*a-file/,
    );
  });
});

describe("icons", () => {
  const set = {
    width: 10,
    height: 20,
    icons: {
      a: { body: "<rect width='5' height='20'/>" },
      wide: { body: "<path/>", width: 30, left: -1 },
    },
    aliases: { b: { parent: "a", hFlip: true }, c: { parent: "b", rotate: 1 } },
  };

  it("follow aliases and turns", async () => {
    expect(iconSvg(set, "wide", 8)).toContain('viewBox="-1 0 30 20"');
    const alphaAt = async (name: string): Promise<string> => {
      const square = { ...set, height: 10 };
      const settings = { ...renderSettings(4), renderSize: 8 };
      const data = await renderDrawing(iconSvg(square, name, 8), name, {
        ...settings,
        contentSize: 4,
      });
      return [...data.filter((_, i) => i % 4 === 3)].map((a) => (a > 128 ? "#" : ".")).join("");
    };
    // A half-wide bar, trimmed and centred: upright, and lying after a quarter turn.
    expect(await alphaAt("a")).toBe(".##.".repeat(4));
    expect(await alphaAt("b")).toBe(".##.".repeat(4));
    expect(await alphaAt("c")).toBe("....########....");
    expect(iconSvg(set, "b", 8)).toContain("scale(-1 1)");
  });

  it("are named when missing, empty or broken", async () => {
    expect(() => iconSvg(set, "d", 8)).toThrow(/expected "d" in the icon set/);
    const settings = renderSettings(32);
    await expect(renderDrawing(iconSvg(set, "wide", 96), "noto wide", settings)).rejects.toThrow(
      /noto wide: expected a drawing, got an SVG that shows nothing/,
    );
    await expect(renderDrawing("<svg", "noto bad", settings)).rejects.toThrow(
      /noto bad: expected an SVG/,
    );
  });
});
