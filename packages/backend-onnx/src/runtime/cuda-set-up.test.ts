// The library that `diptych setup cuda` brings, as far as a machine without an NVIDIA GPU shows it.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { createGraph, hostTensorFrom, input, neg } from "@diptych/core";
import { createOnnxBackend } from "../onnx-backend.js";
import { encodeCudaOptions } from "./cuda-options.js";
import { checkCudaDevice } from "./cuda-driver.js";
import { findCudaLibrary } from "./cuda-library.js";
import { openCapiEnvironment } from "./capi-environment.js";
import { currentSurroundings } from "./library-path.js";
import { openCapiDevice } from "./capi-device.js";
import { rejection } from "./runtime.test-support.js";

async function find(): Promise<{ library: string } | { missing: string }> {
  try {
    return {
      library: await findCudaLibrary(undefined, { ...currentSurroundings(), environment: {} }),
    };
  } catch (error) {
    return { missing: (error as Error).message };
  }
}

const found = await find();

if ("missing" in found) {
  describe("ONNX Runtime with CUDA", () => {
    it.skip(`skipped: ${found.missing}`, () => undefined);
  });
} else {
  const { library } = found;
  const withoutGpu = await checkCudaDevice(0).then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );

  describe("ONNX Runtime with CUDA", () => {
    it("computes on the CPU, beside the library that npm brings", async () => {
      const [own, other] = [await createOnnxBackend({ library }), await createOnnxBackend()];
      for (const backend of [own, other]) {
        const executable = await backend.compile(createGraph("g", { y: neg(input("x", [2])) }));
        const { y } = await executable.run({ x: hostTensorFrom("float32", [2], [1, -2]) });
        expect(Array.from((await y!.read()).data)).toEqual([-1, 2]);
        await backend.dispose();
      }
      expect(own.describe()).toMatch(/ONNX Runtime 1\.3\d/);
      expect(own.describe()).not.toBe(other.describe());
    });

    it("knows the options that the settings become", async () => {
      const provider = await readFile(join(dirname(library), "libonnxruntime_providers_cuda.so"));
      const options = encodeCudaOptions({ memoryLimit: 1, arena: "powerOfTwo" });
      const words = [
        ...Object.keys(options),
        "kSameAsRequested",
        "kNextPowerOfTwo",
        "EXHAUSTIVE",
        "HEURISTIC",
        "DEFAULT",
      ];
      expect(words.filter((word) => !provider.includes(`\0${word}\0`))).toEqual([]);
    });

    it.skipIf(withoutGpu === undefined)(
      "is refused without a driver or a device, and leaves nothing",
      async () => {
        expect(await rejection(createOnnxBackend({ provider: "cuda", library }))).toBe(withoutGpu);
        expect(withoutGpu).toMatch(/^backend-onnx\/cuda: (NVIDIA's driver|device): expected/);
      },
    );

    it.skipIf(withoutGpu === undefined)(
      "says what its provider lacks where it cannot load, and computes on the CPU after",
      async () => {
        const environment = await openCapiEnvironment(library);
        const provider = { name: "cuda", device: 0, options: encodeCudaOptions({}) } as const;
        expect(() => openCapiDevice(environment, provider)).toThrow(
          /backend-onnx\/openDevice: "cuda".*(libcu\w+\.so|CUDA)/s,
        );
        const backend = await createOnnxBackend({ library });
        await backend.dispose();
      },
    );
  });
}
