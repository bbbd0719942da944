/** Graphs over one model's weights, compiled when they are first run and kept until the end. */
import {
  createGraph,
  type Backend,
  type Executable,
  type HostTensor,
  type Value,
} from "@diptych/core";

export interface GraphPlan {
  /** Values to compute, by name. */
  readonly outputs: Readonly<Record<string, Value>>;
}

export interface RunRequest<P extends GraphPlan> {
  /** Equal keys have equal plans. */
  readonly key: string;
  readonly plan: () => P;
  readonly feeds: Readonly<Record<string, HostTensor>>;
  readonly signal?: AbortSignal | undefined;
}

export interface GraphResults<P extends GraphPlan> {
  readonly plan: P;
  readonly results: Readonly<Record<string, HostTensor>>;
}

export interface GraphCache {
  run<P extends GraphPlan>(request: RunRequest<P>): Promise<GraphResults<P>>;
  dispose(): Promise<void>;
}

interface Compiled {
  readonly plan: GraphPlan;
  readonly executable: Executable;
}

export function createGraphCache(
  backend: Backend,
  parameters: ReadonlyMap<string, HostTensor>,
): GraphCache {
  const graphs = new Map<string, Promise<Compiled>>();
  const compile = async (key: string, plan: GraphPlan): Promise<Compiled> => {
    const graph = createGraph(key, plan.outputs);
    const executable = await backend.compile(graph, { label: key, constants: parameters });
    return { plan, executable };
  };
  return Object.freeze({
    run: async <P extends GraphPlan>({ key, plan, feeds, signal }: RunRequest<P>) => {
      let compiling = graphs.get(key);
      if (!compiling) {
        compiling = compile(key, plan());
        graphs.set(key, compiling);
        compiling.catch(() => graphs.delete(key));
      }
      const compiled = await compiling;
      const outputs = await compiled.executable.run(feeds, signal ? { signal } : {});
      try {
        const results: Record<string, HostTensor> = {};
        for (const [name, tensor] of Object.entries(outputs)) results[name] = await tensor.read();
        // The key says which plan it is.
        return { plan: compiled.plan as P, results };
      } finally {
        for (const tensor of Object.values(outputs)) tensor.dispose();
      }
    },
    dispose: async () => {
      const opening = [...graphs.values()];
      graphs.clear();
      for (const graph of await Promise.allSettled(opening)) {
        if (graph.status === "fulfilled") await graph.value.executable.dispose();
      }
    },
  });
}
