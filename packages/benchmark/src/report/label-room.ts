/** Room for names beside the marks of a chart, or above them where the names would take the room of the marks. */

/** Pixels of a character of a label, about. */
const CHARACTER = 6.9;

export interface LabelRoom {
  /** Left margin. */
  readonly left: number;
  /** Names stand above the marks. */
  readonly above: boolean;
}

export function labelRoom(labels: readonly string[], width: number): LabelRoom {
  const beside = 16 + Math.max(0, ...labels.map((label) => label.length)) * CHARACTER;
  return beside > width / 3 ? { left: 8, above: true } : { left: beside, above: false };
}

/** Shortened where `pixels` do not hold it. */
export function fitLabel(label: string, pixels: number): string {
  const most = Math.max(4, Math.floor(pixels / CHARACTER));
  return label.length <= most ? label : `${label.slice(0, most - 1)}…`;
}
