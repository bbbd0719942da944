/** What the quickstart's page shows: one entry per trained model. */

/** Share of right answers among the first guess and the first five. */
export interface TopShares {
  readonly top1: number;
  readonly top5: number;
}

/** What the quickstart measures; `quickstart/result.json` holds it. */
export interface QuickstartResult {
  /** Fluent pictures of trained concepts among the names of all concepts. */
  readonly heldOutStyle: TopShares & {
    readonly queries: number;
    readonly candidates: number;
    readonly chance: number;
    /** The pixel nearest-neighbour baseline on the same queries. */
    readonly pixelTop1: number;
  };
  /** Fluent pictures of concepts that training never saw. */
  readonly heldOutConcepts: {
    readonly queries: number;
    readonly among224: TopShares;
    readonly amongAll: TopShares;
  };
  /** Of training alone. */
  readonly seconds: number;
  readonly renderSeconds: number;
  /** Pictures seen in training. */
  readonly images: number;
  readonly steps: number;
  readonly params: number;
  readonly backend: string;
  readonly seed: number;
}

export interface Guess {
  readonly name: string;
  readonly similarity: number;
}

/** A held-out picture with the model's first guesses. */
export interface GuessedPicture {
  /** PNG as a data URL. */
  readonly picture: string;
  readonly name: string;
  readonly guesses: readonly Guess[];
}

/** A phrase with the pictures found for it. */
export interface Search {
  readonly phrase: string;
  readonly found: readonly { readonly picture: string; readonly name: string }[];
}

export interface LossPoint {
  readonly step: number;
  readonly loss: number;
}

export interface ModelReport {
  readonly title: string;
  /** One line on the towers and the loss. */
  readonly summary: string;
  readonly result: QuickstartResult;
  readonly losses: readonly LossPoint[];
  readonly pictures: readonly GuessedPicture[];
  readonly unseen: readonly GuessedPicture[];
  readonly searches: readonly Search[];
}
