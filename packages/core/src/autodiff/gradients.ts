/** Reverse-mode differentiation of a graph: builds, beside given values, the nodes of their derivatives. */
import { DtypeError, InternalError, ShapeError } from "../errors.js";
import { nodeValues } from "../graph/builder.js";
import { dtypeOf, rankOf, shapeOf, type Node, type Value } from "../graph/node.js";
import { atOrigin, recomputeNow } from "../graph/origin.js";
import { nodesInOrder, rewriteValues } from "../graph/traverse.js";
import { expandComposite } from "../ops/expand-composite.js";
import { compositeDef } from "../ops/op-table.js";
import {
  isPrimitiveName,
  type PrimitiveAttrs,
  type PrimitiveName,
} from "../ops/primitive-table.js";
import { isDifferentiable } from "../ops/primitives/elementwise.js";
import { scalar } from "../ops/primitives/leaves.js";
import { equalShapes, formatShape } from "../tensor/shape.js";
import { createCotangents } from "./cotangents.js";
import { gradientRule } from "./rule-table.js";
import { zerosLike } from "./zeros.js";

export interface GradientRequest {
  /** Float values to differentiate. */
  readonly outputs: readonly Value[];
  /** Cotangent of each output, of its shape and dtype; by default 1 for a scalar. */
  readonly cotangents?: readonly (Value | undefined)[];
  /** Float values to differentiate by; leaves or not. */
  readonly wrt: readonly Value[];
  /** Values of the same forward part that are wanted beside the outputs but not differentiated: metrics, buffers. */
  readonly carry?: readonly Value[];
}

export interface GradientResult {
  /**
   * The outputs, with those composites expanded that have no derivative of their own. Use these and not the ones given,
   * or the forward part is computed twice.
   */
  readonly outputs: readonly Value[];
  /** Σ over outputs of cotangent·∂output/∂wrt, one per `wrt` and of its shape and dtype; zeros where nothing flows. */
  readonly gradients: readonly Value[];
  /** The values of `carry` on the nodes that the outputs now have, so that they share the forward part. */
  readonly carried: readonly Value[];
}

/**
 * Vector-Jacobian products by reverse accumulation (Griewank and Walther 2008, chapter 3). Inputs and parameters keep
 * their identity, so the gradients can be computed in one graph with the outputs. Nodes of derivatives carry the origin
 * of the node that they belong to, followed by ` (gradient)`. Ties and kinks: see `max`, `abs`, `relu`, `clamp`.
 *
 * @throws ShapeError for an output that is no scalar and has no cotangent, or one of another shape; DtypeError for an
 * output or `wrt` that is not float.
 *
 * @example
 * const x = input("x", [3]);
 * const { outputs: [loss], gradients: [dx] } = gradients({ outputs: [sum(mul(x, x))], wrt: [x] }); // dx = 2x
 */
export function gradients(request: GradientRequest): GradientResult {
  const { outputs, cotangents, wrt, carried } = prepare(request);
  const order = nodesInOrder([...outputs, ...wrt]);
  const { flowing, reads } = flow(order, wrt);
  const totals = createCotangents();
  outputs.forEach((output, i) => totals.contribute(output, cotangents[i]!));
  for (const node of order.toReversed()) {
    if (!reads.has(node)) continue;
    atOrigin(gradientOrigin(node.origin), recomputeNow(), () => {
      const arriving = nodeValues(node).map((value) => totals.total(value));
      if (arriving.every((cotangent) => !cotangent)) return;
      operandCotangents(node, arriving).forEach((cotangent, i) => {
        const operand = node.inputs[i];
        if (cotangent && operand && flowing.has(operand.node) && isDifferentiable(operand)) {
          totals.contribute(operand, cotangent);
        }
      });
    });
  }
  const found = wrt.map((value) =>
    atOrigin(
      gradientOrigin(value.node.origin),
      recomputeNow(),
      () => totals.total(value) ?? zerosLike(value),
    ),
  );
  return Object.freeze({
    outputs: Object.freeze(outputs),
    gradients: Object.freeze(found),
    carried: Object.freeze(carried),
  });
}

const MARK = "(gradient)";

function gradientOrigin(origin: string): string {
  if (origin.endsWith(MARK)) return origin;
  return origin === "" ? MARK : `${origin} ${MARK}`;
}

