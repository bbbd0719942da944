/** Looks for what overlaps in an open page: lines of text that lie on one another, and what sticks out of the page. */
import type { Page } from "playwright-core";

export interface LayoutFaults {
  /** Pairs of texts whose lines cover one another. */
  readonly overlaps: readonly string[];
  /** Elements that reach beyond the right or left edge of the window outside of what scrolls. */
  readonly outside: readonly string[];
  /** By how many pixels the page itself scrolls sideways. */
  readonly sideways: number;
}

/** Every line of every visible text against every other; ones that share more than 2 pixels each way overlap. */
export async function findLayoutFaults(page: Page): Promise<LayoutFaults> {
  return page.evaluate<LayoutFaults>(FIND_FAULTS);
}

// As text: it runs in the page, whose types are not loaded here.
const FIND_FAULTS = `(() => {
  const lines = [];
  const outside = [];
  const width = document.documentElement.clientWidth;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  // What of a box is to be seen through the ancestors that cut or scroll.
  const clipped = (rect, element) => {
    let [left, top, right, bottom] = [rect.left, rect.top, rect.right, rect.bottom];
    let scrolls = false;
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.clipPath !== "none") return undefined;
      if (style.overflowX === "visible" || at instanceof SVGElement) continue;
      if (at === document.body || at === document.documentElement) continue;
      scrolls = true;
      const box = at.getBoundingClientRect();
      left = Math.max(left, box.left); right = Math.min(right, box.right);
      top = Math.max(top, box.top); bottom = Math.min(bottom, box.bottom);
    }
    return right - left > 0 && bottom - top > 0 ? { left, top, right, bottom, scrolls } : undefined;
  };
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    const text = node.textContent.trim();
    if (text === "" || ["STYLE", "SCRIPT", "NOSCRIPT"].includes(parent.tagName)) continue;
    if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const rect of range.getClientRects()) {
      const seen = clipped(rect, parent);
      if (!seen) continue;
      // Lines are taller than their letters: a fifth of it is room above and below.
      const room = (rect.bottom - rect.top) * 0.18;
      lines.push({ text, node, left: seen.left, right: seen.right, top: rect.top + room, bottom: rect.bottom - room });
      if (!seen.scrolls && (rect.right > width + 1 || rect.left < -1)) outside.push(text);
    }
  }
  for (const image of document.querySelectorAll("img")) {
    const rect = image.getBoundingClientRect();
    const seen = rect.width > 0 && clipped(rect, image);
    if (seen) lines.push({ text: "[" + image.alt + "]", node: image, left: seen.left, right: seen.right, top: seen.top, bottom: seen.bottom });
  }
  const overlaps = new Set();
  lines.sort((a, b) => a.top - b.top);
  for (let i = 0; i < lines.length; i++) {
    for (let j = i + 1; j < lines.length && lines[j].top < lines[i].bottom - 2; j++) {
      const [a, b] = [lines[i], lines[j]];
      if (a.node === b.node) continue;
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 2 && down > 2) overlaps.add(a.text.slice(0, 60) + " | " + b.text.slice(0, 60));
    }
  }
  return {
    overlaps: [...overlaps],
    outside,
    sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  };
})()`;
