import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findGpuFacts, parseCards } from "./gpu-facts.js";
import { countCores, findMachineFacts, linuxFlags } from "./machine-facts.js";
import { findNativeFacts } from "./native-facts.js";

/** Two cores of two threads each. */
const CPU_INFO = [0, 1, 2, 3]
  .map((i) =>
    [
      `processor\t: ${i}`,
      "model name\t: Some CPU",
      "physical id\t: 0",
      `core id\t\t: ${i >> 1}`,
      "flags\t\t: fpu avx2 avx512f avx512_bf16",
    ].join("\n"),
  )
  .join("\n\n");

describe("the machine", () => {
  it("counts cores once, and reads flags", () => {
    expect(countCores(CPU_INFO)).toBe(2);
    expect(countCores("Features : asimd bf16")).toBeNull();
    expect([...linuxFlags(CPU_INFO)]).toContain("avx512_bf16");
    expect([...linuxFlags("Features : asimd bf16")]).toEqual(["asimd", "bf16"]);
  });

  it("is described wherever it is", async () => {
    const facts = await findMachineFacts();
    expect(facts.platform).toBe(`${process.platform} ${process.arch}`);
    expect(facts.threads).toBeGreaterThanOrEqual(facts.cores ?? 1);
    expect(facts.memory.totalBytes).toBeGreaterThan(facts.memory.freeBytes);
  });
});

describe("graphics", () => {
  it("reads NVIDIA's list", () => {
    expect(parseCards("NVIDIA H100 80GB HBM3, 580.95.05, 81559 MiB\n")).toEqual([
      { name: "NVIDIA H100 80GB HBM3", driver: "580.95.05", memory: "81559 MiB" },
    ]);
    expect(parseCards("No devices were found\n")).toEqual([]);
  });

  it("takes the Vulkan drivers that the environment names", async () => {
    const before = process.env["VK_ICD_FILENAMES"];
    process.env["VK_ICD_FILENAMES"] = "/some/driver.json";
    try {
      expect((await findGpuFacts()).vulkanDrivers).toEqual(["/some/driver.json"]);
    } finally {
      if (before === undefined) delete process.env["VK_ICD_FILENAMES"];
      else process.env["VK_ICD_FILENAMES"] = before;
    }
  });
});

describe("native libraries", () => {
  it("tells whole set-ups from what was interrupted", async () => {
    const folder = await mkdtemp(join(tmpdir(), "diptych-native-"));
    try {
      await mkdir(join(folder, "tfjs-node-1", "lib"), { recursive: true });
      await mkdir(join(folder, "cuda-1.partial-7"));
      await writeFile(join(folder, "tfjs-node-1", "lib", "a.so"), "12345");
      const record = { kind: "tfjs-node", version: "1", detail: "runs", wheels: [], files: [] };
      const text = JSON.stringify(record);
      await writeFile(join(folder, "tfjs-node-1", "setup.json"), text);
      expect(await findNativeFacts(folder)).toEqual({
        folder,
        setups: [
          { name: "cuda-1.partial-7", kind: null, version: null, detail: null, bytes: 0 },
          {
            name: "tfjs-node-1",
            kind: "tfjs-node",
            version: "1",
            detail: "runs",
            bytes: 5 + text.length,
          },
        ],
      });
      expect((await findNativeFacts(join(folder, "none"))).setups).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
