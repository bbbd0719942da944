/** An embedded set as the tensors that a feature cache stores, and back: vectors, and the samples' words as bytes. */
import { createHostTensor, type HostTensor, type Sample } from "@diptych/core";
import type { EmbeddedSamples } from "../embed-dataset.js";
import type { Embeddings } from "../ranking.js";

type StoredSample = Omit<Sample, "images">;

export function storeSamples(embedded: EmbeddedSamples): ReadonlyMap<string, HostTensor> {
  const words = new TextEncoder().encode(JSON.stringify(embedded.samples));
  return new Map<string, HostTensor>([
    ["images", embedded.images],
    ["imageSample", positions(embedded.imageSample)],
    ["textSample", positions(embedded.textSample)],
    ["samples", int32(Int32Array.from(words))],
    ...(embedded.texts ? [["texts", embedded.texts] as const] : []),
  ]);
}

/** Undefined where something is missing or does not belong together. */
export function restoreSamples(
  features: ReadonlyMap<string, HostTensor>,
  { size, texts: withTexts }: { readonly size: number; readonly texts: boolean },
): EmbeddedSamples | undefined {
  const [images, texts] = [rowsOf(features.get("images")), rowsOf(features.get("texts"))];
  const imageSample = integers(features.get("imageSample"));
  const textSample = integers(features.get("textSample"));
  const samples = parseSamples(features.get("samples"));
  if (!images || !imageSample || !textSample || samples?.length !== size) return undefined;
  if (images.shape[0] !== imageSample.length) return undefined;
  if (withTexts && texts?.shape[0] !== textSample.length) return undefined;
  return Object.freeze({
    samples,
    images,
    imageSample,
    textSample,
    ...(withTexts && texts ? { texts } : {}),
  });
}

function parseSamples(tensor: HostTensor | undefined): readonly StoredSample[] | undefined {
  if (tensor?.dtype !== "int32") return undefined;
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(Uint8Array.from(tensor.data)));
    return Array.isArray(parsed) ? (parsed as readonly StoredSample[]) : undefined;
  } catch {
    return undefined;
  }
}

function rowsOf(tensor: HostTensor | undefined): Embeddings | undefined {
  return tensor?.dtype === "float32" && tensor.shape.length === 2
    ? (tensor as Embeddings)
    : undefined;
}

function integers(tensor: HostTensor | undefined): readonly number[] | undefined {
  return tensor?.dtype === "int32" ? Array.from(tensor.data) : undefined;
}

function positions(values: readonly number[]): HostTensor {
  return int32(Int32Array.from(values));
}

function int32(data: Int32Array): HostTensor {
  return createHostTensor("int32", [data.length], data);
}
