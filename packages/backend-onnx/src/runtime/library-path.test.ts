import { describe, expect, it } from "vitest";
import { BackendError } from "@diptych/core";
import { currentSurroundings, findOrtLibrary, isLibraryNamed } from "./library-path.js";
import type { LibrarySurroundings } from "./library-path.js";

const folder = "/app/node_modules/onnxruntime-node";

function surroundings(
  given: Partial<LibrarySurroundings>,
  files: readonly string[] = [],
): LibrarySurroundings {
  return {
    platform: "linux",
    arch: "x64",
    environment: {},
    packageFolder: folder,
    exists: (path) => files.includes(path),
    ...given,
  };
}

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(BackendError);
    return (error as Error).message;
  }
  throw new Error("expected an error");
}

describe("the library that onnxruntime-node ships", () => {
  it.each([
    ["linux", "x64", "libonnxruntime.so.1"],
    ["linux", "arm64", "libonnxruntime.so.1"],
    ["darwin", "arm64", "libonnxruntime.1.dylib"],
    ["darwin", "arm64", "libonnxruntime.1.30.0.dylib"],
    ["win32", "x64", "onnxruntime.dll"],
    ["win32", "arm64", "onnxruntime.dll"],
  ])("is found on %s %s as %s", (platform, arch, name) => {
    const path = `${folder}/bin/napi-v6/${platform}/${arch}/${name}`;
    expect(findOrtLibrary(undefined, surroundings({ platform, arch }, [path]))).toBe(path);
  });

  it("is not there for Intel Macs, and the error says what to install", () => {
    const message = messageOf(() =>
      findOrtLibrary(undefined, surroundings({ platform: "darwin", arch: "x64" })),
    );
    expect(message).toContain("bin/napi-v6/darwin/x64/libonnxruntime.1.dylib, got nothing there");
    expect(message).toContain("brew install onnxruntime");
    expect(message).toContain("DIPTYCH_ORT_LIBRARY");
  });

  it("is not there for other processors", () => {
    const message = messageOf(() => findOrtLibrary(undefined, surroundings({ arch: "riscv64" })));
    expect(message).toContain("x64 and arm64 only");
    expect(message).toContain("linux riscv64");
  });

  it("is not known for other platforms", () => {
    const message = messageOf(() =>
      findOrtLibrary(undefined, surroundings({ platform: "freebsd" })),
    );
    expect(message).toContain("expected linux, darwin or win32, got freebsd");
  });

  it("needs the package", () => {
    const message = messageOf(() =>
      findOrtLibrary(undefined, surroundings({ packageFolder: null })),
    );
    expect(message).toContain("npm install onnxruntime-node@1.30.0");
  });

  it("needs the package's binaries", () => {
    const message = messageOf(() => findOrtLibrary(undefined, surroundings({})));
    expect(message).toContain("linux/x64/libonnxruntime.so.1, got nothing there");
    expect(message).toContain("npm install onnxruntime-node@1.30.0");
  });

  it("exists on this machine", () => {
    const here = currentSurroundings();
    expect(here.exists(findOrtLibrary(undefined, { ...here, environment: {} }))).toBe(true);
  });
});

describe("a library that the user names", () => {
  const files = ["/opt/ort/libonnxruntime.so", "/other/libonnxruntime.so"];

  it("comes from the option before the variable", () => {
    const given = surroundings(
      { environment: { DIPTYCH_ORT_LIBRARY: "/other/libonnxruntime.so" } },
      files,
    );
    expect(findOrtLibrary("/opt/ort/libonnxruntime.so", given)).toBe("/opt/ort/libonnxruntime.so");
    expect(findOrtLibrary(undefined, given)).toBe("/other/libonnxruntime.so");
  });

  it("serves platforms that onnxruntime-node does not", () => {
    const given = surroundings({ platform: "freebsd", packageFolder: null }, files);
    expect(findOrtLibrary("/opt/ort/libonnxruntime.so", given)).toBe("/opt/ort/libonnxruntime.so");
  });

  it("must exist; the error names where it was set", () => {
    const variable = surroundings({ environment: { DIPTYCH_ORT_LIBRARY: "/gone.so" } });
    expect(messageOf(() => findOrtLibrary(undefined, variable))).toContain(
      "environment variable DIPTYCH_ORT_LIBRARY",
    );
    expect(messageOf(() => findOrtLibrary("/gone.so", surroundings({})))).toContain(
      "option `library`",
    );
  });

  it("is recognised as named", () => {
    expect(isLibraryNamed(undefined, {})).toBe(false);
    expect(isLibraryNamed("/a.so", {})).toBe(true);
    expect(isLibraryNamed(undefined, { DIPTYCH_ORT_LIBRARY: "/a.so" })).toBe(true);
  });
});