/** Checks the request and expands, on the way from `wrt` to the outputs, composites without a derivative of their own. */
function prepare(request: GradientRequest): {
  readonly outputs: readonly Value[];
  readonly cotangents: readonly Value[];
  readonly wrt: readonly Value[];
  readonly carried: readonly Value[];
} {
  const carry = request.carry ?? [];
  request.outputs.forEach((output, i) => checkFloat(output, `output ${i}`));
  request.wrt.forEach((value, i) => checkFloat(value, `wrt ${i}`));
  const given = request.outputs.map((output, i) => startingCotangent(output, request, i));
  const all = [...request.outputs, ...given, ...request.wrt, ...carry];
  const order = nodesInOrder(all);
  const known = new Set(order);
  const { reads } = flow(order, request.wrt);
  const keep = (op: string, node: Node): boolean =>
    compositeDef(op)?.gradient !== undefined || (known.has(node) && !reads.has(node));
  const lookup = rewriteValues(all, (node, inputs) => expandComposite(node, inputs, keep));
  return {
    outputs: request.outputs.map(lookup),
    cotangents: given.map(lookup),
    wrt: request.wrt.map(lookup),
    carried: carry.map(lookup),
  };
}

function checkFloat(value: Value, what: string): void {
  if (isDifferentiable(value)) return;
  const { op, origin } = value.node;
  const rule = isPrimitiveName(op) ? gradientRule(op) : undefined;
  const why = rule && "notDifferentiable" in rule ? `: ${rule.notDifferentiable}` : "";
  throw new DtypeError(
    `core/gradients: ${what}: expected a float value, got ${dtypeOf(value)} from ${op}${why} (${origin}). Differentiate what it was made of.`,
  );
}

function startingCotangent(output: Value, { cotangents }: GradientRequest, i: number): Value {
  const given = cotangents?.[i];
  if (!given) {
    if (rankOf(output) === 0) return scalar(1, dtypeOf(output));
    throw new ShapeError(
      `core/gradients: output ${i}: expected a scalar or a cotangent, got ${formatShape(shapeOf(output))} without one (${output.node.op} at "${output.node.origin}"). Reduce it or give its cotangent.`,
    );
  }
  if (!equalShapes(shapeOf(given), shapeOf(output)) || dtypeOf(given) !== dtypeOf(output)) {
    throw new ShapeError(
      `core/gradients: cotangent ${i}: expected ${dtypeOf(output)} ${formatShape(shapeOf(output))} as the output, got ${dtypeOf(given)} ${formatShape(shapeOf(given))}.`,
    );
  }
  return given;
}

interface Flow {
  /** Nodes that depend differentiably on some `wrt`, or are one. */
  readonly flowing: ReadonlySet<Node>;
  /** Those with an operand that does: whose derivatives are wanted. */
  readonly reads: ReadonlySet<Node>;
}

function flow(order: readonly Node[], wrt: readonly Value[]): Flow {
  const flowing = new Set(wrt.map(({ node }) => node));
  const reads = new Set<Node>();
  for (const node of order) {
    const passes = !isPrimitiveName(node.op) || typeof gradientRule(node.op) === "function";
    const wanted = node.inputs.some((value) => flowing.has(value.node) && isDifferentiable(value));
    if (!passes || !wanted || !nodeValues(node).some(isDifferentiable)) continue;
    reads.add(node);
    flowing.add(node);
  }
  return { flowing, reads };
}

function operandCotangents(
  node: Node,
  arriving: readonly (Value | undefined)[],
): readonly (Value | undefined)[] {
  const outputs = nodeValues(node);
  const [y] = outputs;
  const [dy] = arriving;
  if (isPrimitiveName(node.op)) {
    const rule = gradientRule(node.op);
    if (typeof rule !== "function" || !y || !dy) return [];
    // The builder checked the attributes against the op's own type.
    const attrs = node.attrs as unknown as PrimitiveAttrs[PrimitiveName];
    return rule(node.inputs, { attrs, y, dy });
  }
  const gradient = compositeDef(node.op)?.gradient;
  if (!gradient) throw new InternalError(`core/gradients: ${node.op}: was not expanded.`);
  return gradient({ inputs: node.inputs, attrs: node.attrs, outputs, cotangents: arriving });
}
