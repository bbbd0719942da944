/** docs/support.md is what the lowerings do now. `npm run docs:support` writes it. */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import * as onnx from "@diptych/backend-onnx";
import * as tfjs from "@diptych/backend-tfjs";
import { OP_NAMES } from "@diptych/core/backend";
import { isDiptychError } from "@diptych/core";
import { format, resolveConfig } from "prettier";
import { beforeAll, describe, expect, it, vi } from "vitest";
import {
  comparableRows,
  opGraphs,
  supportPage,
  type SupportColumn,
} from "./support-table.test-support.js";

const PAGE = fileURLToPath(new URL("../../../../docs/support.md", import.meta.url));
const NODE = "tfjs node";

const graphs = opGraphs();
// tfjs-node brings its own copy of the engine cpu, whose kernels announce that they are there already.
const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
const core = await tfjs.describeLowering(graphs);
const node = await describeNode();
warn.mockRestore();

/** The engine's lowering, or why it cannot be asked. */
async function describeNode(): Promise<tfjs.LoweringDescription | string> {
  try {
    return await tfjs.describeNodeLowering(graphs);
  } catch (error) {
    if (isDiptychError(error, "BACKEND")) return error.message;
    throw error;
  }
}

function columns(): readonly SupportColumn[] {
  return [
    ...onnx.describeLowering(graphs).map((column) => ({ backend: "onnx", ...column })),
    ...(typeof node === "string" ? [] : [{ backend: "tfjs", ...node }]),
    ...core.map((column) => ({ backend: "tfjs", ...column })),
  ];
}

let page: string;
beforeAll(async () => {
  const options = await resolveConfig(PAGE);
  page = await format(supportPage(columns()), { ...options, parser: "markdown" });
  if (process.env["UPDATE_SUPPORT_TABLE"] === undefined) return;
  if (typeof node === "string")
    throw new Error(`All engines are needed to write the page. ${node}`);
  await writeFile(PAGE, page);
});

describe("the support table", () => {
  it("has every op", () => {
    expect(Object.keys(graphs).sort()).toEqual([...OP_NAMES].sort());
  });

  it("is what the lowerings do (npm run docs:support writes it)", async () => {
    const written = comparableRows(await readFile(PAGE, "utf8"), NODE);
    expect(comparableRows(page, NODE)).toEqual(written);
  });

  it.skipIf(typeof node === "string")(
    `is what the engine node does${typeof node === "string" ? `: skipped, ${node}` : ""}`,
    async () => {
      expect(page).toBe(await readFile(PAGE, "utf8"));
    },
  );
});

describe("comparableRows", () => {
  it("leaves out a column and its section, and nothing else", () => {
    const text =
      "| op | a | b |\n| --- | --- | --- |\n| x | 1 | 2 |\n\n### b\n\n| k |\n\n### a\n\nsaid";
    expect(comparableRows(text, "b")).toEqual(["op|a", "-|-", "x|1", "### a", "said"]);
    expect(comparableRows(text)).toContain("x|1|2");
  });
});
