/** `diptych inspect`: what a model costs block by block, or the tensors of a checkpoint. */
import { existsSync, statSync } from "node:fs";
import { extname } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { ConfigError } from "@diptych/core";
import {
  findPulledModel,
  inspectCheckpoint,
  inspectConfig,
  measureCheckpoint,
  measureConfig,
  measurePaperModel,
  OPEN_CLIP_MODEL_NAMES,
  openConfigFile,
  paperModelName,
  type InspectedParameter,
  type MeasureOptions,
} from "diptych";
import { formatTable } from "../table.js";
import { costReport } from "./inspect-cost.js";

interface InspectFlags {
  readonly depth?: number;
  readonly batch: number;
  readonly tensors?: boolean;
  readonly tiny?: boolean;
  readonly json?: boolean;
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("Expected a whole number from 1.");
}

export function addInspectCommand(program: Command): void {
  program
    .command("inspect")
    .description(
      "show what a model is made of and costs: one of the paper's, a configuration's, or a checkpoint",
    )
    .argument(
      "<what>",
      "name (RN50x16, ViT-B/32 …), configuration file, checkpoint file or folder, or a pulled model's name",
    )
    .option("-d, --depth <n>", "levels of names that make a block", positiveInteger)
    .option("-b, --batch <n>", "samples that FLOPs and activations are of", positiveInteger, 1)
    .option("-t, --tensors", "list every tensor")
    .option("--tiny", "the config's own small version")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ diptych inspect RN50x16
  $ diptych inspect configs/emoji-clip.ts --batch 96
  $ diptych inspect runs/a/model --tensors`,
    )
    .action(runInspect);
}

async function runInspect(what: string, flags: InspectFlags): Promise<void> {
  process.stdout.write(`${await inspect(what, flags)}\n`);
}

async function inspect(what: string, flags: InspectFlags): Promise<string> {
  const { batch, depth, json = false } = flags;
  const options: MeasureOptions = { batch, ...(depth === undefined ? {} : { depth }) };
  const paperModel = existsSync(what) ? undefined : paperModelName(what);
  if (paperModel) {
    const cost = measurePaperModel(paperModel, options);
    return json ? asJson(cost) : costReport(cost);
  }
  const pulled = existsSync(what) ? undefined : await findPulledModel(what);
  if (pulled !== undefined || isCheckpoint(what)) {
    return checkpointReport(pulled ?? what, flags, options);
  }
  if (!existsSync(what)) {
    throw new ConfigError(
      `cli/inspect: ${what}: expected a file or folder, a model that was pulled, or one of ${OPEN_CLIP_MODEL_NAMES.join(", ")}, got none of these. Check the path, or pull it: diptych pull ${what}`,
    );
  }
  const opened = await openConfigFile(what, { tiny: flags.tiny ?? false });
  if (flags.tensors && !json) return tensorTable(await inspectConfig(opened));
  const cost = await measureConfig(opened, options);
  return json ? asJson({ ...cost, tensors: await inspectConfig(opened) }) : costReport(cost);
}

/** Costs of its model and, where that is not known, its tensors by block. */
async function checkpointReport(
  path: string,
  flags: InspectFlags,
  options: MeasureOptions,
): Promise<string> {
  const tensors = await inspectCheckpoint(path);
  if (flags.tensors && !flags.json) return tensorTable(tensors);
  const found = await measureCheckpoint(path, options);
  if ("unknown" in found) {
    if (flags.json) return asJson({ tensors });
    return `${blockTable(tensors, flags.depth ?? 2)}\n\nFLOPs and activations are not known: ${found.unknown}`;
  }
  if (flags.json) return asJson({ ...found.cost, tensors });
  const assumed = found.assumed.map((text) => `Assumed: ${text}`);
  return [costReport(found.cost), ...assumed].join("\n");
}

const asJson = (value: unknown): string => JSON.stringify(value, null, 2);

const CHECKPOINTS: ReadonlySet<string> = new Set([".safetensors", ".pt", ".pth", ".bin"]);

function isCheckpoint(what: string): boolean {
  return CHECKPOINTS.has(extname(what)) || (existsSync(what) && statSync(what).isDirectory());
}

const count = (n: number): string => n.toLocaleString("en");

function tensorTable(parameters: readonly InspectedParameter[]): string {
  return formatTable(
    ["tensor", "shape", "values", "role"],
    parameters.map(({ name, shape, values, role }) => [
      name,
      `[${shape.join(", ")}]`,
      count(values),
      role,
    ]),
    [2],
  );
}

/** Weights and buffers by block; the last row sums up. */
function blockTable(parameters: readonly InspectedParameter[], depth: number): string {
  const blocks = new Map<string, { weights: number; buffers: number }>();
  for (const { name, values, role } of parameters) {
    const path = name.split(".").slice(0, -1);
    const key = path.slice(0, depth).join(".") || name;
    const block = blocks.get(key) ?? { weights: 0, buffers: 0 };
    blocks.set(key, {
      weights: block.weights + (role === "weight" ? values : 0),
      buffers: block.buffers + (role === "buffer" ? values : 0),
    });
  }
  const rows = [...blocks].map(([name, { weights, buffers }]) => [
    name,
    count(weights),
    count(buffers),
  ]);
  const total = (key: "weights" | "buffers"): number =>
    [...blocks.values()].reduce((sum, block) => sum + block[key], 0);
  rows.push(["total", count(total("weights")), count(total("buffers"))]);
  return formatTable(["block", "weights", "buffers"], rows, [1, 2]);
}
