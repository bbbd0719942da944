import { describe, expect, it } from "vitest";
import type { BackendFinding } from "@diptych/core/plugin";
import { chooseNamed, chooseReady } from "./choose-backends.js";

const find = (
  engine: string,
  status: BackendFinding["status"],
  slow?: boolean,
): BackendFinding => ({
  part: { type: "tfjs", engine },
  status,
  detail: `about ${engine}`,
  ...(slow === undefined ? {} : { slow }),
});
const FINDINGS: readonly BackendFinding[] = [
  find("node", "missing"),
  find("wasm", "ready"),
  find("cpu", "ready", true),
  { part: { type: "onnx", provider: "cpu" }, status: "ready", detail: "" },
];
const TYPES = ["tfjs", "onnx"];
const named = (...names: string[]) => chooseNamed(names, FINDINGS, TYPES);

describe("chooseReady", () => {
  it("takes what is ready and not slow, the configuration's own first", () => {
    const own = (type: string, engine?: string) =>
      chooseReady(FINDINGS, (part) => part.type === type && part["engine"] === engine);
    expect(own("onnx").map(({ label }) => label)).toEqual(["onnx:cpu", "tfjs:wasm"]);
    // Whoever runs on a slow one wants it compared.
    expect(own("tfjs", "cpu").map(({ label }) => label)).toEqual([
      "tfjs:cpu",
      "tfjs:wasm",
      "onnx:cpu",
    ]);
  });
});

describe("chooseNamed", () => {
  it("reads types, engines and settings", () => {
    expect(named("tfjs:wasm", "onnx", "onnx:cpu:threads=2", "tfjs:cpu:note=a=b")).toEqual([
      { label: "tfjs:wasm", part: { type: "tfjs", engine: "wasm" } },
      { label: "onnx", part: { type: "onnx" } },
      { label: "onnx:cpu:threads=2", part: { type: "onnx", provider: "cpu", threads: 2 } },
      { label: "tfjs:cpu:note=a=b", part: { type: "tfjs", engine: "cpu", note: "a=b" } },
    ]);
  });

  it("says why one cannot run, however it is named", () => {
    expect(named("tfjs:node")).toMatchObject([{ unready: "missing: about node" }]);
    expect(named("tfjs:engine=node")).toMatchObject([{ unready: "missing: about node" }]);
  });

  it("teaches names", () => {
    expect(() => named("tfjs:wsam")).toThrow(/got "tfjs:wsam"\. Did you mean "tfjs:wasm"\? Known:/);
    expect(() => named("pytorch")).toThrow(/Known: tfjs, onnx, tfjs:node/);
    expect(() => named("onnx", "onnx")).toThrow(/got "onnx" twice/);
  });
});
