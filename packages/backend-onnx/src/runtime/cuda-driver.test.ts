import { describe, expect, it } from "vitest";
import { checkCudaDevice, type CudaDriver } from "./cuda-driver.js";
import { rejection } from "./runtime.test-support.js";

const driver =
  (given: Partial<CudaDriver> = {}) =>
  (): Promise<CudaDriver> =>
    Promise.resolve({ init: () => 0, version: () => 13_000, deviceCount: () => 2, ...given });

describe("NVIDIA's driver", () => {
  it("is enough with the device and CUDA 13", async () => {
    await expect(checkCudaDevice(1, driver())).resolves.toBeUndefined();
  });

  it.each([
    [
      "none",
      () => Promise.resolve(null),
      /driver: expected libcuda to load, got none\. Install NVIDIA's driver 580/,
    ],
    [
      "one that does not start",
      driver({ init: () => 803 }),
      /expected it to start, got CUDA error 803/,
    ],
    [
      "no device",
      driver({ init: () => 100 }),
      /device: expected an NVIDIA GPU, got none.*CUDA_VISIBLE_DEVICES/,
    ],
    ["no visible device", driver({ deviceCount: () => 0 }), /expected an NVIDIA GPU, got none/],
    ["too few devices", driver({ deviceCount: () => 1 }), /device: expected one of 0 to 0, got 1/],
    [
      "an old one",
      driver({ version: () => 12_080 }),
      /expected one for CUDA 13, got one for 12\.8\. Install driver 580/,
    ],
  ])("is refused: %s", async (_, load, message) => {
    expect(await rejection(checkCudaDevice(1, load))).toMatch(message);
  });
});
