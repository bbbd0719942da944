// A measurement in a process of its own: its peak memory is then its own, and nothing is warm.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const RESULT = "result ";

/** Runs a file of this folder with arguments; what it hands to {@link giveResult} comes back. */
export function measureApart(file, ...args) {
  return new Promise((resolve, reject) => {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const child = spawn(process.execPath, ["--expose-gc", path, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (text) => (output += text));
    child.once("error", reject);
    child.once("close", (code) => {
      const line = output.split("\n").find((text) => text.startsWith(RESULT));
      if (code === 0 && line) resolve(JSON.parse(line.slice(RESULT.length)));
      else
        reject(new Error(`bench: ${file}: expected a result, got exit code ${code}:\n${output}`));
    });
  });
}

export function giveResult(result) {
  console.log(RESULT + JSON.stringify(result));
}

/** Largest resident memory of this process so far, in bytes. */
export function peakBytes() {
  return process.resourceUsage().maxRSS * 1024;
}
