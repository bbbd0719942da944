/**
 * Where ONNX Runtime's library lies: a path given by the user, or the one that
 * onnxruntime-node ships for this platform. Looks, but does not load.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { BackendError } from "@diptych/core";

/** Path of a libonnxruntime that replaces the shipped one. */
const libraryVariable = "DIPTYCH_ORT_LIBRARY";

/** The release whose folder layout this file knows; package.json pins it. */
const pinnedPackage = "onnxruntime-node@1.30.0";

/** Library names per platform, in the order in which they are tried. */
const libraryNames: Readonly<Record<string, readonly string[]>> = {
  linux: ["libonnxruntime.so.1"],
  darwin: ["libonnxruntime.1.dylib", "libonnxruntime.1.30.0.dylib"],
  win32: ["onnxruntime.dll"],
};

/** What the lookup asks its surroundings; tests give their own. */
export interface LibrarySurroundings {
  readonly platform: string;
  readonly arch: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder of onnxruntime-node, or null where it is not installed. */
  readonly packageFolder: string | null;
  exists(path: string): boolean;
}

/** This process's surroundings. */
export function currentSurroundings(): LibrarySurroundings {
  return {
    platform: process.platform,
    arch: process.arch,
    environment: process.env,
    packageFolder: findPackageFolder(),
    exists: existsSync,
  };
}

function findPackageFolder(): string | null {
  try {
    return dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  } catch {
    return null;
  }
}

/** Whether the user named a library, which a fallback must then not replace. */
export function isLibraryNamed(
  library: string | undefined,
  environment: LibrarySurroundings["environment"],
): boolean {
  return Boolean(library ?? environment[libraryVariable]);
}

/**
 * The absolute path of ONNX Runtime's library: `library`, else the environment
 * variable DIPTYCH_ORT_LIBRARY, else onnxruntime-node's own.
 * @throws BackendError when there is none, saying what to install or set.
 */
export function findOrtLibrary(
  library: string | undefined,
  surroundings: LibrarySurroundings,
): string {
  const variable = surroundings.environment[libraryVariable];
  if (library) return checkNamedLibrary(library, "option `library`", surroundings);
  if (variable)
    return checkNamedLibrary(variable, `environment variable ${libraryVariable}`, surroundings);
  return findShippedLibrary(surroundings);
}

function checkNamedLibrary(
  path: string,
  source: string,
  surroundings: LibrarySurroundings,
): string {
  const absolute = isAbsolute(path) ? path : resolve(path);
  if (surroundings.exists(absolute)) return absolute;
  throw new BackendError(
    `backend-onnx/findOrtLibrary: ONNX Runtime's library: expected a file at ${absolute}, got nothing there ` +
      `(from ${source}). Correct the path, or leave it out to use the one that onnxruntime-node ships.`,
  );
}

function findShippedLibrary(surroundings: LibrarySurroundings): string {
  const { platform, arch, packageFolder } = surroundings;
  const names = libraryNames[platform];
  if (!names) {
    throw new BackendError(
      `backend-onnx/findOrtLibrary: platform: expected linux, darwin or win32, got ${platform}. ` +
        `Set ${libraryVariable} to a libonnxruntime built for it, or choose the tfjs backend.`,
    );
  }
  if (packageFolder === null) {
    throw new BackendError(
      `backend-onnx/findOrtLibrary: ONNX Runtime: expected the package onnxruntime-node, got none installed. ` +
        `Run \`npm install ${pinnedPackage}\`, or set ${libraryVariable} to a libonnxruntime.`,
    );
  }
  const folder = join(packageFolder, "bin", "napi-v6", platform, arch);
  const found = names.map((name) => join(folder, name)).find((path) => surroundings.exists(path));
  if (found !== undefined) return found;
  throw new BackendError(
    `backend-onnx/findOrtLibrary: ONNX Runtime's library: expected ${join(folder, names[0] ?? "")}, got nothing there. ` +
      shippedLibraryRemedy(platform, arch),
  );
}

function shippedLibraryRemedy(platform: string, arch: string): string {
  if (platform === "darwin" && arch === "x64") {
    return (
      `onnxruntime-node ships no library for Macs with Intel processors: install one ` +
      `(\`brew install onnxruntime\`) and set ${libraryVariable} to its libonnxruntime.dylib.`
    );
  }
  if (arch !== "x64" && arch !== "arm64") {
    return `onnxruntime-node ships x64 and arm64 only: set ${libraryVariable} to a libonnxruntime built for ${platform} ${arch}.`;
  }
  return `Run \`npm install ${pinnedPackage}\` again, or set ${libraryVariable} to a libonnxruntime.`;
}
