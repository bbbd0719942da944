/**
 * ONNX Runtime's execution providers as data: what a provider with a device is called, where its tensors lie, and how it
 * is added to a session. All else (transfers, bindings, pools) is the same for each of them.
 */
import type { Handle } from "./c-api.js";
import { appendCuda } from "./cuda-options.js";
import type { NativeOrt } from "./native-ort.js";
import type { OrtFailureContext } from "./ort-errors.js";

export type ProviderName = "cpu" | "webgpu" | "cuda";

/** A provider whose tensors lie in a device's memory. */
export interface DeviceProvider {
  readonly name: Exclude<ProviderName, "cpu">;
  /** Which of the machine's devices. */
  readonly device: number;
  /** The provider's own options, in its words. */
  readonly options: Readonly<Record<string, string>>;
}

export type OrtProvider = { readonly name: "cpu" } | DeviceProvider;

/** What differs between the providers with a device. */
interface DeviceKind {
  /** What ONNX Runtime calls its memory. */
  readonly memoryName: string;
  /** Whether an op may write its result over an operand. */
  readonly inPlace: boolean;
  append(
    native: NativeOrt,
    sessionOptions: Handle,
    use: { readonly provider: DeviceProvider; readonly context: OrtFailureContext },
  ): void;
}

export const DEVICE_KINDS: Readonly<Record<DeviceProvider["name"], DeviceKind>> = Object.freeze({
  webgpu: {
    memoryName: "WebGPU_Buf",
    // WebGPU refuses a dispatch in which one buffer is both read and written.
    inPlace: false,
    append(native, sessionOptions, { provider, context }) {
      const keys = Object.keys(provider.options);
      native.check(
        native.api.SessionOptionsAppendExecutionProvider(
          sessionOptions,
          "WebGPU",
          keys,
          keys.map((key) => provider.options[key] ?? ""),
          keys.length,
        ),
        context,
      );
    },
  },
  cuda: { memoryName: "Cuda", inPlace: true, append: appendCuda },
});
