/** The sessions of a runtime, so that disposing the runtime disposes them, and one that is dropped is reported. */
import { BackendError } from "@diptych/core";
import type { OrtSession } from "./ort-runtime.js";

export interface SessionRegistry {
  /** Creates a session and keeps it until it is disposed. */
  add(label: string, create: () => Promise<OrtSession>): Promise<OrtSession>;
  /** Awaits sessions being created, then disposes all. */
  dispose(): Promise<void>;
}

export function createSessionRegistry(log: (line: string) => void): SessionRegistry {
  const live = new Set<OrtSession>();
  const creating = new Set<Promise<unknown>>();
  let disposal: Promise<void> | null = null;
  const leaks = new FinalizationRegistry((label: string) => {
    log(
      `backend-onnx: session "${label}" was dropped without dispose(); it stays in memory until the runtime is disposed.`,
    );
  });
  const register = (label: string, session: OrtSession): OrtSession => {
    live.add(session);
    const handle: OrtSession = Object.freeze<OrtSession>({
      inputNames: session.inputNames,
      outputNames: session.outputNames,
      run: (inputs, outputs, options) => session.run(inputs, outputs, options),
      async dispose() {
        leaks.unregister(session);
        live.delete(session);
        await session.dispose();
      },
    });
    leaks.register(handle, label, session);
    return handle;
  };
  const add = async (label: string, create: () => Promise<OrtSession>): Promise<OrtSession> => {
    if (disposal !== null) {
      throw new BackendError(
        `backend-onnx/createSession: "${label}": expected a live runtime, got it disposed. Create another one.`,
      );
    }
    const creation = create();
    creating.add(creation);
    try {
      return register(label, await creation);
    } finally {
      creating.delete(creation);
    }
  };
  const disposeAll = async (): Promise<void> => {
    await Promise.allSettled(creating);
    for (const session of live) leaks.unregister(session);
    await Promise.all(Array.from(live, (session) => session.dispose()));
    live.clear();
  };
  return { add, dispose: () => (disposal ??= disposeAll()) };
}
