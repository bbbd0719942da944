import { afterEach, describe, expect, it, vi } from "vitest";

vi.mock("koffi", () => {
  throw new Error("no koffi for this platform");
});

afterEach(() => vi.resetModules());

describe("createOrtRuntime without koffi", () => {
  it("falls back to the binding with one line that says why", async () => {
    const { createOrtRuntime } = await import("./ort-runtime.js");
    const lines: string[] = [];
    const runtime = await createOrtRuntime({ log: (line) => lines.push(line) });
    expect(runtime.adapter).toBe("binding");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /using onnxruntime-node's own binding.*because: backend-onnx\/loadNativeOrt: koffi: expected it to load/s,
    );
    await runtime.dispose();
  });

  it("says so where the C API was asked for", async () => {
    const { createOrtRuntime } = await import("./ort-runtime.js");
    await expect(createOrtRuntime({ adapter: "capi" })).rejects.toThrow(
      /npm install koffi@3\.3\.4/,
    );
  });
});
