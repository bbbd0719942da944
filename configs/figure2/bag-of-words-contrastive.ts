/**
 * Figure 2, third method: the same bag of words, but which caption belongs to which picture is told apart.
 *
 * Paper:    CLIP (arXiv:2103.00020) §2.3 ("we swapped the predictive objective for a contrastive objective").
 * Command:  npx diptych train configs/figure2/bag-of-words-contrastive.ts
 * Tiny:     npx diptych train configs/figure2/bag-of-words-contrastive.ts --tiny
 */
import { bagOfWords, infoNce } from "diptych";
import { figure2 } from "./recipe.js";

export default figure2("bag-of-words-contrastive", {
  text: bagOfWords({ width: 128 }),
  loss: infoNce(),
});
