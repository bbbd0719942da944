/**
 * InfoNCE, the loss of CLIP: the baseline of the comparison of losses.
 *
 * Paper:    CLIP (arXiv:2103.00020) §2.3 and figure 3; scale from 1/0.07.
 * Command:  npx diptych benchmark compare configs/compare/emoji-info-nce.ts configs/compare/emoji-sigmoid.ts --seeds 5 --budget samples=64k
 * Tiny:     npx diptych train configs/compare/emoji-info-nce.ts --tiny
 */
import { infoNce } from "diptych";
import { compared } from "./recipe.js";

export default compared("InfoNCE", { loss: infoNce(), logitScale: 1 / 0.07 });
