/** `diptych setup`: native libraries that no npm package carries, once per user. */
import { Argument, type Command } from "commander";
import { formatBytes } from "@diptych/core";
import { SETUP_KINDS, setUpNative, type SetupKind } from "diptych";
import { listenForInterrupt } from "../interrupt.js";
import { createProgress } from "../progress.js";

interface SetupFlags {
  readonly force?: boolean;
  readonly folder?: string;
  readonly json?: boolean;
}

export function addSetupCommand(program: Command): void {
  program
    .command("setup")
    .description("fetch and build a native library: TensorFlow for Node, or ONNX Runtime for CUDA")
    .addArgument(new Argument("<what>", "what to set up").choices([...SETUP_KINDS]))
    .option("--force", "make it anew although it is there")
    .option("--folder <dir>", "folder of native libraries (default: native in the user's cache)")
    .option("--json", "print where it lies as JSON")
    .addHelpText(
      "after",
      `
What:
  tfjs-node      TensorFlow on the CPU, for the backend { type: "tfjs", engine: "node" }
  tfjs-node-gpu  TensorFlow on NVIDIA cards, for { type: "tfjs", engine: "node-gpu" }
  cuda           ONNX Runtime with CUDA, for { type: "onnx", provider: "cuda" }

Run again, it checks what is there. Ctrl-C leaves nothing behind.

Environment:
  DIPTYCH_NATIVE  the folder of native libraries, here and where they are used
  PIP_INDEX_URL   a mirror of the Python package index (any configuration of pip holds)`,
    )
    .action(runSetup);
}

async function runSetup(kind: SetupKind, flags: SetupFlags): Promise<void> {
  const interrupt = listenForInterrupt("Stopping: nothing is left behind …");
  const progress = createProgress("downloading", process.stderr, { format: formatBytes });
  try {
    const result = await setUpNative(kind, {
      ...(flags.folder === undefined ? {} : { folder: flags.folder }),
      force: flags.force ?? false,
      signal: interrupt.signal,
      log: (line) => progress.log(line),
      onProgress: (bytes, total, file) => progress.update(bytes, total, { text: file }),
    });
    progress.stop();
    const { status, detail, folder } = result;
    const done = `${kind} ${status === "made" ? "is set up" : "is there"}: ${detail}, in ${folder}`;
    process.stdout.write(`${flags.json ? JSON.stringify(result, null, 2) : done}\n`);
  } finally {
    progress.stop();
    interrupt.dispose();
  }
}
