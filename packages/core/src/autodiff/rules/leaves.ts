/** Leaves: where the backward walk ends. */
import { notDifferentiable, type Rule } from "../rule.js";

/** No operands, so nowhere to go on to. */
const leaf = (): readonly undefined[] => [];

export const leafRules = {
  input: leaf,
  parameter: leaf,
  constant: leaf,
  iota: notDifferentiable("positions are integers"),
  dimSize: notDifferentiable("sizes are integers"),
} satisfies {
  [Name in "input" | "parameter" | "constant" | "iota" | "dimSize"]: Rule<Name>;
};
