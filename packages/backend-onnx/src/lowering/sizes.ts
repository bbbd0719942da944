/** Sizes as int64 values: constants where they are numbers, else computed once from the shapes of the inputs. */
import { formatDim, InternalError, isSymbolic, type Dim, type Shape } from "@diptych/core";
import type { Name, OnnxBuilder } from "./onnx-builder.js";
import type { SymbolPlan } from "./symbol-plan.js";

/** Makes sizes of one graph. */
export interface Sizes {
  /** An int64 vector with the sizes of a shape. */
  vector(shape: readonly Dim[]): Name;
  /** An int64 vector of one entry. */
  size(dim: Dim): Name;
}

export function createSizes(onnx: OnnxBuilder, symbols: SymbolPlan): Sizes {
  const symbolSize = (symbol: string): Name =>
    onnx.share(`symbol ${symbol}`, () => {
      const source = symbols.find((candidate) => candidate.symbol === symbol);
      if (!source) {
        throw new InternalError(
          `backend-onnx/lowering: symbol ${symbol}: expected an input that tells its size, got none.`,
        );
      }
      const { axis, rest, coefficient } = source;
      const full = onnx.node("Shape", [onnx.input(source.input)], { start: axis, end: axis + 1 });
      const part = rest === 0 ? full : onnx.node("Sub", [full, size(rest)]);
      return coefficient === 1 ? part : onnx.node("Div", [part, onnx.ints([coefficient])]);
    });

  const size = (dim: Dim): Name => {
    if (!isSymbolic(dim)) return onnx.ints([dim]);
    return onnx.share(`dim ${dim.key}`, () =>
      dim.terms
        .map(({ coefficient, symbols: factors }) => {
          const product = factors.map(symbolSize);
          if (coefficient !== 1 || product.length === 0) product.push(onnx.ints([coefficient]));
          return product.reduce((a, b) => onnx.node("Mul", [a, b]));
        })
        .reduce((a, b) => onnx.node("Add", [a, b])),
    );
  };

  const vector = (shape: Shape): Name => {
    const [first] = shape;
    if (shape.length === 1 && first !== undefined) return size(first);
    if (!shape.some(isSymbolic))
      return onnx.ints(shape.filter((dim): dim is number => !isSymbolic(dim)));
    return onnx.share(`sizes ${shape.map(formatDim).join(",")}`, () =>
      onnx.node("Concat", numberRuns(shape).map(piece), { axis: 0 }),
    );
  };

  const piece = (run: readonly number[] | Dim): Name =>
    Array.isArray(run) ? onnx.ints(run as readonly number[]) : size(run as Dim);

  return { vector, size };
}

/** Neighbouring numbers put together: [12, 64, batch, 1] → [[12, 64], batch, [1]]. */
function numberRuns(shape: Shape): readonly (readonly number[] | Dim)[] {
  const runs: (number[] | Dim)[] = [];
  for (const dim of shape) {
    const last = runs.at(-1);
    if (isSymbolic(dim)) runs.push(dim);
    else if (Array.isArray(last)) last.push(dim);
    else runs.push([dim]);
  }
  return runs;
}
