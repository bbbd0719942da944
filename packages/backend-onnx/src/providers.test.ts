import { describe, expect, it } from "vitest";
import { onnxSchema } from "./config.js";
import { chooseProvider, describeProvider } from "./providers.js";
import { createOnnxBackend } from "./onnx-backend.js";
import { rejection } from "./runtime/runtime.test-support.js";

describe("the provider of a configuration", () => {
  it("is the CPU unless another is named", () => {
    expect(onnxSchema.parse({}).provider).toBe("cpu");
    expect(chooseProvider({})).toEqual({ name: "cpu" });
  });

  it("takes CUDA's settings in CUDA's words", () => {
    const settings = onnxSchema.parse({
      provider: "cuda",
      device: 1,
      tf32: true,
      memoryLimit: 1e9,
    });
    expect(settings).toMatchObject({ device: 1, tf32: true });
    expect(chooseProvider({ provider: "cuda", device: 1, tf32: true, memoryLimit: 1e9 })).toEqual({
      name: "cuda",
      device: 1,
      options: {
        device_id: "1",
        arena_extend_strategy: "kSameAsRequested",
        cudnn_conv_algo_search: "EXHAUSTIVE",
        do_copy_in_default_stream: "1",
        use_tf32: "1",
        gpu_mem_limit: "1000000000",
      },
    });
    expect(describeProvider({ provider: "cuda", device: 1, tf32: true })).toBe(
      "cuda, device 1, TF32",
    );
  });

  it("rounds no product unless asked to, and leaves the card's memory open", () => {
    const chosen = chooseProvider({
      provider: "cuda",
      arena: "powerOfTwo",
      copyOnComputeStream: false,
    });
    expect(chosen).toMatchObject({
      device: 0,
      options: {
        use_tf32: "0",
        arena_extend_strategy: "kNextPowerOfTwo",
        do_copy_in_default_stream: "0",
      },
    });
    expect(chosen).not.toHaveProperty("options.gpu_mem_limit");
  });

  it("refuses another provider's settings by name", () => {
    const refused = onnxSchema.safeParse({ provider: "webgpu", tf32: true });
    expect(refused.error?.issues).toMatchObject([
      { path: ["tf32"], message: expect.stringContaining("it is a setting of cuda") as string },
    ]);
    expect(onnxSchema.safeParse({ powerPreference: "low-power" }).success).toBe(false);
    expect(onnxSchema.safeParse({ device: 1 }).success).toBe(false);
    expect(onnxSchema.safeParse({ device: 0 }).success).toBe(true);
    expect(onnxSchema.safeParse({ provider: "webgpu", powerPreference: "low-power" }).success).toBe(
      true,
    );
  });

  it("refuses them from code too", async () => {
    expect(await rejection(createOnnxBackend({ tf32: true }))).toMatch(
      /tf32: expected none with the provider cpu, got true: it is a setting of cuda\. Leave it out\./,
    );
  });

  it("refuses a device that WebGPU cannot choose, and the adapter without device tensors", async () => {
    expect(() => chooseProvider({ provider: "webgpu", device: 1 })).toThrow(
      /expected 0 for the provider webgpu/,
    );
    expect(await rejection(createOnnxBackend({ provider: "webgpu", adapter: "binding" }))).toMatch(
      /adapter: expected "capi" for the provider webgpu, got "binding".* Leave `adapter` out\./,
    );
  });
});
