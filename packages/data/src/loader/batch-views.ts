/** The same pictures and captions once more, as another model reads them: a teacher's inputs beside the student's. */
import { createHostTensor, type HostTensor, type Image, type Tokenizer } from "@diptych/core";
import type { EvaluationTransform } from "../evaluation/evaluation-transform.js";

/** Pictures after the loader's transforms, at the size they have then, prepared by a transform of its own. */
export interface ImageView {
  /** Fed as: float32 [pictures of the batch, 3, H, W], rows as those of `image`. */
  readonly name: string;
  readonly transform: EvaluationTransform;
}

/** Captions by a tokenizer of its own. */
export interface TextView {
  /** Fed as: int32 [captions of the batch, contextLength], rows as those of `text`. */
  readonly name: string;
  readonly tokenizer: Tokenizer;
}

/** Memory for one batch's pictures in each view, of `rows` pictures. */
export function allocateViews(views: readonly ImageView[], rows: number): readonly Float32Array[] {
  return views.map((view) => new Float32Array(rows * elementsOf(view)));
}

/** Writes one picture at `row` of each view. @throws DataError where the picture is empty. */
export async function writeViews(
  image: Image,
  row: number,
  {
    views,
    memory,
  }: { readonly views: readonly ImageView[]; readonly memory: readonly Float32Array[] },
): Promise<void> {
  for (const [i, view] of views.entries()) {
    await view.transform.write(image, memory[i] as Float32Array, row * elementsOf(view));
  }
}

/** The first `rows` pictures of each view by name. */
export function viewFeeds(
  views: readonly ImageView[],
  memory: readonly Float32Array[],
  rows: number,
): Readonly<Record<string, HostTensor>> {
  return Object.fromEntries(
    views.map((view, i) => {
      const { imageHeight, imageWidth } = view.transform.settings;
      const data = (memory[i] as Float32Array).subarray(0, rows * elementsOf(view));
      return [view.name, createHostTensor("float32", [rows, 3, imageHeight, imageWidth], data)];
    }),
  );
}

function elementsOf({ transform: { settings } }: ImageView): number {
  return 3 * settings.imageHeight * settings.imageWidth;
}
