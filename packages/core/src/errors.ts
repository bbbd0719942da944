/** Every error a user can meet: one class per kind, recognised by its stable `code` (never by instanceof, so that two copies of core do not break each other). */

export type ErrorCode =
  | "SHAPE"
  | "DTYPE"
  | "CONFIG"
  | "REGISTRY"
  | "UNSUPPORTED_OP"
  | "CHECKPOINT"
  | "DATA"
  | "BACKEND"
  | "TRAINING"
  | "INTERNAL";

/** Base of all Diptych errors. The message reads `package/function: what: expected X, got Y (where). How to fix.` */
export class DiptychError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** Shapes that do not fit together. */
export class ShapeError extends DiptychError {
  constructor(message: string, options?: ErrorOptions) {
    super("SHAPE", message, options);
  }
}

/** An element type that an op or a file does not take. */
export class DtypeError extends DiptychError {
  constructor(message: string, options?: ErrorOptions) {
    super("DTYPE", message, options);
  }
}

/** One problem of a configuration: where, what, and (when known) the nearest valid name. */
export interface ConfigProblem {
  readonly path: string;
  readonly message: string;
}

/** A configuration that does not fit its schema; lists every problem at once. */
export class ConfigError extends DiptychError {
  readonly problems: readonly ConfigProblem[];
  constructor(message: string, problems: readonly ConfigProblem[] = [], options?: ErrorOptions) {
    super("CONFIG", message, options);
    this.problems = problems;
  }
}

/** A plugin that is unknown, declared twice, or made for another contract version. */
export class RegistryError extends DiptychError {
  constructor(message: string, options?: ErrorOptions) {
    super("REGISTRY", message, options);
  }
}

/** An op that a backend cannot lower. */
export class UnsupportedOpError extends DiptychError {
  constructor(message: string, options?: ErrorOptions) {
    super("UNSUPPORTED_OP", message, options);
  }
}

/** A checkpoint that is missing, truncated, or of another model. */
export class CheckpointError extends DiptychError {
  constructor(message: string, options?: ErrorOptions) {
    super("CHECKPOINT", message, options);
  }
}

/** Data that cannot be read: a corrupt image, an empty set, text that is too long. */
export class DataError extends DiptychError {
  constructor(message: string, options?: ErrorOptions) {
    super("DATA", message, options);
  }
}

/** A runtime that is absent, mismatched, out of memory, or that failed in a run. */
export class BackendError extends DiptychError {
  constructor(message: string, options?: ErrorOptions) {
    super("BACKEND", message, options);
  }
}

/** A training run that cannot go on: loss not finite, folder in use. */
export class TrainingError extends DiptychError {
  constructor(message: string, options?: ErrorOptions) {
    super("TRAINING", message, options);
  }
}

/** A broken promise inside Diptych itself; please report it. */
export class InternalError extends DiptychError {
  constructor(message: string, options?: ErrorOptions) {
    super("INTERNAL", `${message} This is a bug in Diptych; please report it.`, options);
  }
}

/** Whether `error` tells of what its caller gave or met; a defect of the program, also one that Diptych found itself, does not. */
export function isExpectedError(error: unknown): error is DiptychError {
  return isDiptychError(error) && error.code !== "INTERNAL";
}

/** Whether `error` is a Diptych error (of this or another copy of core), optionally of one code. */
export function isDiptychError(error: unknown, code?: ErrorCode): error is DiptychError {
  if (!(error instanceof Error)) return false;
  const found = (error as { code?: unknown }).code;
  const known: readonly string[] = [
    "SHAPE",
    "DTYPE",
    "CONFIG",
    "REGISTRY",
    "UNSUPPORTED_OP",
    "CHECKPOINT",
    "DATA",
    "BACKEND",
    "TRAINING",
    "INTERNAL",
  ];
  return (
    typeof found === "string" && known.includes(found) && (code === undefined || found === code)
  );
}
