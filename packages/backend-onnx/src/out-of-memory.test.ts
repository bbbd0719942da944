import {
  BackendError,
  createGraph,
  input,
  matmul,
  parameter,
  symbolDim,
  withOrigin,
} from "@diptych/core";
import { expect, it } from "vitest";
import { explainMemory } from "./out-of-memory.js";
import { createOrtError } from "./runtime/ort-errors.js";

const batch = symbolDim("batch");
const graph = createGraph("step", {
  y: withOrigin("visual/mlp", () => matmul(input("x", [batch, 4]), parameter("weight", [4, 1000]))),
});
const run = { graph, binding: { batch: 500 }, label: "step" };

it.each([
  "Failed to allocate memory for requested buffer of size 2000000",
  "CUDA failure 2: out of memory ; GPU=0",
  "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED",
  "Failed to create GPU buffer: size=2000000, usage=140.",
])("names the largest tensors where memory ran out: %s", (message) => {
  const failure = createOrtError({ code: 1, message }, { doing: "run", label: "step" });
  const explained = explainMemory(failure, run);
  expect(explained).toBeInstanceOf(BackendError);
  expect((explained as BackendError).message).toContain(
    'its largest tensors are matmul at visual/mlp float32[500,1000] (2.0 MB), "weight" float32[4,1000] (0.0 MB), "x" float32[500,4]',
  );
  expect((explained as BackendError).message).toContain("Use a smaller micro-batch");
  expect((explained as BackendError).cause).toBe(failure);
});

it("leaves other errors as they are", () => {
  const failure = createOrtError({ code: 1, message: "a shape" }, { doing: "run" });
  expect(explainMemory(failure, run)).toBe(failure);
});
