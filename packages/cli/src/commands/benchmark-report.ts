/** `diptych benchmark report`: the report of a comparison or suite that was saved, written again. */
import { resolve } from "node:path";
import type { Command } from "commander";
import {
  openComparison,
  readResults,
  reportComparison,
  writeReport,
  type WrittenReport,
} from "@diptych/benchmark";
import { ConfigError } from "@diptych/core";
import { repeatable } from "./repeatable.js";

interface ReportFlags {
  readonly tiny?: boolean;
  readonly set: readonly string[];
}

export function addBenchmarkReportCommand(group: Command): void {
  group
    .command("report")
    .description("write the report of a saved comparison or suite again")
    .argument("<dir>", "folder with comparison.json or suite.json")
    .argument(
      "[configs...]",
      "the comparison's configurations, the baseline first: for pictures and the search box",
    )
    .option("--tiny", "their own small versions, where the comparison was of these")
    .option("-s, --set <path=value>", "as in the comparison; may be repeated", repeatable, [])
    .addHelpText(
      "after",
      `
Examples:
  $ diptych benchmark report runs/compare-clip
  $ diptych benchmark report runs/compare-clip clip.ts mine.ts

Writes report.html, report.md with its pictures, and report.csv into the folder. Without the
configurations the examples in it are text, and there is no search box.`,
    )
    .action(runReport);
}

async function runReport(
  dir: string,
  configs: readonly string[],
  flags: ReportFlags,
): Promise<void> {
  const report = await reportAgain(resolve(dir), configs, flags);
  process.stdout.write(`Look at it: ${report.html}\n`);
}

async function reportAgain(
  out: string,
  files: readonly string[],
  { tiny = false, set }: ReportFlags,
): Promise<WrittenReport> {
  const results = await readResults(out);
  if (files.length === 0) return writeReport(results, out);
  if (results.kind !== "diptych-comparison") {
    throw new ConfigError(
      `cli/benchmark: report: expected no configurations for a suite, got ${files.join(", ")}. Leave them out.`,
    );
  }
  if (files.length !== results.methods.length) {
    throw new ConfigError(
      `cli/benchmark: report: expected ${results.methods.length} configurations, of ${results.methods.join(", ")}, got ${files.length}. Name all of them, the baseline first.`,
    );
  }
  const opened = await openComparison({ files, tiny, set });
  return reportComparison({ comparison: results, opened, out });
}
