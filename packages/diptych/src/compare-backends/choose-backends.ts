/** Which backends a comparison runs: names such as `tfjs:wasm` against what is found on this machine. */
import { ConfigError } from "@diptych/core";
import { suggestName, type BackendFinding, type Part } from "@diptych/core/plugin";
import { partLabel } from "../backend-parts.js";

/** A backend to compare; one with `unready` is not run, and reported with that reason. */
export interface ChosenBackend {
  readonly label: string;
  /** Laid over the configuration's own backend. */
  readonly part: Part;
  readonly unready?: string;
}

/**
 * Every engine that is ready, but for slow ones; the configuration's own first.
 *
 * @param isOwn Whether a part is what the configuration runs on.
 */
export function chooseReady(
  findings: readonly BackendFinding[],
  isOwn: (part: Part) => boolean,
): readonly ChosenBackend[] {
  const ready = findings.filter(
    ({ status, slow = false, part }) => status === "ready" && (!slow || isOwn(part)),
  );
  ready.sort((a, b) => Number(isOwn(b.part)) - Number(isOwn(a.part)));
  return ready.map(({ part }) => ({ part, label: partLabel(part) }));
}

/**
 * Backends by name, in the order given: `onnx` (with the configuration's settings, else its defaults), `onnx:webgpu`
 * (by an engine or provider), `onnx:threads=1` (by any setting), or several of these: `onnx:cpu:threads=1`.
 *
 * @throws ConfigError on an unknown or repeated name.
 */
export function chooseNamed(
  names: readonly string[],
  findings: readonly BackendFinding[],
  types: readonly string[],
): readonly ChosenBackend[] {
  const chosen = names.map((name) => chooseOne(name, findings, types));
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated === undefined) return chosen;
  throw new ConfigError(
    `diptych/compareBackends: backends: expected each once, got "${repeated}" twice. Leave one out.`,
  );
}

function chooseOne(
  name: string,
  findings: readonly BackendFinding[],
  types: readonly string[],
): ChosenBackend {
  const [type = "", ...settings] = name.split(":");
  const known = [...types, ...findings.map(({ part }) => partLabel(part))];
  if (!types.includes(type)) throw unknownName(name, known);
  let part: Part = { type };
  for (const setting of settings) {
    const at = setting.indexOf("=");
    if (at > 0) {
      part = { ...part, [setting.slice(0, at)]: parseValue(setting.slice(at + 1)) };
      continue;
    }
    const meant = findings.find(
      (finding) =>
        finding.part.type === type && Object.values(finding.part).slice(1).includes(setting),
    );
    if (!meant) throw unknownName(name, known);
    part = { ...meant.part, ...part };
  }
  return { label: name, part, ...unreadiness(part, findings) };
}

/** Why the engine that `part` names cannot run, where that was found. */
function unreadiness(
  part: Part,
  findings: readonly BackendFinding[],
): { readonly unready?: string } {
  const finding = findings.find((candidate) =>
    Object.entries(candidate.part).every(([key, value]) => part[key] === value),
  );
  return finding && finding.status !== "ready"
    ? { unready: `${finding.status}: ${finding.detail}` }
    : {};
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function unknownName(name: string, known: readonly string[]): ConfigError {
  return new ConfigError(
    `diptych/compareBackends: backends: expected the name of a backend, got "${name}". ${suggestName(name, known)}`,
  );
}
