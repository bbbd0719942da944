/**
 * The sigmoid loss of SigLIP, all else as the baseline.
 *
 * Paper:    SigLIP (arXiv:2303.15343) §3.2; scale from 10 and bias from −10, as in its algorithm 1.
 * Command:  npx diptych benchmark compare configs/compare/emoji-info-nce.ts configs/compare/emoji-sigmoid.ts --seeds 5 --budget samples=64k
 * Tiny:     npx diptych train configs/compare/emoji-sigmoid.ts --tiny
 */
import { sigmoidLoss } from "diptych";
import { compared } from "./recipe.js";

export default compared("sigmoid", { loss: sigmoidLoss(), logitScale: 10, logitBias: -10 });
