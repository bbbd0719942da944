// Writes src/runtime/c-api.ts from ONNX Runtime's header: for each call used, its
// index in the table of function pointers, its signature and what releases its result.
//   node packages/backend-onnx/scripts/generate-c-api.mjs onnxruntime_c_api.h
// The header is include/onnxruntime/core/session/onnxruntime_c_api.h of ONNX Runtime's
// repository. The table only grows, so a header of an older release than the library's is right too.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const USED = [
  ..."GetErrorCode GetErrorMessage ReleaseStatus".split(" "),
  ..."CreateEnv ReleaseEnv CreateArenaCfgV2 ReleaseArenaCfg CreateAndRegisterAllocatorV2".split(
    " ",
  ),
  ..."CreateCpuMemoryInfo ReleaseMemoryInfo GetAllocatorWithDefaultOptions AllocatorAlloc AllocatorFree".split(
    " ",
  ),
  ..."CreateSessionOptions ReleaseSessionOptions SetSessionExecutionMode SetSessionGraphOptimizationLevel".split(
    " ",
  ),
  ..."SetIntraOpNumThreads DisableMemPattern EnableProfiling AddSessionConfigEntry".split(" "),
  ..."CreateSessionFromArray ReleaseSession SessionEndProfiling".split(" "),
  ..."SessionGetInputCount SessionGetOutputCount SessionGetInputName SessionGetOutputName".split(
    " ",
  ),
  ..."SessionGetInputTypeInfo SessionGetOutputTypeInfo CastTypeInfoToTensorInfo ReleaseTypeInfo".split(
    " ",
  ),
  ..."GetTensorElementType GetDimensionsCount GetDimensions".split(" "),
  ..."CreateTensorWithDataAsOrtValue ReleaseValue".split(" "),
  ..."CreateIoBinding ReleaseIoBinding BindInput BindOutput ClearBoundInputs ClearBoundOutputs".split(
    " ",
  ),
  ..."CreateRunOptions ReleaseRunOptions AddRunConfigEntry RunOptionsSetTerminate RunOptionsUnsetTerminate".split(
    " ",
  ),
  "RunWithBinding",
  "AddExternalInitializers",
  ..."CreateMemoryInfo CreateAllocator ReleaseAllocator SessionOptionsAppendExecutionProvider".split(
    " ",
  ),
  ..."CreateCUDAProviderOptions UpdateCUDAProviderOptions GetCUDAProviderOptionsAsString".split(
    " ",
  ),
  ..."ReleaseCUDAProviderOptions SessionOptionsAppendExecutionProvider_CUDA_V2".split(" "),
];
const ENUMS =
  /^(OrtLoggingLevel|OrtErrorCode|OrtAllocatorType|OrtMemType|GraphOptimizationLevel|ExecutionMode|ONNXTensorElementDataType)$/;

/** The members of `struct OrtApi` in order: name, C result, C parameters, the comment before it. */
function parseTable(header) {
  const start = header.indexOf("struct OrtApi {");
  const end = header.indexOf("\n};", start);
  if (start < 0 || end < 0) throw new Error("no `struct OrtApi` in this header");
  const body = header.slice(start + "struct OrtApi {".length, end);
  const members = body.matchAll(/((?:\/\*[\s\S]*?\*\/|\/\/[^\n]*|\s)*)([^;]*);/g);
  return Array.from(members, ([, comment, code], index) =>
    parseMember(comment, code.replace(/\s+/g, " "), index),
  );
}

function parseMember(comment, code, index) {
  const macro = /^(ORT_API2_STATUS|ORT_CLASS_RELEASE|ORT_API_T) ?\((.*)\)$/.exec(code);
  if (macro?.[1] === "ORT_CLASS_RELEASE") {
    return {
      index,
      name: `Release${macro[2]}`,
      result: "void",
      parameters: [`Ort${macro[2]}* input`],
      comment,
    };
  }
  if (macro) {
    const parts = splitParameters(macro[2]);
    const result = macro[1] === "ORT_API_T" ? parts.shift() : "OrtStatus*";
    return { index, name: parts[0], result, parameters: parts.slice(1), comment };
  }
  const plain = /^(.*?) ?\( ?ORT_API_CALL ?\* ?(\w+)\) ?\((.*?)\)[^()]*$/.exec(code);
  if (!plain) throw new Error(`member ${index} of OrtApi is not understood: ${code}`);
  return {
    index,
    name: plain[2],
    result: plain[1],
    parameters: splitParameters(plain[3]),
    comment,
  };
}

function splitParameters(text) {
  return text
    .replace(/\(num_keys\)|\(num_initializers\)|\(\w+_len\)/g, "")
    .split(",")
    .map((part) => part.trim());
}

