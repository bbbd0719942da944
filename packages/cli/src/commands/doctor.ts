/** `diptych doctor`: what is installed, what each backend found on this machine, and how fast it is. */
import type { Command } from "commander";
import { runDoctor } from "diptych";
import { listenForInterrupt } from "../interrupt.js";
import { createProgress } from "../progress.js";
import { doctorReport } from "./doctor-report.js";
import { repeatable } from "./repeatable.js";

interface DoctorFlags {
  readonly config?: string;
  readonly tiny?: boolean;
  readonly set: readonly string[];
  readonly measure: boolean;
  readonly json?: boolean;
}

export function addDoctorCommand(program: Command): void {
  program
    .command("doctor")
    .description(
      "show what is installed, what each backend finds on this machine, and how fast it is",
    )
    .option(
      "--config <file>",
      "also the plugins of this configuration, and its backend as the default",
    )
    .option("--tiny", "of the configuration, its own small version")
    .option("-s, --set <path=value>", "of the configuration, replace one value", repeatable, [])
    .option("--no-measure", "do not multiply matrices")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ diptych doctor
  $ diptych doctor --config my.ts --set backend.engine=wasm

Status:
  ready    it works; the rate is that of one product of matrices, [1024, 768] by [768, 3072]
           (smaller on slow engines), after warm-up, in each floating-point type that the engine
           computes in itself
  missing  not installed, or the machine has no such device: the line says what brings it
  broken   it is there and does not work: the line says why

Each engine is tried in a process of its own; one that crashes is reported as broken.
The exit code is 1 when the default backend (marked *) does not work, else 0.

Environment:
  DIPTYCH_NATIVE    folder of native libraries that \`diptych setup\` fills
  VK_ICD_FILENAMES  Vulkan drivers for WebGPU on Linux`,
    )
    .action(runDoctorCommand);
}

async function runDoctorCommand(flags: DoctorFlags): Promise<void> {
  const { config, tiny, set, measure, json } = flags;
  const interrupt = listenForInterrupt("Stopping …");
  const progress = createProgress("checking");
  try {
    const report = await runDoctor({
      ...(config === undefined ? {} : { config, set, ...(tiny === undefined ? {} : { tiny }) }),
      measure,
      signal: interrupt.signal,
      on: ({ what, done, total }) => progress.update(done, total, { text: what }),
    });
    progress.stop();
    const text = json
      ? JSON.stringify(report, null, 2)
      : doctorReport(report, process.stdout.columns);
    process.stdout.write(`${text}\n`);
    if (!report.healthy) process.exitCode = 1;
  } finally {
    progress.stop();
    interrupt.dispose();
  }
}
