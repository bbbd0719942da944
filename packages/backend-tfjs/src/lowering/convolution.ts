/**
 * Convolutions and their gradients on NHWC pictures. TensorFlow.js wants filters as HWIO and knows no groups: each group
 * is a convolution of its own.
 */
import { InternalError } from "@diptych/core";
import type { ConvAttrs, PrimitiveAttrs } from "@diptych/core/backend";
import type { OpCall } from "../executor/device.js";
import { sizeOf, type Kernels, type Tensor } from "./kernels.js";
import { operand, resultOf, type Lowering, type PrimitiveLowerings } from "./lowering.js";

/** HWIO of OIHW, and back. */
const TO_HWIO = [2, 3, 1, 0] as const;
const TO_OIHW = [3, 2, 0, 1] as const;

export type Sizes = readonly number[];

/** A convolution of one group. */
export interface Window {
  readonly strides: readonly [number, number];
  readonly padding: readonly [number, number, number, number];
}

/** How an engine computes one group; pictures are NHWC, filters HWIO. */
export interface GroupConvolutions {
  readonly forward: (x: Tensor, filter: Tensor, window: Window, kernels: Kernels) => Tensor;
  /** → x's shape. */
  readonly inputGradient: (
    operands: readonly [dy: Tensor, filter: Tensor],
    inputShape: Sizes,
    window: Window,
    kernels: Kernels,
  ) => Tensor;
  /** → HWIO `filterShape`. */
  readonly filterGradient: (
    operands: readonly [x: Tensor, dy: Tensor],
    filterShape: Sizes,
    window: Window,
    kernels: Kernels,
  ) => Tensor;
}

/** Attributes of TensorFlow.js's convolution kernels. */
export function kernelWindow({ strides, padding: [top, left, bottom, right] }: Window) {
  return {
    strides: [...strides],
    pad: [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ],
    dataFormat: "NHWC",
    dilations: [1, 1],
    dimRoundingMode: undefined,
  };
}

/** The kernels that engines share. */
export const KERNEL_CONVOLUTIONS: GroupConvolutions = {
  forward: (x, filter, window, kernels) =>
    kernels.run("Conv2D", { x, filter }, kernelWindow(window)),
  inputGradient: ([dy, filter], inputShape, window, kernels) =>
    kernels.run(
      "Conv2DBackpropInput",
      { dy, filter },
      { ...kernelWindow(window), inputShape: [...inputShape] },
    ),
  filterGradient: ([x, dy], filterShape, window, kernels) =>
    kernels.run(
      "Conv2DBackpropFilter",
      { x, dy },
      { ...kernelWindow(window), filterShape: [...filterShape] },
    ),
};

function checkLayout({ layout }: ConvAttrs): void {
  if (layout !== "NHWC")
    throw new InternalError("backend-tfjs/lowering: conv2d: expected pictures as NHWC.");
}

/** The channels of one of `groups`. */
function channelsOf(x: Tensor, group: number, groups: number, kernels: Kernels): Tensor {
  if (groups === 1) return x;
  const width = x.shape[3]! / groups;
  return kernels.slice(x, [0, 0, 0, group * width], [...x.shape.slice(0, 3), width]);
}

/** The filters [O/groups, …] of one of `groups`, as HWIO: turned once for as long as the filter lives. */
function filterOf<A extends ConvAttrs>(
  call: OpCall<Tensor, A>,
  group: number,
  kernels: Kernels,
): Tensor {
  const { groups } = call.attrs;
  const filter = operand(call, 1);
  const turned = (): Tensor => {
    const [outputs, ...rest] = filter.shape as [number, ...number[]];
    const count = outputs / groups;
    const own = kernels.slice(filter, [group * count, 0, 0, 0], [count, ...rest]);
    return kernels.transpose(own, TO_HWIO);
  };
  return call.derive(1, `hwio ${group}/${groups}`, () => kernels.own(turned));
}

const groupsOf = (groups: number): readonly number[] => Array.from({ length: groups }, (_, i) => i);

export type Convolutions = Pick<
  PrimitiveLowerings,
  "conv2d" | "conv2dInputGradient" | "conv2dFilterGradient"
>;

/** The lowerings of the three convolutions by what an engine has for one group. */
export function convolutionsBy({
  forward,
  inputGradient,
  filterGradient,
}: GroupConvolutions): Convolutions {
  const conv2d: Lowering<PrimitiveAttrs["conv2d"]> = (call, kernels) => {
    const { attrs } = call;
    checkLayout(attrs);
    const [x, filter] = [operand(call, 0), operand(call, 1)];
    const { shape, dtype } = resultOf(call);
    if (sizeOf(x) === 0 || sizeOf(filter) === 0) return kernels.fill(shape, 0, dtype);
    const parts = groupsOf(attrs.groups).map((group) =>
      forward(
        channelsOf(x, group, attrs.groups, kernels),
        filterOf(call, group, kernels),
        attrs,
        kernels,
      ),
    );
    return kernels.concat(parts, 3);
  };
  const conv2dInputGradient: Lowering<PrimitiveAttrs["conv2dInputGradient"]> = (call, kernels) => {
    const { attrs } = call;
    checkLayout(attrs);
    const [dy, filter] = [operand(call, 0), operand(call, 1)];
    const { shape, dtype } = resultOf(call);
    if (sizeOf(dy) === 0 || sizeOf(filter) === 0) return kernels.fill(shape, 0, dtype);
    const own = [...shape.slice(0, 3), shape[3]! / attrs.groups];
    const parts = groupsOf(attrs.groups).map((group) =>
      inputGradient(
        [channelsOf(dy, group, attrs.groups, kernels), filterOf(call, group, kernels)],
        own,
        attrs,
        kernels,
      ),
    );
    return kernels.concat(parts, 3);
  };
  const conv2dFilterGradient: Lowering<PrimitiveAttrs["conv2dFilterGradient"]> = (
    call,
    kernels,
  ) => {
    const { attrs } = call;
    checkLayout(attrs);
    const [x, dy] = [operand(call, 0), operand(call, 1)];
    const { shape, dtype } = resultOf(call);
    if (sizeOf(x) === 0 || sizeOf(dy) === 0) return kernels.fill(shape, 0, dtype);
    const [outputs, inputs, height, width] = shape as [number, number, number, number];
    const own = [height, width, inputs, outputs / attrs.groups];
    const parts = groupsOf(attrs.groups).map((group) => {
      const gradient = filterGradient(
        [channelsOf(x, group, attrs.groups, kernels), channelsOf(dy, group, attrs.groups, kernels)],
        own,
        attrs,
        kernels,
      );
      return kernels.transpose(gradient, TO_OIHW);
    });
    return kernels.concat(parts, 0);
  };
  return { conv2d, conv2dInputGradient, conv2dFilterGradient };
}
