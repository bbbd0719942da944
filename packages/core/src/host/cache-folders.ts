/** Where Diptych keeps on this computer what it fetched or built once and any project may use. Node only. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/**
 * The user's cache: `DIPTYCH_CACHE`, or the platform's cache folder (`~/.cache/diptych` or `$XDG_CACHE_HOME/diptych`,
 * `~/Library/Caches/diptych`, `%LOCALAPPDATA%\diptych\Cache`).
 */
export function userCacheFolder(): string {
  const { DIPTYCH_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (DIPTYCH_CACHE) return resolve(DIPTYCH_CACHE);
  if (process.platform === "win32") {
    return join(LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), "diptych", "Cache");
  }
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "diptych");
  return join(XDG_CACHE_HOME ? XDG_CACHE_HOME : join(homedir(), ".cache"), "diptych");
}

/** Folder of native libraries that `diptych setup` brings: `DIPTYCH_NATIVE`, or `native` in {@link userCacheFolder}. */
export function nativeFolder(): string {
  const chosen = process.env["DIPTYCH_NATIVE"];
  return chosen ? resolve(chosen) : join(userCacheFolder(), "native");
}
