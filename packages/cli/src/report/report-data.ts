/** What the quickstart's page shows: one entry per trained model. */
import type { TrainingPrecision } from "@diptych/core";
import type { EmojiMeasures } from "diptych";

/** What the quickstart measures, and what it took; `quickstart/result.json` holds it. */
export interface QuickstartResult extends EmojiMeasures {
  /** Of training alone. */
  readonly seconds: number;
  readonly renderSeconds: number;
  /** Pictures seen in training. */
  readonly images: number;
  readonly steps: number;
  readonly params: number;
  readonly backend: string;
  readonly precision: TrainingPrecision;
  /** Among the steps, those that overflowed in float16. */
  readonly skippedSteps: number;
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
