// The reference backend with something wrong, to see that the conformance suite finds it.
import {
  type Backend,
  type CompileOptions,
  type DeviceTensor,
  type Executable,
  type Feed,
  type Graph,
  type RunOptions,
} from "@diptych/core";
import { createReferenceBackend } from "@diptych/core/reference";
import { TOLERANCES } from "../tolerances.js";
import type { BackendSubject } from "./op-checks.js";

export type Feeds = Readonly<Record<string, Feed>>;
export type Outputs = Readonly<Record<string, DeviceTensor>>;

type Change = (inner: Backend) => Partial<Backend>;

/** The reference backend with some of its methods replaced. */
export function faulty(change: Change): BackendSubject {
  const inner = createReferenceBackend();
  return { backend: { ...inner, ...change(inner) }, tolerances: TOLERANCES };
}

/** Replaces `compile`. */
export function onCompile(
  compile: (inner: Backend, graph: Graph, options?: CompileOptions) => Promise<Executable>,
): BackendSubject {
  return faulty((inner) => ({ compile: (graph, options) => compile(inner, graph, options) }));
}

/** Replaces `run` of each executable. */
export function onRun(
  run: (executable: Executable, feeds: Feeds, options?: RunOptions) => Promise<Outputs>,
): BackendSubject {
  return onCompile(async (inner, graph, options) => {
    const executable = await inner.compile(graph, options);
    return { ...executable, run: (feeds, given) => run(executable, feeds, given) };
  });
}

/** Replaces methods of uploaded tensors; runs take them as they are. */
export function onUpload(change: (tensor: DeviceTensor) => Partial<DeviceTensor>): BackendSubject {
  const real = new Map<unknown, DeviceTensor>();
  return faulty((inner) => ({
    upload: async (host) => {
      const tensor = await inner.upload(host);
      const changed = { ...tensor, ...change(tensor) };
      real.set(changed, tensor);
      return changed;
    },
    compile: async (graph, options) => {
      const executable = await inner.compile(graph, options);
      const unwrapped = (feeds: Feeds): Feeds =>
        Object.fromEntries(
          Object.entries(feeds).map(([name, feed]) => [name, real.get(feed) ?? feed]),
        );
      return { ...executable, run: (feeds, given) => executable.run(unwrapped(feeds), given) };
    },
  }));
}

/** The options without one of them. */
export function without(options: RunOptions | undefined, name: keyof RunOptions): RunOptions {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([key]) => key !== name));
}
