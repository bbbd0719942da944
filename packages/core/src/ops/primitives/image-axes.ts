/** The two orders of a picture's axes: NCHW, which core speaks, and NHWC, which some backends want (see passes/image-layout). */

/** Order of the axes of pictures: NHWC, or NCHW where it is left out. */
export type ImageLayout = {
  /** Set by the image-layout pass alone. */
  readonly layout?: "NHWC";
};

/** `transpose(nchw, TO_NHWC)` is NHWC. */
export const TO_NHWC = Object.freeze([0, 2, 3, 1] as const);
/** `transpose(nhwc, TO_NCHW)` is NCHW. Also: NCHW axis a is NHWC axis `TO_NCHW[a]`. */
export const TO_NCHW = Object.freeze([0, 3, 1, 2] as const);

/** A list with an entry per NCHW axis, for NHWC; a list of another length stays. */
export function toNhwc<T>(list: readonly T[]): readonly T[] {
  return list.length === 4 ? TO_NHWC.map((axis) => list[axis]!) : list;
}

/** A list with an entry per NHWC axis, for NCHW; a list of another length stays. */
export function toNchw<T>(list: readonly T[]): readonly T[] {
  return list.length === 4 ? TO_NCHW.map((axis) => list[axis]!) : list;
}
