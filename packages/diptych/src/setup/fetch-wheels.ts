/**
 * Wheels from the Python package index by way of pip, which knows the user's mirror, proxy and certificates and
 * refuses a file whose SHA-256 is another than the pinned one; files out of them by Python's zipfile, which checks CRCs.
 */
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BackendError, formatBytes } from "@diptych/core";
import type { PinnedWheel } from "./pinned-wheels.js";
import { hashFile } from "./recorded-files.js";
import { runTool, ToolError } from "./run-tool.js";

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with the bytes that have come. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

const platforms = ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "any"];
const pollMs = 250;

/**
 * Fetches `wheel` into `folder`, which is made, and checks it.
 * @returns Path of the wheel.
 * @throws BackendError saying what was tried, when it does not come or is another file.
 */
export async function fetchWheel(
  wheel: PinnedWheel,
  folder: string,
  { signal, onBytes }: FetchOptions = {},
): Promise<string> {
  const temporary = join(folder, "pip");
  await mkdir(temporary, { recursive: true });
  const requirements = join(folder, `${wheel.name}.txt`);
  await writeFile(requirements, `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  let shown = -1;
  const show = (bytes: number): void => {
    if (bytes > shown) onBytes?.(bytes);
    shown = Math.max(shown, bytes);
  };
  // Short of all of it until it is checked: pip writes the file twice.
  const timer = setInterval(() => {
    void measure(temporary).then((bytes) => show(Math.min(bytes, wheel.bytes - 1)));
  }, pollMs);
  try {
    await runTool("python3", {
      args: pipArguments(requirements, folder),
      // pip writes what comes there first, which is how progress is seen and nothing is left behind elsewhere.
      env: { TMPDIR: temporary, PYTHONWARNINGS: "ignore" },
      signal,
    });
  } catch (error) {
    if (error instanceof ToolError) throw fetchError(wheel, error);
    throw error;
  } finally {
    clearInterval(timer);
    await rm(temporary, { recursive: true, force: true });
  }
  show(wheel.bytes);
  return checkWheel(wheel, folder);
}

function pipArguments(requirements: string, folder: string): string[] {
  return [
    ...[
      "-m",
      "pip",
      "download",
      "--progress-bar",
      "off",
      "--disable-pip-version-check",
      "--no-input",
    ],
    ...["--no-deps", "--only-binary=:all:", "--require-hashes"],
    ...["--implementation", "cp", "--python-version", "3.11"],
    ...platforms.flatMap((platform) => ["--platform", platform]),
    ...["--dest", folder, "--requirement", requirements],
  ];
}

/** Bytes in all files under `folder`. */
async function measure(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  let bytes = 0;
  for (const name of names) {
    const entry = await stat(join(folder, name)).catch(() => undefined);
    if (entry?.isFile()) bytes += entry.size;
  }
  return bytes;
}

/** pip has checked it; this says which file it was when a mirror serves another one under the same version. */
async function checkWheel(wheel: PinnedWheel, folder: string): Promise<string> {
  const path = join(folder, wheel.file);
  const found = await stat(path).catch(() => undefined);
  const sha256 = found === undefined ? "no such file" : await hashFile(path);
  if (sha256 === wheel.sha256) return path;
  throw new BackendError(
    `diptych/setUpNative: ${wheel.file}: expected SHA-256 ${wheel.sha256}, got ${sha256}. ` +
      "The package index served another file: try again, or ask whoever runs the mirror.",
  );
}

function fetchError(wheel: PinnedWheel, { lastLines, message }: ToolError): BackendError {
  const wrong = /Expected sha256 (\w+)\s+Got\s+(\w+)/.exec(lastLines);
  if (wrong !== null) {
    return new BackendError(
      `diptych/setUpNative: ${wheel.name} ${wheel.version}: expected SHA-256 ${wheel.sha256}, got ${wrong[2]}. ` +
        "What came is not the published file: try again, or ask whoever runs the mirror. Nothing was installed.",
    );
  }
  return new BackendError(
    `diptych/setUpNative: ${wheel.name} ${wheel.version}: expected ${wheel.file} (${formatBytes(wheel.bytes)}) from the ` +
      `Python package index, got: ${message}. Tried \`pip download ${wheel.name}==${wheel.version}\` with the index that ` +
      `pip is configured for:\n${lastLines}\nCheck the network, or set a mirror (PIP_INDEX_URL) or a folder that holds ` +
      "the file (PIP_FIND_LINKS). Nothing was installed.",
  );
}

const unpackScript = `
import re, sys, zipfile
wheel, folder, *patterns = sys.argv[1:]
with zipfile.ZipFile(wheel) as z:
    for name in z.namelist():
        if any(re.fullmatch(p, name) for p in patterns):
            print(z.extract(name, folder))
`;

/**
 * Takes the files whose whole name matches one of `patterns` (Python regular expressions) out of `wheel`.
 * @throws BackendError when there are none, or one is damaged.
 */
export async function unpackWheel(
  wheel: string,
  folder: string,
  {
    patterns,
    signal,
  }: { readonly patterns: readonly string[]; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const args = ["-c", unpackScript, wheel, folder, ...patterns];
  const { stdout } = await runTool("python3", { args, signal }).catch((error: unknown) => {
    if (!(error instanceof ToolError)) throw error;
    throw new BackendError(
      `diptych/setUpNative: ${wheel}: expected to unpack it, got: ${error.message}.\n${error.lastLines}`,
    );
  });
  if (stdout.trim() !== "") return;
  throw new BackendError(
    `diptych/setUpNative: ${wheel}: expected files ${patterns.join(", ")} in it, got none of them. ` +
      "Please report it.",
  );
}
