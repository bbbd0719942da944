/** An inspector straight from where a model is kept. */
import type { Backend } from "@diptych/core";
import { createOnnxBackend } from "@diptych/backend-onnx";
import { readModel, type ReadModelOptions } from "../read-model.js";
import { createInspector, type Inspector } from "./inspector.js";

export interface OpenInspectorOptions extends ReadModelOptions {
  /** Another backend than ONNX Runtime on the CPU. It stays the caller's to dispose. */
  readonly backend?: Backend;
  /** Threads of the backend that is made here; default: the physical cores. */
  readonly threads?: number;
  /** Receives what the source does not say and was taken as usual; standard error by default. */
  readonly log?: (line: string) => void;
}

/**
 * Opens a model to look inside: the same sources as loadClip.
 *
 * @throws CheckpointError when there is no such model or its tensors do not fit, ConfigError on an unsupported tower.
 * @example
 * const inspector = await openInspector("runs/a/model");
 * const { "image/block11/attention": attention } = await inspector.intermediates(["cat.png"], ["image/block11/attention"]);
 * const [relevance] = await inspector.relevance("cat.png", ["a photo of a cat"]);
 */
export async function openInspector(
  source: string,
  { backend: given, threads, log = toStderr, ...reading }: OpenInspectorOptions = {},
): Promise<Inspector> {
  const loaded = await readModel(source, reading);
  for (const assumption of loaded.assumed) log(assumption);
  const backend = given ?? (await createOnnxBackend(threads === undefined ? {} : { threads }));
  const inspector = createInspector(loaded, backend);
  return Object.freeze({
    ...inspector,
    dispose: async () => {
      await inspector.dispose();
      if (!given) await backend.dispose();
    },
  });
}

function toStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
