/**
 * Figure 2, second method: one linear layer predicts the caption's words from the picture's features.
 *
 * Paper:    CLIP (arXiv:2103.00020) §2.3, after Joulin et al. 2016 (arXiv:1511.02251).
 * Command:  npx diptych train configs/figure2/bag-of-words-prediction.ts
 * Time:     60 to 120 s of training on 2 cores (57,600 pictures), by how fast those are.
 * Score:    27.3 % first guesses right among 216 names, in a style that training never saw (seed 0).
 * Tiny:     npx diptych train configs/figure2/bag-of-words-prediction.ts --tiny
 */
import { bagOfWords, bagOfWordsPrediction } from "diptych";
import { figure2 } from "./recipe.js";

export default figure2("bag-of-words-prediction", {
  // Of this tower only the input, the ids of captions, is used.
  text: bagOfWords({ width: 8 }),
  loss: bagOfWordsPrediction(),
});
