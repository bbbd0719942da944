// Tests of a provider where it is there; where it is not, a skip that says why.
import { describeWhereAvailable } from "@diptych/testing";
import { createOnnxBackend, type OnnxBackendOptions } from "./onnx-backend.js";

/** Declares `suite` where the provider is there. */
export const describeProviderSuite = (
  provider: NonNullable<OnnxBackendOptions["provider"]>,
  suite: () => void,
): Promise<void> =>
  describeWhereAvailable(`onnx, ${provider}`, () => createOnnxBackend({ provider }), suite);
