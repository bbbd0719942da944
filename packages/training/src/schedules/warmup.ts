/** Linear warm-up, in steps or as a fraction of all steps. */
import { ConfigError } from "@diptych/core";

export interface WarmupConfig {
  readonly warmupSteps?: number | undefined;
  readonly warmupFraction?: number | undefined;
}

/** Number of warm-up steps. @throws ConfigError where they are more than all steps. */
export function warmupSteps(
  schedule: string,
  { warmupSteps: steps, warmupFraction: fraction }: WarmupConfig,
  totalSteps: number,
): number {
  const wanted = steps ?? Math.round((fraction ?? 0) * totalSteps);
  if (wanted <= totalSteps) return wanted;
  throw new ConfigError(
    `training/${schedule}: warmupSteps: expected at most all ${totalSteps} steps, got ${wanted}. Lower it, train longer, or use warmupFraction.`,
  );
}
