/** `diptych compare-backends`: the same steps on each backend, with losses, times and memory side by side. */
import { join, resolve } from "node:path";
import { mkdir } from "node:fs/promises";
import { Option, type Command } from "commander";
import { trainingSchema } from "@diptych/core";
import {
  compareBackends,
  writeFileAtomically,
  writeJsonAtomically,
  type BackendComparison,
  type ComparisonEvent,
} from "diptych";
import { positiveInteger } from "../clip-options.js";
import { listenForInterrupt } from "../interrupt.js";
import { createProgressSeries } from "../progress.js";
import { showRunEvent } from "../run-view.js";
import { renderBackendsPage } from "../report/backends-page.js";
import { comparisonCsv, comparisonText } from "./comparison-report.js";
import { repeatable } from "./repeatable.js";

interface CompareFlags {
  readonly steps: number;
  readonly backends?: readonly string[];
  readonly precision?: string;
  readonly tiny?: boolean;
  readonly set: readonly string[];
  readonly out?: string;
  readonly json?: boolean;
}

export function addCompareBackendsCommand(program: Command): void {
  program
    .command("compare-backends")
    .description("run the same training steps on each backend, and show losses, times and memory")
    .argument("<config>", "configuration: TypeScript, JavaScript, JSON or YAML")
    .option("-n, --steps <n>", "steps on each", positiveInteger, 20)
    .option(
      "-b, --backends <names>",
      "which, in order, with commas between (default: every engine that is ready and not slow)",
      (text) => text.split(",").map((name) => name.trim()),
    )
    .addOption(
      new Option("-p, --precision <policy>", "in place of the configuration's").choices(
        trainingSchema.shape.precision.unwrap().options,
      ),
    )
    .option("--tiny", "the config's own small version")
    .option("-s, --set <path=value>", "replace one value; may be repeated", repeatable, [])
    .option("-o, --out <dir>", "folder of the report (default: runs/<name of the config>-backends)")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ diptych compare-backends configs/emoji-quickstart.ts
  $ diptych compare-backends my.ts --tiny --backends onnx,tfjs:node,tfjs:wasm --steps 50
  $ diptych compare-backends my.ts --backends onnx:threads=1,onnx:threads=2

Names:
  onnx              the type, with the configuration's settings
  tfjs:wasm         an engine or provider, as \`diptych doctor\` lists them
  onnx:threads=1    any setting of the backend; several may follow one another

The first backend is the one that the others are compared with. A loss that lies further from it
than 1e-3 (3e-2 in mixed precision), relative to it, is flagged. One that fails does not end the
others. The exit code is 1 when any failed or is flagged, 130 after Ctrl-C.

The folder gets report.html, result.json and steps.csv (one row a step and backend).`,
    )
    .action(runCompare);
}

async function runCompare(config: string, flags: CompareFlags): Promise<void> {
  const { steps, backends, precision, tiny, set } = flags;
  const interrupt = listenForInterrupt("Stopping: ending the processes of the backends …");
  const view = createView();
  try {
    const comparison = await compareBackends({
      config,
      steps,
      set,
      ...(backends === undefined ? {} : { backends }),
      ...(precision === undefined ? {} : { precision }),
      ...(tiny === undefined ? {} : { tiny }),
      signal: interrupt.signal,
      on: view.on,
    });
    view.stop();
    const out = resolve(flags.out ?? `runs/${comparison.name}-backends`);
    const page = await writeComparison(out, comparison);
    process.stdout.write(
      flags.json
        ? `${JSON.stringify(comparison, null, 2)}\n`
        : `${comparisonText(comparison, process.stdout.columns)}\n\nLook at it: ${page}\n`,
    );
    if (!comparison.agrees) process.exitCode = 1;
  } finally {
    view.stop();
    interrupt.dispose();
  }
}

async function writeComparison(out: string, comparison: BackendComparison): Promise<string> {
  await mkdir(out, { recursive: true });
  const page = join(out, "report.html");
  await writeJsonAtomically(join(out, "result.json"), comparison);
  await writeFileAtomically(join(out, "steps.csv"), [Buffer.from(comparisonCsv(comparison))]);
  await writeFileAtomically(page, [Buffer.from(renderBackendsPage(comparison))]);
  return page;
}

/** One bar at a time: preparing the data, then each backend's steps. */
function createView(): { on: (event: ComparisonEvent) => void; stop: () => void } {
  const series = createProgressSeries();
  return {
    on: (event) => {
      switch (event.event) {
        case "message":
        case "prepare":
          showRunEvent(series, event);
          break;
        case "begin":
          series.at(`${event.label} (${event.index + 1} of ${event.count})`);
          break;
        case "step": {
          const { step, loss, stepMs } = event.point;
          series.current()?.update(step + 1, event.steps, {
            text: `loss ${loss.toFixed(4)} · ${stepMs.toFixed(0)} ms`,
            secondsLeft: ((event.steps - step - 1) * stepMs) / 1000,
          });
          break;
        }
        case "failed":
          series.log(`${event.label} failed: ${event.reason}`);
          break;
      }
    },
    stop: () => series.stop(),
  };
}
