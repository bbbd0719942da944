/** A backend on the reference evaluator: for tests and for training that is tiny. Floats are rounded where a run ends. */
import { checkDonations } from "../backend/donations.js";
import { createQueue, type Queue } from "../backend/queue.js";
import type {
  Backend,
  BackendCapabilities,
  CompileOptions,
  DeviceTensor,
  Executable,
  Feed,
  RunOptions,
} from "../contracts/backend.js";
import { BackendError } from "../errors.js";
import { inputName, type Graph } from "../graph/graph.js";
import { expandComposites } from "../passes/legalize.js";
import { DTYPES } from "../tensor/dtype.js";
import { hostBytes, type HostTensor } from "../tensor/host-tensor.js";
import { bindFeeds, checkKnownNames } from "../backend/bind-feeds.js";
import { evaluationSteps } from "./evaluate.js";
import { toHostTensor, type Float64Tensor } from "./float64-tensor.js";
import {
  checkFits,
  copyHost,
  createLedger,
  createReferenceTensor,
  valuesOf,
  type TensorLedger,
} from "./reference-tensor.js";

const CAPABILITIES: BackendCapabilities = Object.freeze({
  nativeComposites: new Set<string>(),
  dtypes: new Set(DTYPES),
  donation: true,
  imageLayout: "NCHW",
  deviceMemory: "host",
});

/** How long a run may keep the event loop. */
const SLICE_MS = 20;

/**
 * A backend that evaluates in float64 on the host. It obeys the whole contract of {@link Backend}: donation, `into`,
 * abort, memory.
 */
export function createReferenceBackend(): Backend {
  const ledger = createLedger();
  const executables = new Set<Executable>();
  const enqueue = createQueue();
  let disposed = false;

  const checkLive = (what: string): void => {
    if (!disposed) return;
    throw new BackendError(
      `core/reference: ${what}: expected a live backend, got one that is disposed. Create another.`,
    );
  };

  return Object.freeze({
    name: "reference",
    capabilities: CAPABILITIES,
    describe: () => "reference: float64 on the host, one thread, for tests",
    compile: async (graph: Graph, options: CompileOptions = {}) => {
      checkLive("compile");
      const executable = compileReference(graph, { options, ledger, enqueue });
      executables.add(executable);
      return executable;
    },
    upload: async (tensor: HostTensor) => {
      checkLive("upload");
      return createReferenceTensor(copyHost(tensor), ledger);
    },
    memory: () => ({
      tensors: ledger.live.size,
      bytes: [...ledger.live.values()].reduce((total, host) => total + hostBytes(host).length, 0),
    }),
    dispose: async () => {
      disposed = true;
      await Promise.all([...executables].map((executable) => executable.dispose()));
      await enqueue(async () => undefined);
      ledger.live.clear();
    },
  });
}

interface Compilation {
  readonly options: CompileOptions;
  readonly ledger: TensorLedger;
  readonly enqueue: Queue;
}

