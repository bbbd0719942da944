/** The numbers that a step gives to the host in one small read. */
import { hostValues, InternalError, type HostTensor } from "@diptych/core";

export interface StepReport {
  readonly loss: number;
  readonly gradNorm: number;
  /** Whether loss and gradient norm are: no entry of any gradient is NaN or infinite. */
  readonly finite: boolean;
  /** The similarity scale itself, not its log. */
  readonly logitScale: number;
  readonly metrics: Readonly<Record<string, number>>;
}

const METRIC = "metric.";

/** Names the entries of the `report` vector. */
export function parseReport(names: readonly string[], report: HostTensor): StepReport {
  const numbers = hostValues(report);
  const values = new Map(names.map((name, i) => [name, numbers[i]]));
  const value = (name: string): number => {
    const number = values.get(name);
    if (number === undefined) throw new InternalError(`training/parseReport: no "${name}".`);
    return number;
  };
  return Object.freeze({
    loss: value("loss"),
    gradNorm: value("gradNorm"),
    finite: value("finite") === 1,
    logitScale: Math.exp(value("logitScale")),
    metrics: Object.freeze(
      Object.fromEntries(
        [...values.keys()]
          .filter((name) => name.startsWith(METRIC))
          .map((name) => [name.slice(METRIC.length), value(name)]),
      ),
    ),
  });
}
