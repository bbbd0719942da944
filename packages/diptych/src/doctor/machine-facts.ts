/** The machine that Diptych runs on: processor and the instructions that matter for products, cores, memory. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import os from "node:os";
import { promisify } from "node:util";

export interface MachineFacts {
  /** `linux x64`. */
  readonly platform: string;
  /** Release of the operating system's kernel. */
  readonly release: string;
  readonly cpu: string;
  /** Instruction sets that decide how fast products are, e.g. `AVX-512`; empty where the system does not say. */
  readonly instructions: readonly string[];
  /** Cores that are not one another's hyperthreads; null where the system does not say. */
  readonly cores: number | null;
  readonly threads: number;
  /** Threads that this process may run on. */
  readonly usableThreads: number;
  readonly memory: {
    readonly totalBytes: number;
    readonly freeBytes: number;
    /** What a container allows, where it allows less. */
    readonly limitBytes: number | null;
  };
}

/** Flag of Linux's /proc/cpuinfo, or key of macOS's sysctl → name. */
const INSTRUCTIONS: readonly (readonly [string, string])[] = [
  ["avx2", "AVX2"],
  ["f16c", "F16C"],
  ["avx512f", "AVX-512"],
  ["avx512_vnni", "AVX512-VNNI"],
  ["avx512_bf16", "AVX512-BF16"],
  ["avx512_fp16", "AVX512-FP16"],
  ["amx_bf16", "AMX-BF16"],
  ["amx_int8", "AMX-INT8"],
  ["asimd", "NEON"],
  ["asimdhp", "NEON-FP16"],
  ["sve", "SVE"],
  ["bf16", "ARM-BF16"],
  ["i8mm", "ARM-I8MM"],
];

/** macOS says what ARM processors have under names of its own. */
const MAC_FEATURES: Readonly<Record<string, string>> = {
  "hw.optional.arm.feat_bf16": "bf16",
  "hw.optional.arm.feat_fp16": "asimdhp",
  "hw.optional.arm.feat_i8mm": "i8mm",
  "hw.optional.avx2_0": "avx2",
  "hw.optional.avx512f": "avx512f",
};

export async function findMachineFacts(): Promise<MachineFacts> {
  const cpuInfo = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
  const flags = cpuInfo === "" ? await macFlags() : linuxFlags(cpuInfo);
  const cpus = os.cpus();
  const limit = process.constrainedMemory();
  const total = os.totalmem();
  return {
    platform: `${process.platform} ${process.arch}`,
    release: os.release(),
    cpu: cpus[0]?.model.trim() || /^model name\s*:\s*(.+)$/m.exec(cpuInfo)?.[1] || "unknown",
    instructions: INSTRUCTIONS.filter(([flag]) => flags.has(flag)).map(([, name]) => name),
    cores: countCores(cpuInfo),
    threads: Math.max(cpus.length, 1),
    usableThreads: os.availableParallelism(),
    memory: {
      totalBytes: total,
      freeBytes: os.freemem(),
      limitBytes: limit > 0 && limit < total ? limit : null,
    },
  };
}

/** Flags of the first processor. */
export function linuxFlags(cpuInfo: string): ReadonlySet<string> {
  const [, flags = ""] = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuInfo) ?? [];
  return new Set(flags.split(/\s+/).filter(Boolean));
}

/** Distinct pairs of socket and core. */
export function countCores(cpuInfo: string): number | null {
  const cores = new Set(
    cpuInfo.split(/\n\s*\n/).flatMap((processor) => {
      const core = /^core id\s*:\s*(\d+)$/m.exec(processor)?.[1];
      const socket = /^physical id\s*:\s*(\d+)$/m.exec(processor)?.[1] ?? "0";
      return core === undefined ? [] : [`${socket}/${core}`];
    }),
  );
  return cores.size > 0 ? cores.size : null;
}

async function macFlags(): Promise<ReadonlySet<string>> {
  if (process.platform !== "darwin") return new Set();
  try {
    const { stdout } = await promisify(execFile)("sysctl", ["hw.optional"]);
    const set = [...stdout.matchAll(/^(\S+): 1$/gm)].flatMap(
      ([, key = ""]) => MAC_FEATURES[key.toLowerCase()] ?? [],
    );
    return new Set(process.arch === "arm64" ? ["asimd", ...set] : set);
  } catch {
    return new Set();
  }
}
