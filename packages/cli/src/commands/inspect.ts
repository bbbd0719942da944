/** `diptych inspect`: the parameters of a configuration's model or of a checkpoint, block by block. */
import { existsSync, statSync } from "node:fs";
import type { Command } from "commander";
import { inspectCheckpoint, inspectConfig, openConfigFile, type InspectedParameter } from "diptych";
import { formatTable } from "../table.js";

interface InspectFlags {
  readonly depth: string;
  readonly tensors?: boolean;
  readonly json?: boolean;
}

export function addInspectCommand(program: Command): void {
  program
    .command("inspect")
    .description("show a model's parameters: of a configuration or of a checkpoint")
    .argument("<what>", "configuration file, or checkpoint file or folder")
    .option("-d, --depth <n>", "levels of names that make a block", "2")
    .option("-t, --tensors", "list every tensor")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  $ diptych inspect configs/emoji-clip.ts\n  $ diptych inspect runs/a/model --tensors",
    )
    .action(runInspect);
}

async function runInspect(what: string, flags: InspectFlags): Promise<void> {
  const isCheckpoint =
    what.endsWith(".safetensors") || (existsSync(what) && statSync(what).isDirectory());
  const parameters = isCheckpoint
    ? await inspectCheckpoint(what)
    : await inspectConfig(await openConfigFile(what));
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(parameters, null, 2)}\n`);
    return;
  }
  const text = flags.tensors
    ? tensorTable(parameters)
    : blockTable(parameters, Number(flags.depth));
  process.stdout.write(`${text}\n`);
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
    const key = path.slice(0, Math.max(1, depth)).join(".") || name;
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