function compileReference(source: Graph, { options, ledger, enqueue }: Compilation): Executable {
  const label = options.label ?? source.name;
  const donate = options.donate ?? {};
  checkDonations(source, donate, `core/reference: donation of "${label}"`);
  const graph = expandComposites(source, () => false);
  const outputNames = Object.freeze(Object.keys(graph.outputs));
  const constants = constantFeeds(graph, options.constants ?? new Map());
  const inputNames = Object.freeze(
    graph.inputs.map(({ node }) => inputName(node)).filter((name) => !(name in constants)),
  );
  const ending = new AbortController();

  const execute = async (
    feeds: Readonly<Record<string, Feed>>,
    { signal, into = {} }: RunOptions,
  ): Promise<Readonly<Record<string, DeviceTensor>>> => {
    checkKnownNames(`core/reference: ${label}`, "feeds", Object.keys(feeds), inputNames);
    checkKnownNames(`core/reference: ${label}`, "into", Object.keys(into), outputNames);
    const held = Object.fromEntries(
      Object.entries({ ...constants, ...feeds }).map(([name, feed]) => [
        name,
        isDeviceTensor(feed) ? valuesOf(feed, ledger, `feed "${name}" of ${label}`) : feed,
      ]),
    );
    const binding = bindFeeds(`core/reference: ${label}`, graph.inputs, held);
    const steps = evaluationSteps(Object.values(graph.outputs), held, binding);
    const signals = signal ? [signal, ending.signal] : [ending.signal];
    const results = (await inSlices(steps, AbortSignal.any(signals), label)).map(toHostTensor);
    return deliver(results, { outputNames, feeds, into, donate, ledger });
  };

  return Object.freeze({
    inputNames,
    outputNames,
    run: async (feeds: Readonly<Record<string, Feed>>, run: RunOptions = {}) => {
      // Copied now: the caller may reuse a host tensor as soon as this returns.
      const staged = Object.entries(feeds).map(
        ([name, feed]) => [name, isDeviceTensor(feed) ? feed : copyHost(feed)] as const,
      );
      return enqueue(() => execute(Object.fromEntries(staged), run));
    },
    dispose: async () => {
      ending.abort(
        new BackendError(`core/reference: ${label}: expected it live, got it disposed.`),
      );
      await enqueue(async () => undefined);
    },
  });
}

/** The constants that the graph has inputs for. */
function constantFeeds(
  graph: Graph,
  constants: ReadonlyMap<string, HostTensor>,
): Readonly<Record<string, HostTensor>> {
  return Object.fromEntries(
    graph.inputs.flatMap(({ node }) => {
      const name = inputName(node);
      const value = constants.get(name);
      return value ? [[name, value] as const] : [];
    }),
  );
}

/** Runs `steps` to their end, leaves the event loop to others now and then, and stops once `signal` says so. */
async function inSlices(
  steps: Generator<undefined, Float64Tensor[]>,
  signal: AbortSignal,
  label: string,
): Promise<Float64Tensor[]> {
  for (;;) {
    const end = performance.now() + SLICE_MS;
    while (performance.now() < end) {
      throwIfAborted(signal, label);
      const step = steps.next();
      if (step.done) return step.value;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function throwIfAborted(signal: AbortSignal, label: string): void {
  if (!signal.aborted) return;
  if (signal.reason instanceof BackendError) throw signal.reason;
  const error = new DOMException(
    `core/reference: "${label}" was ended before it finished.`,
    "AbortError",
  );
  throw Object.assign(error, { cause: signal.reason as unknown });
}

interface Delivery {
  readonly outputNames: readonly string[];
  readonly feeds: Readonly<Record<string, Feed>>;
  readonly into: Readonly<Record<string, DeviceTensor>>;
  readonly donate: Readonly<Record<string, string>>;
  readonly ledger: TensorLedger;
}

/** Puts results where they belong: into given tensors or new ones; donated tensors are spent. */
function deliver(
  results: readonly HostTensor[],
  { outputNames, feeds, into, donate, ledger }: Delivery,
): Readonly<Record<string, DeviceTensor>> {
  // All checks before the first write: a failed run changes nothing.
  if (new Set(Object.values(into)).size < Object.keys(into).length) {
    throw new BackendError(
      "core/reference: into: expected a tensor for each output, got one under two names. Give each its own.",
    );
  }
  const targets = outputNames.map((name, i) => {
    const target = into[name];
    if (target) {
      valuesOf(target, ledger, `into "${name}"`);
      checkFits(`into "${name}"`, results[i]!, target);
    }
    return target;
  });
  for (const name of Object.keys(donate)) {
    const feed = feeds[name];
    if (!feed || !isDeviceTensor(feed)) continue;
    ledger.live.delete(feed);
    ledger.donated.add(feed);
  }
  const entries = outputNames.map((name, i) => {
    const target = targets[i];
    if (!target) return [name, createReferenceTensor(results[i]!, ledger)] as const;
    ledger.live.set(target, results[i]!);
    return [name, target] as const;
  });
  return Object.freeze(Object.fromEntries(entries));
}

function isDeviceTensor(feed: Feed): feed is DeviceTensor {
  return "read" in feed;
}
