// The methods of configs/figure2.

export const FIGURE2_METHODS = [
  { name: "captioning", loss: "captioning", text: "bag-of-words" },
  { name: "bag-of-words-prediction", loss: "bag-of-words-prediction", text: "bag-of-words" },
  { name: "bag-of-words-contrastive", loss: "info-nce", text: "bag-of-words" },
  { name: "clip", loss: "info-nce", text: "text-transformer" },
] as const;
