/** Whether a resumed run goes on with another backend than it began with, and what that means for its numbers. */
import type { Part } from "@diptych/core/plugin";
import { partText } from "./backend-parts.js";

/**
 * A line for people; undefined where nothing changed.
 *
 * @param saved The configuration in the checkpoint.
 * @param now The configuration of the run that goes on, as plain data.
 */
export function describeSwitch(
  saved: unknown,
  now: Readonly<Record<string, unknown>>,
): string | undefined {
  const before = backendOf(saved);
  const after = backendOf(now);
  if (!before || !after || sameSettings(before, after)) return undefined;
  return `The backend changed from ${partText(before)} to ${partText(after)}: the run goes on with the same state, and its losses agree within rounding, no longer bit for bit.`;
}

function backendOf(config: unknown): Part | undefined {
  const part = (config as { readonly backend?: unknown } | null | undefined)?.backend;
  const type = (part as { readonly type?: unknown } | null | undefined)?.type;
  return typeof type === "string" ? (part as Part) : undefined;
}

function sameSettings(before: Part, after: Part): boolean {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].every((key) => JSON.stringify(before[key]) === JSON.stringify(after[key]));
}
