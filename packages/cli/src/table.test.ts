import { describe, expect, it } from "vitest";
import { formatTable, wrapText } from "./table.js";

describe("formatTable", () => {
  it("aligns columns, and does not count colours as width", () => {
    const red = "\u001b[31mbroken\u001b[39m";
    const rows = [
      ["a", red, "1"],
      ["long", "ready", "22"],
    ];
    expect(formatTable(["name", "status", "n"], rows, [2]).split("\n")).toEqual([
      "name  status   n",
      "────  ──────  ──",
      `a     ${red}   1`,
      "long  ready   22",
    ]);
  });

  it("wraps the last column to a terminal's width, and keeps line breaks", () => {
    const rows = [
      ["onnx", "one two three four five six seven"],
      ["tfjs", "first\nsecond"],
    ];
    expect(formatTable(["name", "detail"], rows, [], { width: 30 })).toBe(
      [
        "name  detail",
        "────  ───────────────────────",
        "onnx  one two three four five",
        "      six seven",
        "tfjs  first",
        "      second",
      ].join("\n"),
    );
  });
});

describe("wrapText", () => {
  it("leaves words whole", () => {
    expect(wrapText("a longword b", 4)).toEqual(["a", "longword", "b"]);
    expect(wrapText("", 4)).toEqual([""]);
  });
});
