/** `diptych benchmark`: methods beside one another at equal cost, and models over suites of tasks. */
import type { Command } from "commander";
import { addBenchmarkCompareCommand } from "./benchmark-compare.js";
import { addBenchmarkRunCommand } from "./benchmark-run.js";
import { addBenchmarkReportCommand } from "./benchmark-report.js";

export function addBenchmarkCommand(program: Command): void {
  const group = program
    .command("benchmark")
    .description("compare methods at equal cost, with what may be concluded from it");
  addBenchmarkCompareCommand(group);
  addBenchmarkRunCommand(group);
  addBenchmarkReportCommand(group);
}
