/** Checks before a run that both adapters share. */
import { BackendError } from "@diptych/core";
import type { OrtTensor } from "./ort-runtime.js";

/** @throws BackendError when the session is disposed. */
export function checkSessionLive(isLive: boolean, label: string): void {
  if (isLive) return;
  throw new BackendError(
    `backend-onnx/run: session "${label}": expected it live, got it disposed. Run before dispose().`,
  );
}

/** @throws BackendError when there is no output, or one tensor under two names. */
export function checkOutputs(outputs: ReadonlyMap<string, OrtTensor>, label: string): void {
  if (outputs.size === 0) {
    throw new BackendError(
      `backend-onnx/run: outputs of "${label}": expected at least one, got none. Name those to compute.`,
    );
  }
  if (new Set(outputs.values()).size === outputs.size) return;
  throw new BackendError(
    `backend-onnx/run: outputs of "${label}": expected a tensor each, got one tensor under two names. Allocate another.`,
  );
}

/** @throws DOMException named AbortError when `signal` is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined, label: string): void {
  if (signal?.aborted) throw createAbortError(label, signal.reason);
}

/** The error of a run that was ended; its `cause` is the signal's reason. */
export function createAbortError(label: string, reason: unknown): DOMException {
  const error = new DOMException(
    `backend-onnx/run: "${label}" was ended before it finished.`,
    "AbortError",
  );
  return Object.assign(error, { cause: reason });
}
