/** Memory that this process took at most, and what is in use on the graphics cards. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** Bytes: the most resident memory of this process. */
export async function peakMemory(): Promise<number> {
  // On Linux `maxRSS` is inherited from whoever started this process; the high-water mark is not.
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? process.resourceUsage().maxRSS * 1024 : Number(kilobytes) * 1024;
}

/** Bytes in use on all NVIDIA cards, by whatever process; null without NVIDIA's tool. */
export async function deviceMemoryUsed(): Promise<number | null> {
  try {
    const { stdout } = await promisify(execFile)("nvidia-smi", [
      "--query-gpu=memory.used",
      "--format=csv,noheader,nounits",
    ]);
    const mebibytes = stdout.trim().split("\n").map(Number);
    return mebibytes.every(Number.isFinite)
      ? mebibytes.reduce((sum, used) => sum + used * 2 ** 20, 0)
      : null;
  } catch {
    return null;
  }
}
