/** A run's container: one tsyringe child container holds what was created, by token. The only file that imports tsyringe. */
import "reflect-metadata";
import { container, type DependencyContainer } from "tsyringe";
import { InternalError } from "../errors.js";
import type { Token } from "./tokens.js";

interface Disposable {
  dispose(): unknown;
}

function isDisposable(value: unknown): value is Disposable {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { dispose?: unknown }).dispose === "function"
  );
}

/** What one run made; disposed in reverse order of creation. */
export class Run {
  readonly #container: DependencyContainer = container.createChildContainer();
  readonly #created: { name: string; dispose: () => unknown }[] = [];
  #disposed = false;

  /** Creates a value once, awaits it, and keeps it under `token`. */
  async create<T>(token: Token<T>, factory: () => T | Promise<T>): Promise<T> {
    if (this.#disposed) throw new InternalError(`core/Run: ${token.name}: created after dispose.`);
    if (this.has(token)) throw new InternalError(`core/Run: ${token.name}: created twice.`);
    // Registered by value after the await: tsyringe would hand out the promise itself.
    const value = await factory();
    this.#container.registerInstance(token.key, value);
    if (isDisposable(value)) this.onDispose(token.name, () => value.dispose());
    return value;
  }

  has(token: Token<unknown>): boolean {
    return this.#container.isRegistered(token.key);
  }

  get<T>(token: Token<T>): T {
    if (!this.has(token))
      throw new InternalError(`core/Run: ${token.name}: asked for before it was created.`);
    return this.#container.resolve<T>(token.key);
  }

  /** Adds a clean-up that runs before those added earlier. */
  onDispose(name: string, dispose: () => unknown): void {
    this.#created.push({ name, dispose });
  }

  /** Disposes everything, last created first; goes on after a failure and throws the failures at the end. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    const failures: unknown[] = [];
    for (const { dispose } of this.#created.reverse()) {
      try {
        await dispose();
      } catch (error) {
        failures.push(error);
      }
    }
    this.#container.reset();
    if (failures.length > 0) throw new AggregateError(failures, "core/Run: dispose failed.");
  }
}
