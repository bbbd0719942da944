/** What every encoder promises, checked on the float64 reference: give it a tiny variant. */
import {
  buildEncoders,
  createMultiEncoder,
  createRandom,
  dtypeOf,
  equalDims,
  equalShapes,
  gradients,
  hostTensorFrom,
  initialiseParameters,
  input,
  isSymbolic,
  mul,
  shapeOf,
  sum,
  type BuiltModel,
  type DimBinding,
  type Encoder,
  type HostTensor,
  type InputSpec,
  type Mode,
} from "@diptych/core";
import { evaluateValues, type Float64Tensor } from "@diptych/core/reference";
import { describe, expect } from "vitest";
import { registerChecks, type ContractCheck } from "../contract-check.js";
import { expectClose } from "../matchers.js";
import { drawInput, drawRandomInput } from "./drawn-feeds.js";

export interface EncoderContractOptions {
  readonly name: string;
  /** A tiny encoder: the reference evaluates it in JavaScript. */
  readonly create: () => Encoder;
  /** Values for one input of a batch; by default normals, or ids below the fact `vocab`. */
  readonly feed?: (spec: InputSpec, shape: readonly number[]) => HostTensor;
  /** Sizes of symbols besides the batch; by default at most 4, or what the fact `contextLength` allows. */
  readonly sizes?: DimBinding;
}

interface Fed {
  readonly inputs: Record<string, HostTensor>;
  readonly model: BuiltModel;
  readonly feeds: Record<string, HostTensor>;
}

function build(encoder: Encoder, mode: Mode): BuiltModel {
  const encoders = { [encoder.modality]: encoder };
  return buildEncoders({ ...createMultiEncoder({ encoders }), mode });
}

function sizesOf(encoder: Encoder, batch: number, given: DimBinding = {}): DimBinding {
  const { contextLength } = encoder.facts;
  const others = Math.min(4, typeof contextLength === "number" ? contextLength : 4);
  const sizes: Record<string, number> = {};
  for (const { shape } of encoder.inputs) {
    shape.forEach((dim, axis) => {
      if (isSymbolic(dim) && dim.terms.length === 1) sizes[dim.key] = axis === 0 ? batch : others;
    });
  }
  return { ...sizes, ...given };
}

/** A built encoder with seeded values for its inputs, random inputs and parameters (moved off their zeros). */
function feed(options: EncoderContractOptions, mode: Mode, batch = 3): Fed {
  const encoder = options.create();
  const model = build(encoder, mode);
  const sizes = sizesOf(encoder, batch, options.sizes);
  const vocab = encoder.facts["vocab"];
  const inputs = Object.fromEntries(
    encoder.inputs.map((spec) => [
      spec.name,
      drawInput(spec, sizes, {
        below: typeof vocab === "number" ? vocab : 2,
        ...(options.feed ? { feed: options.feed } : {}),
      }),
    ]),
  );
  const parameters = [...initialiseParameters(model.parameters, createRandom(1))].map(
    ([name, tensor]) => {
      const stream = createRandom(2).split(name);
      return [
        name,
        hostTensorFrom(
          "float32",
          tensor.shape,
          tensor.data.map((x) => x + 0.05 * stream.normal()),
        ),
      ] as const;
    },
  );
  const random = model.randomInputs.map(
    (spec) => [spec.name, drawRandomInput(spec, sizes)] as const,
  );
  return { inputs, model, feeds: { ...inputs, ...Object.fromEntries([...parameters, ...random]) } };
}

function pooledOf({ model, feeds }: Fed): Float64Tensor {
  return evaluateValues([Object.values(model.encoded)[0]!.pooled], feeds)[0]!;
}

const MODES = ["eval", "train"] as const;

const declared: readonly ContractCheck<EncoderContractOptions>[] = [
  {
    name: "inputs have distinct names and a symbolic batch in front",
    run: ({ create }) => {
      const { inputs, modality, embedDim } = create();
      expect(modality).not.toBe("");
      expect(Number.isInteger(embedDim) && embedDim > 0).toBe(true);
      expect(inputs.length).toBeGreaterThan(0);
      expect(new Set(inputs.map(({ name }) => name)).size).toBe(inputs.length);
      for (const { name, shape } of inputs)
        expect(
          shape[0] !== undefined && isSymbolic(shape[0]),
          `first axis of ${name} is a symbol`,
        ).toBe(true);
    },
  },
  {
    name: "gives pooled features [batch, embedDim] in float32, tokens [batch, tokens, width], and intermediates of the batch",
    run: ({ create }) => {
      for (const mode of MODES) {
        const encoder = create();
        const { encoded } = build(encoder, mode);
        const { pooled, tokens, intermediates } = encoded[encoder.modality]!;
        const batch = encoder.inputs[0]!.shape[0]!;
        expect(equalShapes(shapeOf(pooled), [batch, encoder.embedDim]), `pooled in ${mode}`).toBe(
          true,
        );
        expect(dtypeOf(pooled)).toBe("float32");
        if (tokens) {
          expect(shapeOf(tokens)).toHaveLength(3);
          expect(equalDims(shapeOf(tokens)[0]!, batch), "tokens begin with the batch").toBe(true);
        }
        for (const [path, value] of Object.entries(intermediates)) {
          expect(path, "a path name").toMatch(/^[^/\s]+(\/[^/\s]+)*$/);
          expect(equalDims(shapeOf(value)[0]!, batch), `${path} begins with the batch`).toBe(true);
        }
      }
    },
  },
  {
    name: "declares the same parameters each time and in both modes",
    run: ({ create }) => {
      const declare = (mode: Mode): unknown =>
        build(create(), mode).parameters.map(({ name, shape, role }) => ({ name, shape, role }));
      expect(declare("train")).toEqual(declare("eval"));
      expect(declare("eval")).toEqual(declare("eval"));
    },
  },
  {
    name: "is free of chance and of buffer updates in eval mode",
    run: ({ create }) => {
      const model = build(create(), "eval");
      expect(model.randomInputs.map(({ name }) => name)).toEqual([]);
      expect([...model.bufferUpdates.keys()]).toEqual([]);
    },
  },
  {
    name: "builds on the values that it is given and declares no inputs of its own",
    run: ({ create }) => {
      const encoder = create();
      const given = Object.fromEntries(
        encoder.inputs.map(({ name, shape, dtype }) => [
          name,
          input(`given ${name}`, shape, dtype),
        ]),
      );
      const encoders = { [encoder.modality]: encoder };
      const { encoded } = buildEncoders({
        ...createMultiEncoder({ encoders }),
        mode: "eval",
        inputs: given,
      });
      const reached = inputNamesBelow(encoded[encoder.modality]!.pooled);
      expect(reached.length).toBeGreaterThan(0);
      for (const name of reached) expect(name).toMatch(/^given /);
    },
  },
];

