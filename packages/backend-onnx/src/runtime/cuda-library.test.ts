import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findCudaLibrary } from "./cuda-library.js";
import { currentSurroundings } from "./library-path.js";
import { rejection } from "./runtime.test-support.js";

let folder: string;
const surroundings = { ...currentSurroundings(), platform: "linux", environment: {} };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-cuda-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A set-up as `diptych setup cuda` leaves it, of files that only carry versions. */
async function setUp(
  version: string,
  { provider = version, complete = true } = {},
): Promise<string> {
  const home = join(folder, `onnxruntime-cuda-${version}`);
  await mkdir(home);
  const library = join(home, `libonnxruntime.so.${version}`);
  await writeFile(library, `\0VERS_${version}\0`);
  await writeFile(join(home, "libonnxruntime_providers_cuda.so"), `\0${provider}\0`);
  if (complete) await writeFile(join(home, "setup.json"), "{}");
  return library;
}

const find = (library?: string): Promise<string> => findCudaLibrary(library, surroundings, folder);

describe("the library with CUDA", () => {
  it("is the newest complete set-up", async () => {
    await setUp("1.9.2");
    const newest = await setUp("1.31.1");
    await setUp("1.32.0", { complete: false });
    expect(await find()).toBe(newest);
  });

  it("is refused with a provider of another release, naming both", async () => {
    const library = await setUp("1.31.1", { provider: "1.30.0" });
    const message = await rejection(find());
    expect(message).toContain(`expected version 1.31.1, that of ${library}`);
    expect(message).toContain("got 1.30.0");
  });

  it("is missed with the command that brings it", async () => {
    expect(await rejection(find())).toMatch(
      /expected it in .*, got none\. Run `diptych setup cuda`/,
    );
  });

  it("is refused without a provider beside it", async () => {
    const bare = join(folder, "libonnxruntime.so.1");
    await writeFile(bare, "\0VERS_1.30.0\0");
    expect(await rejection(find(bare))).toMatch(
      /expected .*libonnxruntime_providers_cuda\.so, got nothing there\. Run `diptych setup cuda`/,
    );
  });

  it("is not looked for where NVIDIA has no driver", async () => {
    expect(
      await rejection(findCudaLibrary(undefined, { ...surroundings, platform: "darwin" }, folder)),
    ).toContain("got darwin");
  });
});