/** How koffi passes a C parameter, and how TypeScript writes it. */
function passParameter(parameter, comment) {
  const bare = parameter
    .replace(/_[A-Z]\w*_(?=\s|$)|\benum\b/g, "")
    .replace(/\s+/g, " ")
    .trim();
  const [, type, name] = /^(.*?[ *])(\w+)$/.exec(bare) ?? [];
  if (!type) throw new Error(`parameter not understood: ${parameter}`);
  const plain = type.replace(/\s/g, "");
  const isOut = /_Outptr|_Out_/.test(parameter);
  const pass = (koffi, ts, mode = "in") => ({ name, koffi, ts, mode });
  if (/^(int|OrtLoggingLevel)$/.test(plain) || ENUMS.test(plain)) return pass("int32_t", "number");
  if (plain === "size_t") return pass("size_t", "number");
  if (plain === "constchar*") return pass("str", "string");
  if (plain === "constORTCHAR_T*") return pass("path", "string");
  if (plain === "constchar*const*") return pass("str *", "readonly string[] | null");
  if (plain === "constOrtValue*const*") return pass("void *", "BigInt64Array | BigUint64Array");
  if (plain === "constsize_t*" || plain === "constint64_t*")
    return pass("void *", "BigInt64Array | BigUint64Array");
  if (isOut && plain === "int64_t*") return pass("void *", "BigInt64Array");
  if (isOut && plain === "size_t*") return pass("size_t", "Out<number>", "out");
  if (isOut && ENUMS.test(plain.replace(/\*$/, ""))) return pass("int32_t", "Out<number>", "out");
  if (isOut && /\*\*$/.test(plain)) return pass("void *", "Out<Handle>", "out");
  if (/^(const)?void\*$/.test(plain)) return pass("void *", "Handle | Uint8Array");
  if (/^(const)?Ort\w+\*$/.test(plain)) return pass("void *", "Handle | null");
  throw new Error(`no rule for parameter \`${parameter}\` (${comment.slice(0, 60)})`);
}

function passResult(result) {
  const plain = result.replace(/\s/g, "");
  if (plain === "OrtStatus*") return { koffi: "void *", ts: "Handle | null" };
  if (plain === "constchar*") return { koffi: "str", ts: "string" };
  if (plain === "void") return { koffi: "void", ts: "void" };
  if (ENUMS.test(plain)) return { koffi: "int32_t", ts: "number" };
  throw new Error(`no rule for result \`${result}\``);
}

/** The call that frees what `member` hands out, or null where the caller must not free it. */
function findRelease(member, names) {
  const out = member.parameters.find((parameter) => parameter.includes("_Outptr"));
  if (!out || /do not free|should not be freed/i.test(member.comment)) return null;
  if (/char\s*\*\*|void\s*\*\*/.test(out)) return "AllocatorFree";
  const release = `Release${/Ort(\w+?)(?:V2)?\s*\*\*/.exec(out)[1]}`;
  if (!names.has(release))
    throw new Error(`${member.name}: nothing releases its result (${release})`);
  return release;
}

function renderMember(member, names) {
  const parameters = member.parameters.map((parameter) => passParameter(parameter, member.name));
  const result = passResult(member.result);
  const c = `${member.result} ${member.name}(${member.parameters.join(", ")})`;
  return {
    entry:
      `  /** \`${c}\` */\n  ${member.name}: {\n    index: ${member.index},\n    result: "${result.koffi}",\n` +
      `    parameters: [${parameters.map((p) => `"${p.mode === "out" ? "out " : ""}${p.koffi}"`).join(", ")}],\n` +
      `    release: ${JSON.stringify(findRelease(member, names))},\n  },`,
    type: `  ${member.name}: NativeCall<[${parameters.map((p) => `${p.name}: ${p.ts}`).join(", ")}], ${result.ts}>;`,
  };
}

function render(header) {
  const table = parseTable(header);
  const byName = new Map(table.map((member) => [member.name, member]));
  const used = USED.map((name) => {
    const member = byName.get(name);
    if (!member) throw new Error(`this header has no ${name}`);
    return member;
  }).sort((a, b) => a.index - b.index);
  const last = used.at(-1).index;
  // The table is in order of versions, so the first stated version at or after the last entry used has all of them.
  const since = table
    .slice(last)
    .map((m) => /\\since Version 1\.(\d+)/.exec(m.comment)?.[1])
    .find(Boolean);
  const version = /#define ORT_API_VERSION (\d+)/.exec(header)?.[1];
  if (!since || !version) throw new Error("no versions in this header");
  const rendered = used.map((member) => renderMember(member, byName));
  return `// Generated by scripts/generate-c-api.mjs from onnxruntime_c_api.h. Do not edit.
// The part of ONNX Runtime's C API (MIT licence, Microsoft Corporation) that the runtime calls.

/** An address that ONNX Runtime handed out. */
export type Handle = bigint;

/** An out-parameter: the call fills the first element. */
export type Out<Value> = [Value | null];

/** A call of the table; \`async\` runs it on one of libuv's threads. */
export interface NativeCall<Parameters extends unknown[], Result> {
  (...parameters: Parameters): Result;
  async(...parameters: [...Parameters, (error: Error | null, result: Result) => void]): void;
}

/** One entry of the table, in koffi's type names; \`path\` is ORTCHAR_T (UTF-16 on Windows). */
export interface CApiEntry {
  readonly index: number;
  readonly result: string;
  readonly parameters: readonly string[];
  /** The call that frees what this one hands out. */
  readonly release: string | null;
}

/** The header that this file was made from, and the lowest API version that has every entry. */
export const cApiSource = {
  headerVersion: ${version},
  headerSha256: "${createHash("sha256").update(header).digest("hex")}",
  minimumVersion: ${since},
} as const;

export const cApiEntries = {
${rendered.map((r) => r.entry).join("\n")}
} as const satisfies Record<string, CApiEntry>;

/** The table as callables. */
export interface CApi {
${rendered.map((r) => r.type).join("\n")}
}
`;
}

const [path] = process.argv.slice(2);
if (!path) {
  console.error("usage: generate-c-api.mjs ONNXRUNTIME_C_API_H");
  process.exit(2);
}
const target = new URL("../src/runtime/c-api.ts", import.meta.url);
writeFileSync(target, render(readFileSync(path, "utf8")));
console.log(`wrote ${target.pathname}`);
