/** SVG documents from the icon sets of the iconify packages. */
import { DataError } from "@diptych/core";

/** The part of iconify's format that is used here (https://iconify.design/docs/types/iconify-json.html). */
export interface IconSet {
  readonly icons: Readonly<Record<string, IconBody>>;
  readonly aliases?: Readonly<Record<string, IconAlias>>;
  readonly width?: number;
  readonly height?: number;
}

interface IconBox {
  readonly left?: number;
  readonly top?: number;
  readonly width?: number;
  readonly height?: number;
}

interface IconBody extends IconBox {
  readonly body: string;
}

interface IconAlias {
  readonly parent: string;
  readonly hFlip?: boolean;
  readonly vFlip?: boolean;
  /** Quarter turns. */
  readonly rotate?: number;
}

/** iconify's box where neither the icon nor the set says one. */
const DEFAULT_BOX = 16;

/**
 * The SVG text of an icon, `pixels` wide and high, aliases followed.
 *
 * @throws DataError when the set has no such icon.
 */
export function iconSvg(set: IconSet, name: string, pixels: number): string {
  const turns: string[] = [];
  let current = name;
  const seen = new Set<string>();
  for (let alias = set.aliases?.[current]; alias && !seen.has(current);) {
    seen.add(current);
    turns.push(turnOf(alias));
    current = alias.parent;
    alias = set.aliases?.[current];
  }
  const icon = set.icons[current];
  if (icon === undefined) {
    throw new DataError(
      `data/emoji: icon: expected "${name}" in the icon set, found none. Install the package version named in the README of @diptych/data.`,
    );
  }
  const left = icon.left ?? 0;
  const top = icon.top ?? 0;
  const width = icon.width ?? set.width ?? DEFAULT_BOX;
  const height = icon.height ?? set.height ?? DEFAULT_BOX;
  const turn = turns.filter((text) => text !== "").join(" ");
  // A turn is about the middle of the box.
  const x = left + width / 2;
  const y = top + height / 2;
  const body =
    turn === ""
      ? icon.body
      : `<g transform="translate(${x} ${y}) ${turn} translate(${-x} ${-y})">${icon.body}</g>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${pixels}" height="${pixels}" viewBox="${left} ${top} ${width} ${height}">${body}</svg>`;
}

function turnOf(alias: IconAlias): string {
  const flip =
    alias.hFlip || alias.vFlip ? `scale(${alias.hFlip ? -1 : 1} ${alias.vFlip ? -1 : 1})` : "";
  const rotate = alias.rotate ? `rotate(${90 * alias.rotate})` : "";
  return [rotate, flip].filter((text) => text !== "").join(" ");
}
