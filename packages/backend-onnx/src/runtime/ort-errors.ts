/** Turns a status of ONNX Runtime into a BackendError that names the op, where it came from, and what to do. */
import { BackendError } from "@diptych/core";

/** What ONNX Runtime says about a failure. */
export interface OrtStatus {
  /** OrtErrorCode. */
  readonly code: number;
  readonly message: string;
}

/** What was being done when it failed. */
export interface OrtFailureContext {
  /** Our function: `run`, `createSession`, … */
  readonly doing: string;
  /** The session's label. */
  readonly label?: string | undefined;
  /** Turns a node name of the model into words. */
  readonly describeNode?: ((name: string) => string) | undefined;
}

const codeNames = [
  "OK",
  "FAIL",
  "INVALID_ARGUMENT",
  "NO_SUCHFILE",
  "NO_MODEL",
  "ENGINE_ERROR",
  "RUNTIME_EXCEPTION",
  "INVALID_PROTOBUF",
  "MODEL_LOADED",
  "NOT_IMPLEMENTED",
  "INVALID_GRAPH",
  "EP_FAIL",
  "MODEL_LOAD_CANCELED",
  "MODEL_REQUIRES_COMPILATION",
  "NOT_FOUND",
] as const;

/** ONNX Runtime's words for "node X": when it runs, when it looks for a kernel, when it infers shapes, when it checks a model. */
const nodePatterns = [
  /Name:'([^']*)' Status Message/,
  /node with name '([^']*)'/,
  /of node '([^']*)'/,
  / in node \(([^)]+)\)/,
  /\(node:\s?'?([^'\s)]+)'?[^)]*\)/,
  /Node \(([^)]+)\) Op \(/,
  /In Node, \("([^"]+)",/,
  /Node:\s?([^\s,]+)/,
];

/** The name of the node that a message of ONNX Runtime is about, or null. */
export function parseFailedNode(message: string): string | null {
  for (const pattern of nodePatterns) {
    const name = pattern.exec(message)?.[1];
    if (name) return name;
  }
  return null;
}

/** Whether a run ended because it was asked to. */
export function isTermination(status: OrtStatus): boolean {
  return /terminate flag/i.test(status.message);
}

/** Whether a failure is that memory, the host's or a device's, ran out. */
export function isOutOfMemory(error: unknown): boolean {
  const text =
    error instanceof Error
      ? `${error.message} ${String((error.cause as Error | undefined)?.message)}`
      : "";
  return outOfMemory.test(text);
}

/** As ONNX Runtime's allocators, CUDA, cuBLAS and Dawn say it. */
const outOfMemory =
  /fail(ed)? to allocate|bad_alloc|out of memory|out_of_memory|CUBLAS_STATUS_ALLOC_FAILED|Failed to create GPU buffer/i;

/** The error for `status`; its `cause` is ONNX Runtime's own text. */
export function createOrtError(status: OrtStatus, context: OrtFailureContext): BackendError {
  const subject = context.label === undefined ? "ONNX Runtime" : `"${context.label}"`;
  const node = parseFailedNode(status.message);
  const where = node === null ? "" : ` in ${describeFailedNode(node, context.describeNode)}`;
  const code = codeNames[status.code] ?? `code ${status.code}`;
  return new BackendError(
    `backend-onnx/${context.doing}: ${subject}: expected ONNX Runtime to succeed, got ${code}${where}: ` +
      `${shortenMessage(status.message)}. ${remedy(status)}`,
    { cause: new Error(status.message) },
  );
}

function describeFailedNode(name: string, describeNode: OrtFailureContext["describeNode"]): string {
  const described = describeNode?.(name);
  return described ? `${described} (node "${name}")` : `node "${name}"`;
}

/** A C++ place and function before the words: `/a/b.cc:12 void ns::Class::name(int, bool) const `. */
const cppOrigin =
  /(?:[A-Za-z]:)?[\\/][^\s:]*\.(?:cc|h|cpp):\d+ (?:[\w:*&<>~, ]+\([^)]*\)(?: const)? )?/g;

/** Without C++ names and conditions, which tell a user nothing. */
function shortenMessage(message: string): string {
  const status = /Status Message:\s*([\s\S]*)$/.exec(message)?.[1] ?? message;
  const words = status
    .replace(/\s+/g, " ")
    .replace(cppOrigin, "")
    .replace(/\[ONNXRuntimeError\] : \d+ : \w+ : /g, "");
  return words
    .replace(/^.* was false\. /, "")
    .trim()
    .replace(/\.$/, "");
}

/** What to do, by what ONNX Runtime says; the first that matches. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [outOfMemory, "Memory ran out: use a smaller batch, or accumulate over micro-batches."],
  [
    /Failed to get a WebGPU adapter|No supported adapters|Failed to get a WebGPU device/i,
    "No GPU that WebGPU can use: on Linux install the Vulkan loader (libvulkan1) and the card's Vulkan driver, or name a " +
      "software renderer's (VK_ICD_FILENAMES=…/vk_swiftshader_icd.json); or choose the provider cpu.",
  ],
  [
    /execution provider is not (supported|enabled|available) in this build|Unknown provider name|provider is not supported/i,
    "This build of ONNX Runtime has no such provider: for webgpu leave `library` and DIPTYCH_ORT_LIBRARY out, " +
      "for cuda take the one that `diptych setup cuda` brings.",
  ],
  [
    /libcudnn|cudnn64/i,
    "The CUDA provider needs cuDNN 9: install it with the system's packages, or by " +
      "`python3 -m pip install nvidia-cudnn-cu13` with its lib folder in LD_LIBRARY_PATH.",
  ],
  [
    /libcu(blas|dart|rand|fft)|CUDA_PATH|libonnxruntime_providers_cuda|Failed to load library/i,
    "The CUDA provider needs CUDA 13's libraries: install them with the system's packages, or by `python3 -m pip install " +
      "nvidia-cuda-runtime nvidia-cublas nvidia-curand nvidia-cudnn-cu13 nvidia-cufft` with LD_LIBRARY_PATH set to their lib folders.",
  ],
  [
    /CUDA failure|CUDNN failure|CUBLAS failure|device lost/i,
    "The GPU failed: see what `nvidia-smi` and the system's log say, and create the backend anew.",
  ],
  [
    /fallback to CPU EP has been explicitly disabled/i,
    "The provider has no kernel for one of the graph's nodes: leave `cpuFallback` on, or lower the node otherwise.",
  ],
  [
    /not a registered function|No opset import|Could not find an implementation/i,
    "This build of ONNX Runtime lacks the operator for this dtype: use the pinned onnxruntime-node, or another dtype.",
  ],
  [/pre-allocated/, "Allocate outputs with the shapes that the graph computes from these inputs."],
  [
    /Got invalid dimensions|Unexpected input data type|Invalid rank/i,
    "Give tensors of the shapes and dtypes that the graph was compiled for.",
  ],
];

/** FAIL, INVALID_PROTOBUF, INVALID_GRAPH. */
const modelFaults = new Set([1, 7, 10]);

function remedy({ code, message }: OrtStatus): string {
  const known = remedies.find(([pattern]) => pattern.test(message));
  if (known) return known[1];
  return modelFaults.has(code)
    ? "If the graph is Diptych's own, this is a bug in its lowering; please report it with this message."
    : "The message is ONNX Runtime's own.";
}
