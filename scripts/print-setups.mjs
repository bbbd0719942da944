// What of the machine decides which tests are skipped: native libraries that were set up, and WebGPU's driver.
// nx hashes what this prints, so that the result of a skipped test is not replayed once there is what it waits for.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

const { DIPTYCH_NATIVE, DIPTYCH_ORT_LIBRARY = "", VK_ICD_FILENAMES = "" } = process.env;

// As `nativeFolder` of @diptych/core/host, which is not compiled yet when this runs.
const native = DIPTYCH_NATIVE ? path.resolve(DIPTYCH_NATIVE) : path.join(userCache(), "native");

for (const name of existsSync(native) ? readdirSync(native).sort() : []) {
  const record = path.join(native, name, "setup.json");
  if (existsSync(record))
    console.log(name, JSON.stringify(JSON.parse(readFileSync(record, "utf8"))));
}
console.log(
  "VK_ICD_FILENAMES",
  VK_ICD_FILENAMES,
  VK_ICD_FILENAMES.split(":").map(existsSync).join(),
);
console.log("DIPTYCH_ORT_LIBRARY", DIPTYCH_ORT_LIBRARY);
console.log("NVIDIA", existsSync("/proc/driver/nvidia/version"));

function userCache() {
  const { DIPTYCH_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (DIPTYCH_CACHE) return path.resolve(DIPTYCH_CACHE);
  if (process.platform === "win32") {
    return path.join(LOCALAPPDATA ?? path.join(homedir(), "AppData", "Local"), "diptych", "Cache");
  }
  if (process.platform === "darwin") return path.join(homedir(), "Library", "Caches", "diptych");
  return path.join(XDG_CACHE_HOME || path.join(homedir(), ".cache"), "diptych");
}