/** Names of the input nodes (parameters are none) that a value reaches. */
function inputNamesBelow(value: BuiltModel["logitScale"]): readonly string[] {
  const seen = new Set<unknown>();
  const names: string[] = [];
  const pending = [value.node];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.op === "input" && typeof node.attrs["name"] === "string")
      names.push(node.attrs["name"]);
    pending.push(...node.inputs.map((operand) => operand.node));
  }
  return names;
}

const computed: readonly ContractCheck<EncoderContractOptions>[] = [
  {
    name: "gives finite features in both modes, for one sample too",
    run: (options) => {
      for (const [mode, batch] of [
        ["eval", 1],
        ["eval", 3],
        ["train", 3],
      ] as const) {
        const { data } = pooledOf(feed(options, mode, batch));
        expect(data.every(Number.isFinite), `features in ${mode} of ${batch}`).toBe(true);
        expect(
          data.some((value) => value !== 0),
          "some feature is not 0",
        ).toBe(true);
      }
    },
  },
  {
    name: "encodes each sample on its own in eval mode",
    run: (options) => {
      const fed = feed(options, "eval", 3);
      const together = pooledOf(fed);
      const width = together.data.length / 3;
      for (let row = 0; row < 3; row++) {
        const alone = Object.fromEntries(
          Object.entries(fed.inputs).map(([name, tensor]) => [name, rowOf(tensor, row)]),
        );
        const features = pooledOf({ ...fed, feeds: { ...fed.feeds, ...alone } });
        expectClose(features.data, together.data.subarray(row * width, (row + 1) * width), {
          relativeToLargest: 1e-9,
          what: `sample ${row}`,
        });
      }
      const [first, second] = [
        together.data.subarray(0, width),
        together.data.subarray(width, 2 * width),
      ];
      expect(
        first.some((value, i) => value !== second[i]),
        "different samples have different features",
      ).toBe(true);
    },
  },
  {
    name: "lets every weight learn",
    run: (options) => {
      const fed = feed(options, "train");
      const weights = fed.model.parameters.filter(
        ({ role, name }) => role === "weight" && name !== "logit_scale" && name !== "logit_bias",
      );
      const pooled = Object.values(fed.model.encoded)[0]!.pooled;
      const direction = input("direction", shapeOf(pooled));
      const { gradients: found } = gradients({
        outputs: [sum(mul(pooled, direction))],
        wrt: weights.map(({ name }) => fed.model.values.get(name)!),
      });
      const size = pooledOf(fed);
      const stream = createRandom(3);
      const cotangent = hostTensorFrom(
        "float32",
        size.shape,
        size.data.map(() => stream.normal()),
      );
      const values = evaluateValues(found, { ...fed.feeds, direction: cotangent });
      const stuck = weights.filter(
        (_, i) => !values[i]!.data.every(Number.isFinite) || values[i]!.data.every((x) => x === 0),
      );
      expect(
        stuck.map(({ name }) => name),
        "weights without a finite gradient other than 0",
      ).toEqual([]);
    },
  },
];

function rowOf(tensor: HostTensor, row: number): HostTensor {
  const [batch = 1, ...rest] = tensor.shape;
  const width = tensor.data.length / batch;
  return {
    ...tensor,
    shape: [1, ...rest],
    data: tensor.data.slice(row * width, (row + 1) * width),
  };
}

/** The encoder contract as checks, for tests of the suite itself. */
export const encoderChecks: readonly ContractCheck<EncoderContractOptions>[] = [
  ...declared,
  ...computed,
];

/**
 * Registers the encoder contract's tests.
 *
 * @example
 * describeEncoderContract({ name: "vit", create: () => createVitEncoder({ imageSize: 8, width: 8 }, { embedDim: 6 }) });
 */
export function describeEncoderContract(options: EncoderContractOptions): void {
  describe(`encoder contract: ${options.name}`, () => registerChecks(encoderChecks, () => options));
}
