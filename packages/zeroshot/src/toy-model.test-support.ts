/** A model that knows four words, each an axis, and a set whose pictures are one pixel with the number of the axis. */
import {
  createHostTensor,
  createRandom,
  type EvaluationContext,
  type HostTensor,
  type Sample,
  type SizedDataset,
  type Tokenizer,
} from "@diptych/core";
import { createCompute } from "@diptych/core/backend";
import { createReferenceBackend } from "@diptych/core/reference";

const AXES = ["cat", "dog", "cup", "car"] as const;

export const rows = (...values: readonly (readonly number[])[]): HostTensor<"float32"> =>
  createHostTensor(
    "float32",
    [values.length, values[0]?.length ?? 0],
    Float32Array.from(values.flat()),
  );

/** [1] for each known word in the text. */
export const axis = (text: string): number[] => AXES.map((name) => (text.includes(name) ? 1 : 0));

export const toySample = (
  id: string,
  pixel: number,
  labels: NonNullable<Sample["labels"]>,
): Sample => ({
  id,
  images: [{ width: 1, height: 1, channels: 1, data: Uint8Array.of(pixel) }],
  captions: [`a ${AXES[pixel] ?? "thing"}`],
  labels,
});

/** What was embedded is counted. */
export interface ToyContext extends EvaluationContext {
  readonly seen: { images: number; texts: string[] };
}

export function toyContext(
  samples: readonly Sample[],
  change: Partial<EvaluationContext> = {},
): ToyContext {
  const seen: ToyContext["seen"] = { images: 0, texts: [] };
  const dataset: SizedDataset = {
    kind: "sized",
    name: "toy",
    size: samples.length,
    sample: (index, { images = 1 }) => {
      const sample = samples[index] ?? { id: "?", images: [], captions: [] };
      return images === 0 ? { ...sample, images: [] } : sample;
    },
  };
  return {
    encode: {
      images: (images) => {
        seen.images += images.length;
        return Promise.resolve(rows(...images.map(({ data }) => axis(AXES[data[0] ?? 0] ?? ""))));
      },
      texts: (texts) => {
        seen.texts.push(...texts);
        return Promise.resolve(rows(...texts.map(axis)));
      },
    },
    compute: createCompute(createReferenceBackend()),
    tokenizer: {} as Tokenizer,
    dataset,
    random: createRandom(0),
    seen,
    ...change,
  };
}
