/** Parameter scopes: builders declare weights and buffers under a path, and the collector behind them keeps every declaration once. */
import { ShapeError } from "../errors.js";
import { parameter } from "../ops/primitives/leaves.js";
import type { Initializer } from "../random/initializers.js";
import { equalShapes, formatShape } from "../tensor/shape.js";
import { dtypeOf, shapeOf, type Value } from "./node.js";
import { withOrigin } from "./origin.js";

export type ParameterRole = "weight" | "buffer";

/** What is known of a parameter besides its values. */
export interface ParameterSpec {
  /** State-dict name, as open_clip writes it. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: ParameterRole;
  readonly initializer: Initializer;
  /** Whether weight decay may touch it; by default matrices and larger decay, vectors and scalars do not (clip-numerics §7). */
  readonly weightDecay: boolean;
  /** The update clamps it into [low, high] after each step. */
  readonly bounds?: readonly [number, number];
}

export interface DeclareOptions {
  readonly initializer: Initializer;
  readonly weightDecay?: boolean;
  readonly bounds?: readonly [number, number];
}

/** Where builders declare parameters. */
export interface ParamScope {
  /** Path of this scope, e.g. `visual.transformer.resblocks.0`; empty at the root. */
  readonly path: string;
  /** The scope `path.name`; an empty name is this scope. */
  child(name: string): ParamScope;
  /** Declares a trained weight and returns its value (float32). @throws ShapeError when the name is taken. */
  parameter(name: string, shape: readonly number[], options: DeclareOptions): Value;
  /** Declares a buffer: kept and saved, never trained. */
  buffer(name: string, shape: readonly number[], initializer: Initializer): Value;
  /** Says what a buffer of this scope becomes after the step (training mode only). */
  updateBuffer(name: string, value: Value): void;
  /** Runs `build` in the scope `name`, with that origin on its nodes. */
  within<T>(name: string, build: (scope: ParamScope) => T): T;
}

/** Keeps what scopes declare. */
export interface ParamCollector {
  readonly root: ParamScope;
  /** Declarations in order. */
  specs(): readonly ParameterSpec[];
  /** The value of a declared parameter by full name. */
  value(name: string): Value | undefined;
  /** New values of buffers by full name. */
  bufferUpdates(): ReadonlyMap<string, Value>;
}

/** An empty collector. */
export function createParamCollector(): ParamCollector {
  const specs = new Map<string, ParameterSpec>();
  const values = new Map<string, Value>();
  const updates = new Map<string, Value>();

  const declare = (spec: ParameterSpec): Value => {
    if (specs.has(spec.name)) {
      throw new ShapeError(
        `core/ParamScope: name: expected each parameter once, got "${spec.name}" twice (the second ${formatShape(spec.shape)}). Use another scope or name.`,
      );
    }
    specs.set(spec.name, Object.freeze(spec));
    const value = parameter(spec.name, spec.shape);
    values.set(spec.name, value);
    return value;
  };

  const createScope = (path: string): ParamScope => {
    const join = (name: string): string =>
      path === "" ? name : name === "" ? path : `${path}.${name}`;
    const scope: ParamScope = {
      path,
      child: (name) => createScope(join(name)),
      parameter: (name, shape, { initializer, weightDecay = shape.length > 1, bounds }) =>
        declare({
          name: join(name),
          shape: Object.freeze([...shape]),
          role: "weight",
          initializer,
          weightDecay,
          ...(bounds ? { bounds } : {}),
        }),
      buffer: (name, shape, initializer) =>
        declare({
          name: join(name),
          shape: Object.freeze([...shape]),
          role: "buffer",
          initializer,
          weightDecay: false,
        }),
      updateBuffer: (name, value) => {
        const full = join(name);
        const spec = specs.get(full);
        if (spec?.role !== "buffer") {
          throw new ShapeError(
            `core/ParamScope: buffer: expected a declared buffer, got "${full}". Declare it first.`,
          );
        }
        const { shape } = spec;
        if (!equalShapes(shapeOf(value), shape) || dtypeOf(value) !== "float32") {
          throw new ShapeError(
            `core/ParamScope: buffer: expected float32 ${formatShape(shape)} for "${full}", got ${dtypeOf(value)} ${formatShape(shapeOf(value))}.`,
          );
        }
        if (updates.has(full)) {
          throw new ShapeError(
            `core/ParamScope: buffer: expected one update of "${full}", got two.`,
          );
        }
        updates.set(full, value);
      },
      within: (name, build) =>
        name === "" ? build(scope) : withOrigin(name, () => build(createScope(join(name)))),
    };
    return Object.freeze(scope);
  };

  return Object.freeze({
    root: createScope(""),
    specs: () => [...specs.values()],
    value: (name: string) => values.get(name),
    bufferUpdates: () => updates,
  });
}
