/** What teachers cost a run: memory beside the step, floating-point operations in it. */
import { bindGraph, countFlops } from "@diptych/core/backend";
import { towerGraph } from "../encode/tower.js";
import type { OpenedTeacher } from "./open-teachers.js";

export interface TeachingSizes {
  readonly imageBatch: number;
  readonly textBatch: number;
}

/** Bytes of the teachers' weights, as they are on the host and on the device, and of what the loader prepares for them. */
export function teacherBytes(
  teachers: readonly OpenedTeacher[],
  { imageBatch, textBatch, prefetch }: TeachingSizes & { readonly prefetch: number },
): number {
  return teachers.reduce((bytes, { loaded, imageViews, textViews }) => {
    const weights = [...loaded.parameters.values()].reduce(
      (sum, { data }) => sum + data.byteLength,
      0,
    );
    const pixels = imageViews.reduce((sum, { transform: { settings } }) => {
      return sum + imageBatch * 3 * settings.imageHeight * settings.imageWidth;
    }, 0);
    const ids = textViews.reduce(
      (sum, { tokenizer }) => sum + textBatch * tokenizer.contextLength,
      0,
    );
    return bytes + 2 * weights + 4 * (pixels + ids) * (1 + prefetch);
  }, 0);
}

/** Floating-point operations of the teachers' forward passes in one step, texts counted at the full context. */
export function teacherFlops(
  teachers: readonly OpenedTeacher[],
  { imageBatch, textBatch }: TeachingSizes,
): number {
  return teachers.reduce((flops, { loaded, imageViews, textViews }) => {
    const binding = { imageBatch, textBatch, textTokens: loaded.tokenizer.contextLength };
    const towers = [
      ...(imageViews.length > 0 ? ["image"] : []),
      ...(textViews.length > 0 ? ["text"] : []),
    ];
    return towers.reduce(
      (sum, modality) => sum + countFlops(bindGraph(towerGraph(loaded.model, modality), binding)),
      flops,
    );
  }, 0);
}
