/** A perceptual colour scale: matplotlib's `inferno` (CC0), nearly linear in lightness, readable in grey and when colour-blind. */

export type Colour = readonly [number, number, number];

/** Samples at equal steps from 0 to 1. */
const INFERNO: readonly Colour[] = [
  [0, 0, 4],
  [11, 7, 36],
  [33, 12, 74],
  [61, 9, 101],
  [87, 16, 110],
  [113, 25, 110],
  [138, 34, 106],
  [163, 44, 97],
  [188, 55, 84],
  [210, 70, 68],
  [228, 90, 49],
  [241, 115, 29],
  [249, 142, 9],
  [252, 172, 17],
  [249, 203, 53],
  [242, 234, 105],
  [252, 255, 164],
];

/** Colour of `value` in [0, 1], linear between samples, 0–255; what is outside takes the ends. */
export function heatColour(value: number): Colour {
  const at = Math.min(Math.max(value, 0), 1) * (INFERNO.length - 1);
  const low = INFERNO[Math.floor(at)] ?? [0, 0, 0];
  const high = INFERNO[Math.ceil(at)] ?? low;
  const share = at - Math.floor(at);
  const mix = (channel: 0 | 1 | 2): number => low[channel] + (high[channel] - low[channel]) * share;
  return [mix(0), mix(1), mix(2)];
}
