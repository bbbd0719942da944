/**
 * Backends as strangers write them, good and bad, for tests: what one finds, and how it fails in its own process. The
 * good ones compute by the reference evaluator.
 */
import { writeFileSync } from "node:fs";
import {
  BackendError,
  hostTensorFrom,
  hostValues,
  type Backend,
  type HostTensor,
} from "@diptych/core";
import { backend, definePlugin, type BackendFinding } from "@diptych/core/plugin";
import { createReferenceBackend } from "@diptych/core/reference";
import { z } from "zod";

const MODES = ["fine", "slow", "missing", "aborts", "hangs", "wrong", "fails"] as const;

/** Where a hanging backend writes the number of its process. */
export const PID_FILE = "FAKE_BACKEND_PID_FILE";

const fakeSchema = z.strictObject({ mode: z.enum(MODES).default("fine") });

function find(mode: (typeof MODES)[number]): BackendFinding {
  const part = { type: "fake", mode };
  if (mode === "missing") {
    return { part, status: "missing", detail: "no abacus here. Bring one: fake setup abacus" };
  }
  return {
    part,
    status: "ready",
    detail: `10 beads, ${mode}`,
    ...(mode === "slow" ? { slow: true } : {}),
  };
}

async function createFake({ mode }: z.output<typeof fakeSchema>): Promise<Backend> {
  switch (mode) {
    case "aborts":
      process.stderr.write("abacus: a bead fell off\n");
      process.abort();
      break;
    case "hangs":
      if (process.env[PID_FILE]) writeFileSync(process.env[PID_FILE], String(process.pid));
      return new Promise(() => setInterval(() => undefined, 1000));
    case "missing":
      throw new BackendError("fake/create: abacus: expected one, got none.");
    default:
      break;
  }
  const whole = createReferenceBackend();
  return Object.freeze({
    name: "fake",
    capabilities: whole.capabilities,
    describe: () => `fake: ${mode}`,
    compile: async (graph, options) => {
      const executable = await whole.compile(graph, options);
      let runs = 0;
      const run: typeof executable.run = async (feeds, runOptions) => {
        runs += 1;
        if (mode === "fails" && runs > 2)
          throw new BackendError("fake/run: memory: expected room for 4 beads, got 3.");
        return executable.run(feeds, runOptions);
      };
      return { ...executable, run, dispose: () => executable.dispose() };
    },
    upload: (tensor) => whole.upload(mode === "wrong" ? swollen(tensor) : tensor),
    memory: () => whole.memory(),
    dispose: () => whole.dispose(),
  } satisfies Backend);
}

/** All values a twentieth too large. */
function swollen(tensor: HostTensor): HostTensor {
  if (tensor.dtype !== "float32") return tensor;
  return hostTensorFrom(
    "float32",
    tensor.shape,
    hostValues(tensor).map((value) => value * 1.05),
  );
}

export const fakePlugin = definePlugin({
  name: "fake-backends",
  contract: 1,
  provides: [
    backend("fake", {
      summary: "one engine for each way to fail",
      schema: fakeSchema,
      create: createFake,
      // A hanging one is only for those who ask for it.
      diagnose: async () => MODES.filter((mode) => mode !== "hangs").map(find),
    }),
    backend("falls-over", {
      summary: "ends its process when it is asked",
      schema: z.strictObject({}),
      create: createReferenceBackend,
      diagnose: () => process.abort(),
    }),
    backend("mute", {
      summary: "says nothing of what it finds",
      schema: z.strictObject({ beads: z.int() }),
      create: createReferenceBackend,
    }),
  ],
});
