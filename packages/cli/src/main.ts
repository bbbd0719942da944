/** The diptych command. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { addBenchmarkCommand } from "./commands/benchmark.js";
import { addClassifyCommand } from "./commands/classify.js";
import { addCompareBackendsCommand } from "./commands/compare-backends.js";
import { addConvertCommand } from "./commands/convert.js";
import { addDoctorCommand } from "./commands/doctor.js";
import { addEmbedCommand } from "./commands/embed.js";
import { addEvalCommand } from "./commands/eval.js";
import { addExplainCommand } from "./commands/explain.js";
import { addInspectCommand } from "./commands/inspect.js";
import { addNewCommand } from "./commands/new.js";
import { addPluginsCommand } from "./commands/plugins.js";
import { addPullCommand } from "./commands/pull.js";
import { addQuickstartCommand } from "./commands/quickstart.js";
import { addSetupCommand } from "./commands/setup.js";
import { addTrainCommand } from "./commands/train.js";
import { printError } from "./print-error.js";

function ownVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** The whole command line. */
export function createProgram(): Command {
  const version = ownVersion();
  const program = new Command("diptych")
    .description("Compose, train, run and compare contrastive vision-language models.")
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError("(--help says more)");
  addTrainCommand(program);
  addEvalCommand(program);
  addInspectCommand(program);
  addEmbedCommand(program);
  addClassifyCommand(program);
  addExplainCommand(program);
  addPullCommand(program);
  addConvertCommand(program);
  addPluginsCommand(program);
  addNewCommand(program, version);
  addSetupCommand(program);
  addDoctorCommand(program);
  addBenchmarkCommand(program);
  addCompareBackendsCommand(program);
  addQuickstartCommand(program);
  return program;
}

/** Runs the command; errors are printed and set the exit code. */
export async function main(argv: readonly string[] = process.argv): Promise<void> {
  try {
    await createProgram().parseAsync([...argv]);
  } catch (error) {
    printError(error);
  }
}
