/** What each op becomes on each provider, by lowering it: the source of the support table in the documentation. */
import type { BackendCapabilities, DType, Graph } from "@diptych/core";
import { graphNodes, prepareForBackend } from "@diptych/core/backend";
import { lowerGraph } from "./lower-graph.js";
import { CPU_TARGET, CUDA_TARGET, WEBGPU_TARGET, type LoweringTarget } from "./target.js";

/** Lowered by one provider. */
export interface LoweringDescription {
  /** Settings that choose it: `{ provider: "cpu" }`. */
  readonly settings: Readonly<Record<string, string>>;
  readonly capabilities: Pick<BackendCapabilities, "dtypes" | "emulatedDtypes">;
  /** ONNX operators by op, each once; null where core expands it, empty where it leaves no node. */
  readonly kernels: Readonly<Record<string, readonly string[] | null>>;
}

const FLOATS: readonly DType[] = ["float32", "float16", "bfloat16"];

/** What is lowered for each provider. */
const TARGETS: Readonly<Record<string, LoweringTarget>> = {
  cpu: CPU_TARGET,
  webgpu: WEBGPU_TARGET,
  cuda: CUDA_TARGET,
};

/**
 * Lowers a graph of each op on each provider; nothing runs, so that no provider need be installed.
 *
 * @param graphs By op: a graph with one node of it.
 */
export function describeLowering(
  graphs: Readonly<Record<string, Graph>>,
): readonly LoweringDescription[] {
  return Object.entries(TARGETS).map(([provider, target]) => {
    const capabilities: BackendCapabilities = {
      nativeComposites: target.composites,
      dtypes: new Set<DType>([...floatsOf(target), "int32", "bool"]),
      emulatedDtypes: new Set<DType>(target.narrowFloats ? [] : ["float16", "bfloat16"]),
      donation: true,
      imageLayout: "NCHW",
      deviceMemory: "host",
    };
    const kernels = Object.entries(graphs).map(
      ([op, graph]) => [op, operatorsOf(op, graph, { target, capabilities })] as const,
    );
    return { settings: { provider }, capabilities, kernels: Object.fromEntries(kernels) };
  });
}

/** float32, and the 16-bit floats that are computed or emulated. */
function floatsOf({ narrowFloats }: LoweringTarget): readonly DType[] {
  if (typeof narrowFloats === "boolean") return FLOATS;
  return FLOATS.filter((dtype) => dtype !== "bfloat16" || narrowFloats.bfloat16.size > 0);
}

function operatorsOf(
  op: string,
  graph: Graph,
  {
    target,
    capabilities,
  }: { readonly target: LoweringTarget; readonly capabilities: BackendCapabilities },
): readonly string[] | null {
  const prepared = prepareForBackend(graph, capabilities, "onnx");
  const isThere = graphNodes(prepared).some((node) => node.op === op);
  if (!isThere && graphNodes(prepared).some((node) => !isSource(node.op))) return null;
  const { model } = lowerGraph(prepared, target);
  // Outputs get their names by an Identity where a node's own name will not do.
  const operators = model.graph.nodes.map(({ op }) => op).filter((name) => name !== "Identity");
  return [...new Set(operators)];
}

/** Ops that stand for what is fed or known. */
function isSource(op: string): boolean {
  return op === "input" || op === "parameter" || op === "constant";
}
