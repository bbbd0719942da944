import { describe, expect, it } from "vitest";
import { formatBytes, parseBytes } from "./bytes.js";

describe("parseBytes", () => {
  it.each([
    ["24GB", 24e9],
    ["1.5 TiB", 1.5 * 2 ** 40],
    ["512mib", 512 * 2 ** 20],
    ["800000000", 8e8],
    ["3 b", 3],
    ["none", undefined],
    ["", undefined],
    ["-1GB", undefined],
    ["1 ib", undefined],
  ])("%j", (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });
});

describe("formatBytes", () => {
  it.each([
    [2.5e12, "2.50 TB"],
    [1.234e9, "1.23 GB"],
    [45.6e6, "45.6 MB"],
    [1500, "1.5 kB"],
    [12, "12 B"],
  ])("%d", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
