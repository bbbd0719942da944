import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkLibraryPair } from "./library-pair.js";
import { currentSurroundings, findOrtLibrary } from "./library-path.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-pair-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A file of noise with `texts` in it, each ended by zeros as in a binary's table of strings. */
async function binary(name: string, texts: readonly string[], before = 1000): Promise<string> {
  const path = join(folder, name);
  const noise = Buffer.alloc(before).map((_, i) => ((i * 2654435761) >>> 13) | 1);
  await writeFile(path, Buffer.concat([noise, Buffer.from(`\0${texts.join("\0")}\0`), noise]));
  return path;
}

it("takes two files of one release, and says which", async () => {
  const library = await binary("library.so", ["1.3.2", "1.31.1", "VERS_1.31.1"]);
  const provider = await binary("provider.so", ["81.31.1", "1.31.1"]);
  await expect(checkLibraryPair(library, provider)).resolves.toBe("1.31.1");
});

it("refuses a provider of another release, naming both versions", async () => {
  const library = await binary("library.so", ["VERS_1.30.0"]);
  const provider = await binary("provider.so", ["1.31.1", "1.30.0-rc"]);
  await expect(checkLibraryPair(library, provider)).rejects.toThrow(
    /expected version 1\.30\.0, .*got 1\.31\.1 \(.*diptych setup cuda/,
  );
});

it("refuses a provider that names no version, and a library that is none", async () => {
  const library = await binary("library.so", ["VERS_1.30.0"]);
  const other = await binary("other.so", ["1.2.11"]);
  await expect(checkLibraryPair(library, await binary("p.so", []))).rejects.toThrow(
    /got a file that names none/,
  );
  await expect(checkLibraryPair(other, library)).rejects.toThrow(/versioned symbols/);
  await expect(checkLibraryPair(join(folder, "absent.so"), library)).rejects.toThrow(/got ENOENT/);
});

it("finds a version on the border of two chunks, and forgets a failure", async () => {
  const library = await binary("library.so", ["VERS_1.31.1"]);
  const before = (8 << 20) - 4;
  const provider = await binary("provider.so", ["1.30.0"], before);
  await expect(checkLibraryPair(library, provider)).rejects.toThrow(/got 1\.30\.0/);
  await binary("provider.so", ["1.31.1"], before);
  await expect(checkLibraryPair(library, provider)).resolves.toBe("1.31.1");
});

it.skipIf(process.platform !== "linux")("reads the version of the library in use", async () => {
  const library = findOrtLibrary(undefined, { ...currentSurroundings(), environment: {} });
  const provider = await binary("provider.so", ["1.30.0"]);
  await expect(checkLibraryPair(library, provider)).resolves.toBe("1.30.0");
});
