// The messages are ONNX Runtime 1.30's own, recorded.
import { describe, expect, it } from "vitest";
import { isDiptychError } from "@diptych/core";
import { createOrtError, isTermination, parseFailedNode } from "./ort-errors.js";

const broadcast = {
  code: 1,
  message:
    "Non-zero status code returned while running Add node. Name:'n7' Status Message: /onnxruntime_src/onnxruntime/core/providers/cpu/math/element_wise_ops.h:563 void onnxruntime::BroadcastIterator::Init(ptrdiff_t, ptrdiff_t) axis == 1 || axis == largest was false. Attempting to broadcast an axis by a dimension other than 1. 3 by 4\n",
};

const memory = {
  code: 1,
  message:
    "Non-zero status code returned while running Expand node. Name:'ex' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:360 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 281474976710656\n",
};

const outputShape = {
  code: 2,
  message:
    "Non-zero status code returned while running Add node. Name:'nn' Status Message: /onnxruntime_src/onnxruntime/core/framework/op_kernel.cc:83 virtual OrtValue* onnxruntime::OpKernelContext::OutputMLValue(int, const onnxruntime::TensorShape&) [ONNXRuntimeError] : 2 : INVALID_ARGUMENT : The output OrtValue provided for output 'y' of node 'nn' (Add) has shape {5} but the computed output shape for this run is {3}. When calling Run() with pre-allocated output OrtValues on a model with dynamic output shapes, either supply unallocated output OrtValues or ensure the pre-allocated shapes match the expected output shapes for each run.",
};

describe("createOrtError", () => {
  it("names op, origin and label, without C++ names", () => {
    const error = createOrtError(broadcast, {
      doing: "run",
      label: "train step",
      describeNode: (name) => `add of visual.blocks.0 at ${name}`,
    });
    expect(isDiptychError(error, "BACKEND")).toBe(true);
    expect(error.message).toBe(
      'backend-onnx/run: "train step": expected ONNX Runtime to succeed, got FAIL in add of visual.blocks.0 at n7 (node "n7"): ' +
        "Attempting to broadcast an axis by a dimension other than 1. 3 by 4. " +
        "If the graph is Diptych's own, this is a bug in its lowering; please report it with this message.",
    );
    expect((error.cause as Error).message).toBe(broadcast.message);
  });

  it("says what to do when memory runs out", () => {
    const { message } = createOrtError(memory, { doing: "run", label: "step" });
    expect(message).toContain(
      'in node "ex": Failed to allocate memory for requested buffer of size 281474976710656. Memory ran out: use a smaller batch',
    );
  });

  it("says what to do about an output of the wrong shape", () => {
    const { message } = createOrtError(outputShape, { doing: "run", label: "step" });
    expect(message).toContain(
      "got INVALID_ARGUMENT in node \"nn\": The output OrtValue provided for output 'y'",
    );
    expect(message).toContain("Allocate outputs with the shapes that the graph computes");
  });

  it("says what to do about an operator without a kernel", () => {
    const status = {
      code: 9,
      message: "Could not find an implementation for Erf(13) node with name 'nodeE'",
    };
    const { message } = createOrtError(status, { doing: "createSession", label: "step" });
    expect(message).toContain('got NOT_IMPLEMENTED in node "nodeE"');
    expect(message).toContain("lacks the operator for this dtype");
  });

  it("keeps a code that it does not know", () => {
    expect(createOrtError({ code: 99, message: "odd" }, { doing: "run" }).message).toBe(
      "backend-onnx/run: ONNX Runtime: expected ONNX Runtime to succeed, got code 99: odd. The message is ONNX Runtime's own.",
    );
  });
});

describe("parseFailedNode", () => {
  it.each([
    [broadcast.message, "n7"],
    ["Node (nodeA) Op (Add) [ShapeInferenceError] Incompatible dimensions", "nodeA"],
    ["Could not find an implementation for Erf(13) node with name 'nodeE'", "nodeE"],
    [
      "Type Error: Type parameter (T) of Optype (Add) bound to different types (tensor(float) and tensor(int32) in node (nodeT).",
      "nodeT",
    ],
    [
      'This is an invalid model. In Node, ("nodeU", Add, "", -1) : ("a": tensor(float),) -> ("y": tensor(float),) , Error …',
      "nodeU",
    ],
    ["Protobuf parsing failed.", null],
  ])("finds the node in %j", (message, node) => {
    expect(parseFailedNode(message)).toBe(node);
  });
});

describe("isTermination", () => {
  it("knows a run that was asked to end", () => {
    expect(
      isTermination({ code: 1, message: "Exiting due to terminate flag being set to true." }),
    ).toBe(true);
    expect(isTermination(broadcast)).toBe(false);
  });
});
