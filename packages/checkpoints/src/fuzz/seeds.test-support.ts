// Small valid files of each format, built here: at most 4 kB each.
import { hostTensorFrom, type DType, type HostTensor } from "@diptych/core";
import {
  pickle,
  rowMajorStrides,
  tensorPickle,
  torchZip,
} from "../torch/torch-zip.test-support.js";

const tensor = (dtype: DType, shape: readonly number[]): HostTensor => {
  const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i % 2);
  return hostTensorFrom(dtype, shape, values);
};

const FEW: Readonly<Record<string, HostTensor>> = {
  "a.weight": tensor("float32", [2, 3]),
  "a.bias": tensor("float16", [3]),
  "b.count": tensor("int32", []),
  mask: tensor("bool", [2, 2]),
  brain: tensor("bfloat16", [4]),
};

/** As little of a CLIP as its architecture shows in; bytes for values, so that it stays small. */
const CLIP: Readonly<Record<string, HostTensor>> = {
  positional_embedding: tensor("bool", [2, 64]),
  text_projection: tensor("bool", [64, 1]),
  logit_scale: tensor("float32", []),
  "token_embedding.weight": tensor("bool", [2, 64]),
  "transformer.resblocks.0.mlp.c_fc.weight": tensor("bool", [1, 64]),
  "visual.conv1.weight": tensor("bool", [64, 1, 1, 1]),
  "visual.positional_embedding": tensor("bool", [2, 64]),
  "visual.transformer.resblocks.0.mlp.c_fc.weight": tensor("bool", [1, 64]),
};

/** The same under Hugging Face's names. */
const HUGGING_FACE: Readonly<Record<string, HostTensor>> = {
  logit_scale: tensor("float32", []),
  "text_model.embeddings.token_embedding.weight": tensor("bool", [3, 64]),
  "text_model.embeddings.position_embedding.weight": tensor("bool", [3, 64]),
  "text_model.encoder.layers.0.mlp.fc1.weight": tensor("bool", [1, 64]),
  "text_model.encoder.layers.0.self_attn.q_proj.bias": tensor("bool", [4]),
  "text_model.encoder.layers.0.self_attn.k_proj.bias": tensor("bool", [4]),
  "text_model.encoder.layers.0.self_attn.v_proj.bias": tensor("bool", [4]),
  "text_projection.weight": tensor("bool", [1, 64]),
  "vision_model.embeddings.class_embedding": tensor("bool", [64]),
  "vision_model.embeddings.patch_embedding.weight": tensor("bool", [64, 1, 1, 1]),
  "vision_model.embeddings.position_embedding.weight": tensor("bool", [2, 64]),
  "vision_model.encoder.layers.0.mlp.fc1.weight": tensor("bool", [1, 64]),
};

const NAMES: Readonly<Partial<Record<DType, string>>> = {
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int32: "I32",
  bool: "BOOL",
};

/** Header and data of a safetensors file, apart: changes of the header need its length to be right. */
function safetensorsParts(tensors: Readonly<Record<string, HostTensor>>): {
  readonly header: Buffer;
  readonly data: Buffer;
} {
  let at = 0;
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  const data = Object.entries(tensors).map(([name, { dtype, shape, data: values }]) => {
    header[name] = { dtype: NAMES[dtype], shape, data_offsets: [at, (at += values.byteLength)] };
    return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  });
  return { header: Buffer.from(JSON.stringify(header)), data: Buffer.concat(data) };
}

export function joinSafetensors(header: Uint8Array, data: Uint8Array): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([prefix, header, data]);
}

function legacyFile(): Buffer {
  const { start, stop, string, integer, dict, global } = pickle;
  const pickled = (...parts: Buffer[]) => Buffer.concat([start, ...parts, stop]);
  const view = {
    storage: "FloatStorage",
    key: "0",
    elements: 6,
    shape: [2, 3],
    strides: rowMajorStrides([2, 3]),
  };
  const elements = Buffer.alloc(8);
  elements.writeBigInt64LE(6n);
  return Buffer.concat([
    Buffer.from("80028a0a6cfc9c46f9206aa850192e", "hex"),
    pickled(integer(1001)),
    pickled(dict(string("little_endian"), Buffer.of(0x88))),
    pickled(dict(string("w"), tensorPickle(view), string("half"), global("torch", "float16"))),
    pickled(Buffer.from("]"), string("0"), Buffer.from("a")),
    elements,
    Buffer.alloc(24, 1),
  ]);
}

/** The pickle of `tensors` as it stands in an archive, between "PK" headers. */
function pickleOf(archive: Buffer): Buffer {
  const begin = archive.indexOf(Buffer.from([0x80, 2]));
  const end = archive.indexOf(Buffer.from("PK\x03\x04"), begin);
  return archive.subarray(begin, end);
}

const archives = {
  plain: torchZip({ ...FEW }),
  checkpoint: torchZip({
    epoch: 3,
    state_dict: { "module.a": tensor("float32", [2]), "module.b": tensor("float16", [3]) },
  }),
  script: torchZip(
    { "a.b": tensor("float32", [2]), "a.c": tensor("float16", [3]) },
    { torchScript: true },
  ),
  openai: torchZip({ ...CLIP }, { torchScript: true }),
};

export const SEEDS = {
  safetensors: [FEW, CLIP, HUGGING_FACE].map((tensors) => safetensorsParts(tensors)),
  archives: Object.values(archives),
  pickles: Object.values(archives).map(pickleOf),
  legacy: [legacyFile()],
} as const;

/** config.json, preprocessor_config.json and an index of shards. */
export const JSON_SEEDS = [
  {
    model_type: "clip",
    projection_dim: 1,
    text_config: {
      hidden_size: 64,
      intermediate_size: 1,
      num_hidden_layers: 1,
      num_attention_heads: 1,
      vocab_size: 3,
      max_position_embeddings: 3,
      hidden_act: "gelu",
      eos_token_id: 2,
    },
    vision_config: {
      hidden_size: 64,
      intermediate_size: 1,
      num_hidden_layers: 1,
      num_attention_heads: 1,
      image_size: 1,
      patch_size: 1,
      hidden_act: "gelu",
    },
  },
  {
    size: { shortest_edge: 224 },
    crop_size: 224,
    do_center_crop: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
    resample: 3,
  },
  {
    metadata: { total_size: 4 },
    weight_map: { a: "model.safetensors", "b.c": "../b.safetensors" },
  },
].map((value) => Buffer.from(JSON.stringify(value)));
