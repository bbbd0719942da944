/** What a set-up needs on the machine, looked for before anything is fetched, each with the Debian package that brings it. */
import { statfs } from "node:fs/promises";
import { BackendError, formatBytes } from "@diptych/core";
import { runTool, ToolError } from "./run-tool.js";

/** A program, and how to ask whether it is there. */
export interface RequiredTool {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Debian package. */
  readonly package: string;
}

export const PYTHON: RequiredTool = tool("python3", "python3", ["--version"], "python3");
export const PIP: RequiredTool = tool("pip", "python3", ["-m", "pip", "--version"], "python3-pip");
export const NPM: RequiredTool = tool("npm", "npm", ["--version"], "npm");
export const CXX: RequiredTool = tool("g++", "g++", ["--version"], "g++");
export const MAKE: RequiredTool = tool("make", "make", ["--version"], "make");

function tool(
  name: string,
  command: string,
  args: readonly string[],
  debianPackage: string,
): RequiredTool {
  return Object.freeze({ name, command, args, package: debianPackage });
}

/** @throws BackendError naming every tool that is missing and the packages that bring them. */
export async function checkTools(
  tools: readonly RequiredTool[],
  signal?: AbortSignal,
): Promise<void> {
  const missing: RequiredTool[] = [];
  for (const tool of tools) if (!(await isThere(tool, signal))) missing.push(tool);
  if (missing.length === 0) return;
  throw new BackendError(
    `diptych/setUpNative: tools: expected ${tools.map(({ name }) => name).join(", ")}, ` +
      `got no ${missing.map(({ name }) => name).join(", no ")}. On Debian or Ubuntu: ` +
      `\`apt-get install ${missing.map((tool) => tool.package).join(" ")}\`.`,
  );
}

async function isThere({ command, args }: RequiredTool, signal?: AbortSignal): Promise<boolean> {
  try {
    await runTool(command, { args, signal });
    return true;
  } catch (error) {
    if (error instanceof ToolError) return false;
    throw error;
  }
}

/** @throws BackendError when the disk of `folder`, which exists, has less than `bytes` left. */
export async function checkDiskSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new BackendError(
    `diptych/setUpNative: disk: expected ${formatBytes(bytes)} free under ${folder}, got ${formatBytes(free)}. ` +
      "Free some space, or set DIPTYCH_NATIVE to a folder on another disk.",
  );
}

/** @throws BackendError on another platform than the wheels are for. */
export function checkPlatform(otherwise: string): void {
  if (process.platform === "linux" && process.arch === "x64") return;
  throw new BackendError(
    `diptych/setUpNative: platform: expected linux x64, got ${process.platform} ${process.arch}. ${otherwise}`,
  );
}
