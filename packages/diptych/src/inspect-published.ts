/** What is published of the paper's models: open_clip's model_profile.csv, to compare with. */
import type { OpenClipModelName } from "./open-clip-configs.js";

export interface PublishedCost {
  /** Trained values in millions. */
  readonly megaParameters: number;
  /** 10⁹ floating-point operations of one sample, a multiply-add counted as two. */
  readonly gigaFlops: number;
}

export interface PublishedCosts {
  readonly image: PublishedCost;
  readonly text: PublishedCost;
  readonly total: PublishedCost;
}

function published(
  [image, imageFlops]: readonly [number, number],
  [text, textFlops]: readonly [number, number],
  [total, totalFlops]: readonly [number, number],
): PublishedCosts {
  return Object.freeze({
    image: { megaParameters: image, gigaFlops: imageFlops },
    text: { megaParameters: text, gigaFlops: textFlops },
    total: { megaParameters: total, gigaFlops: totalFlops },
  });
}

/** open_clip docs/model_profile.csv (89fb801). Its FLOPs count every query of a ResNet's attention pool. */
export const PUBLISHED_COSTS: Readonly<Record<OpenClipModelName, PublishedCosts>> = Object.freeze({
  RN50: published([38.32, 12.22], [63.69, 5.96], [102.01, 18.18]),
  RN101: published([56.26, 19.54], [63.43, 5.96], [119.69, 25.5]),
  RN50x4: published([87.14, 42.56], [91.16, 9.27], [178.3, 51.82]),
  RN50x16: published([167.33, 149.39], [123.65, 13.3], [290.98, 162.69]),
  RN50x64: published([420.38, 529.11], [202.88, 23.55], [623.26, 552.65]),
  "ViT-B-32": published([87.85, 8.82], [63.43, 5.96], [151.28, 14.78]),
  "ViT-B-16": published([86.19, 35.13], [63.43, 5.96], [149.62, 41.09]),
  "ViT-L-14": published([303.97, 162.03], [123.65, 13.3], [427.62, 175.33]),
  "ViT-L-14-336": published([304.29, 381.92], [123.65, 13.3], [427.94, 395.22]),
});
