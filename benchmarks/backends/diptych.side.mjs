// One backend: opens the case it is asked for and then runs it turn by turn. Argument: the backend's part as JSON.
import { createBackend } from "../support/backend.mjs";
import { peakBytes } from "../support/child-process.mjs";
import { openInference, openTraining } from "../support/clip-run.mjs";
import { createMatmulRate, matmulFlops } from "../support/matmul-rate.mjs";
import { openRun } from "../support/quickstart-run.mjs";
import { serve } from "../support/side.mjs";

const backend = await createBackend(JSON.parse(process.argv[2]));
const rate = await createMatmulRate(backend);
let current;

await serve({ name: backend.describe() }, async (request) => {
  if (request.open) return open(request.open);
  if (request.product) return { flopsPerMs: matmulFlops / (await rate.milliseconds(3)) };
  const [start, before] = [performance.now(), backend.transfers?.()];
  const value = await current.work();
  const ms = performance.now() - start;
  return { ms, value, ...(before ? { bus: crossed(before, backend.transfers()) } : {}) };
});

await current?.dispose();
await rate.dispose();
await backend.dispose();

/** Bytes over the bus between two counts. */
function crossed(before, after) {
  return {
    toDevice: after.toDevice - before.toDevice,
    toHost: after.toHost - before.toHost,
  };
}

/** Opens a case in place of the one before. */
async function open(wanted) {
  await current?.dispose();
  globalThis.gc?.();
  current = undefined;
  const start = performance.now();
  current = await opened(wanted);
  const openMs = performance.now() - start;
  await current.work();
  return { openMs, flops: current.flops, peakBytes: peakBytes(), tensors: backend.memory() };
}

function opened({ kind, ...wanted }) {
  if (kind === "training") return openTraining(backend, wanted);
  if (kind === "inference") return openInference(backend, wanted);
  return openQuickstart(wanted);
}

async function openQuickstart({ precision }) {
  const { flops, trainer, loader } = await openRun("configs/emoji-quickstart.ts", backend, {
    precision,
  });
  const feeds = await firstBatch(loader);
  return {
    flops,
    async work() {
      const outcome = await trainer.runStep({ feeds }, { learningRate: 1e-4 });
      if (outcome.status !== "done") throw new Error(`bench: step: ${outcome.status}`);
      return outcome.report.loss;
    },
    dispose: () => trainer.dispose(),
  };
}

async function firstBatch(loader) {
  for await (const { feeds } of loader.batches()) {
    // A copy: the loader reuses its memory.
    return structuredClone(feeds);
  }
  throw new Error("bench: loader: expected a batch, got none");
}
