/** The conformance suite that every backend runs: one adapter's `create`, and the whole contract is checked. */
import { isFloat, type Backend, type DType } from "@diptych/core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { registerChecks } from "../contract-check.js";
import { TOLERANCES } from "../tolerances.js";
import { donationChecks } from "./donation-checks.js";
import { opChecks, type BackendSubject } from "./op-checks.js";
import { runChecks } from "./run-checks.js";
import { disposalCheck, tensorChecks } from "./tensor-checks.js";

export interface BackendConformanceOptions {
  /** Shown in the report, e.g. `onnx, cpu, through the C API`. */
  readonly name: string;
  /** A new backend each time. */
  readonly create: () => Promise<Backend>;
  /** Float dtypes to check the ops in; by default all that the backend claims, which the suite must know beforehand. */
  readonly dtypes?: readonly DType[];
  /** Relative to the largest entry of a result; see {@link TOLERANCES}. */
  readonly tolerances?: Partial<Record<DType, number>>;
  /** Whether to run the large cases, in which kernels take their threaded and blocked paths; true by default. */
  readonly large?: boolean;
}

const FLOATS: readonly DType[] = ["float32", "float16", "bfloat16"];

/**
 * Registers the backend contract's tests: every op of the shared table forward and backward in each float dtype,
 * runs, donation, tensors and memory, against the float64 reference.
 *
 * @example
 * describeBackendConformance({ name: "reference", create: async () => createReferenceBackend() });
 */
export function describeBackendConformance({
  name,
  create,
  dtypes = FLOATS,
  tolerances = {},
  large = true,
}: BackendConformanceOptions): void {
  describe(`backend conformance: ${name}`, () => {
    let subject: BackendSubject;
    beforeAll(async () => {
      subject = { backend: await create(), tolerances: { ...TOLERANCES, ...tolerances } };
    });
    afterAll(() => subject.backend.dispose());

    describe("tensors", () => registerChecks(tensorChecks, () => subject));
    describe("runs", () => registerChecks(runChecks, () => subject));
    describe("donation", () => registerChecks(donationChecks, () => subject));
    describe("disposal", () => registerChecks([disposalCheck], () => create));
    for (const dtype of dtypes.filter(isFloat)) {
      describe(`ops in ${dtype}`, () => {
        for (const { name: check, run } of opChecks(dtype, large)) {
          it(check, async (context) => {
            // What a backend does not claim is no promise; what it claims is checked.
            context.skip(!subject.backend.capabilities.dtypes.has(dtype), `without ${dtype}`);
            await run(subject);
          });
        }
      });
    }
  });
}
