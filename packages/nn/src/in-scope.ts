/** Sub-scopes of a build context: the same mode and randomness, one name deeper. */
import type { BuildContext } from "@diptych/core";

/** The context under `name`, e.g. for one layer: `inScope(context, "ln_1")`. */
export function inScope(context: BuildContext, name: string): BuildContext {
  return { ...context, scope: context.scope.child(name) };
}

/** Runs `build` under `name`, with that origin on the nodes it makes (for blocks: errors then say where). */
export function within<T>(
  context: BuildContext,
  name: string,
  build: (context: BuildContext) => T,
): T {
  return context.scope.within(name, (scope) => build({ ...context, scope }));
}
