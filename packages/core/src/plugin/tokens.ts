/** Tokens: typed names for what lives in a run. Symbol.for, so that two copies of core agree. */

export interface Token<T> {
  readonly key: symbol;
  readonly name: string;
  /** Only for the type; never set. */
  readonly valueType?: T;
}

export function createToken<T>(name: string): Token<T> {
  return Object.freeze({ key: Symbol.for(`diptych/${name}`), name });
}
