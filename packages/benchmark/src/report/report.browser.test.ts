import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createComparison,
  createSearch,
  createSuite,
  pictureOf,
} from "./comparison.test-support.js";
import { findLayoutFaults } from "./overlap.test-support.js";
import { writeReport } from "./write-report.js";

const CHROMIUM = process.env["DIPTYCH_CHROMIUM"] ?? "/usr/bin/chromium";

const LOOKS = [
  { width: 360, colorScheme: "light" },
  { width: 360, colorScheme: "dark" },
  { width: 1440, colorScheme: "light" },
  { width: 1440, colorScheme: "dark" },
] as const;

interface Opened {
  readonly page: Page;
  /** Console errors and warnings, exceptions, and requests of anything but the file itself. */
  readonly complaints: readonly string[];
}

if (!existsSync(CHROMIUM)) {
  describe("a report in a browser", () => {
    it.skip(`skipped: no browser at ${CHROMIUM}; DIPTYCH_CHROMIUM names another`, () => undefined);
  });
} else {
  describe("a report in a browser", declareTests);
}

function declareTests(): void {
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    folder = await mkdtemp(join(tmpdir(), "diptych-report-"));
    await writeReport(createComparison(), join(folder, "comparison"), {
      pictures: async (_, sample) => pictureOf(sample),
      search: createSearch(),
      attribution: ["Shapes drawn by code"],
    });
    const long = `A method whose name is long & holds <b>markup</b> ${"x".repeat(50)}`;
    await writeReport(
      createComparison({ methods: [long, `${long} too`], seeds: 2 }),
      join(folder, "long"),
    );
    await writeReport(createSuite(), join(folder, "suite"));
  });

  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(path: string, look: (typeof LOOKS)[number]): Promise<Opened> {
    const { width, colorScheme } = look;
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const complaints: string[] = [];
    const url = pathToFileURL(path).href;
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (request.url() !== url && !request.url().startsWith("data:"))
        complaints.push(request.url());
    });
    await page.goto(url);
    return { page, complaints };
  }

  for (const name of ["comparison", "long", "suite"]) {
    for (const look of LOOKS) {
      it(`${name}: nothing overlaps, sticks out or complains at ${look.width} pixels, ${look.colorScheme}`, async () => {
        const { page, complaints } = await open(join(folder, name, "report.html"), look);
        for (const summary of await page.locator("summary").all()) await summary.click();
        expect(await findLayoutFaults(page)).toEqual({ overlaps: [], outside: [], sideways: 0 });
        expect(complaints).toEqual([]);
        await page.close();
      });
    }
  }

  it("finds what overlaps and sticks out where something does", async () => {
    const broken = join(folder, "broken.html");
    const box = (style: string, text: string): string =>
      `<div style="position:absolute;${style}">${text}</div>`;
    await writeFile(
      broken,
      `<!doctype html><body>${box("left:10px;top:10px", "first words")}${box("left:30px;top:14px", "second words")}
       ${box("left:1400px;top:200px;white-space:nowrap", "words that leave the window")}
       <svg width="200" height="50" style="margin-top:300px"><text x="5" y="20">a tick</text><text x="12" y="24">a label</text></svg>`,
    );
    const { page } = await open(broken, LOOKS[2]);
    const faults = await findLayoutFaults(page);
    expect(faults.overlaps).toEqual(["first words | second words", "a tick | a label"]);
    expect(faults.outside).toEqual(["words that leave the window"]);
    expect(faults.sideways).toBeGreaterThan(0);
    await page.close();
  });

  it("finds pictures by words, suggests, and says what it does not know", async () => {
    const { page, complaints } = await open(join(folder, "comparison", "report.html"), LOOKS[0]);
    const input = page.getByLabel("What should the pictures show?");
    const names = async (): Promise<readonly string[]> =>
      page
        .locator("#search [data-part=results] img")
        .evaluateAll((all) => all.map((one) => (one as unknown as { readonly alt: string }).alt));
    const status = page.locator("#search-status");
    await input.fill("violet triangle");
    expect((await names())[0]).toBe("violet triangle");
    await input.fill("a blue, really blue cross");
    expect((await names())[0]).toBe("blue cross");
    expect(await status.textContent()).toContain("Not known here: “a”, “really”");
    await input.fill("wombat");
    expect(await names()).toEqual([]);
    expect(await status.textContent()).toContain("no embedding for “wombat”");
    await input.fill("gre");
    await page.keyboard.press("Enter");
    expect(await input.inputValue()).toBe("grey");
    expect((await names())[0]).toContain("grey");
    await page.getByRole("button", { name: "grey square" }).press("Enter");
    expect((await names())[0]).toBe("grey square");
    expect(await page.locator("#search img").first().evaluate(isDrawn)).toBe(true);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("shows curves against what is chosen, by keyboard", async () => {
    const { page } = await open(join(folder, "comparison", "report.html"), LOOKS[2]);
    const shown = (axis: string): Promise<boolean> =>
      page.locator(`.axis.${axis} .wide svg`).first().isVisible();
    expect([await shown("samples"), await shown("seconds")]).toEqual([true, false]);
    await page.getByRole("radio", { name: "pictures seen" }).focus();
    await page.keyboard.press("ArrowRight");
    expect([await shown("samples"), await shown("flops")]).toEqual([false, true]);
    await page.close();
  });

  it("has headings in order, names for pictures and readable colours", async () => {
    for (const look of LOOKS.slice(2)) {
      const { page } = await open(join(folder, "comparison", "report.html"), look);
      expect(await page.evaluate(FIND_BARRIERS)).toEqual([]);
      await page.close();
    }
  });

  it("prints on paper: light, without controls, nothing overlapping", async () => {
    const { page } = await open(join(folder, "comparison", "report.html"), LOOKS[3]);
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    await page.setViewportSize({ width: 700, height: 900 });
    expect(await page.locator("nav").isVisible()).toBe(false);
    expect(await page.evaluate("getComputedStyle(document.body).color")).toBe("rgb(28, 28, 30)");
    const { overlaps, sideways } = await findLayoutFaults(page);
    expect({ overlaps, sideways }).toEqual({ overlaps: [], sideways: 0 });
    expect((await page.pdf({ format: "A4" })).length).toBeGreaterThan(10_000);
    await page.close();
  });
}

function isDrawn(image: unknown): boolean {
  return (image as { readonly naturalWidth: number }).naturalWidth > 0;
}

/** Contrast of 4.5 for text, levels of headings without gaps, a text for each picture, headers in each table. */
const FIND_BARRIERS = `(() => {
  const faults = [];
  let level = 0;
  for (const heading of document.querySelectorAll("h1,h2,h3,h4")) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) faults.push("a level is skipped before " + heading.textContent);
    level = own;
  }
  for (const image of document.querySelectorAll("img")) if (!image.alt) faults.push("a picture without text");
  for (const svg of document.querySelectorAll("svg"))
    if (!svg.getAttribute("aria-label") && svg.getAttribute("aria-hidden") !== "true" && !svg.parentElement.closest("svg"))
      faults.push("a figure without text");
  for (const table of document.querySelectorAll("table"))
    if (table.querySelectorAll("th[scope=col]").length === 0 || table.querySelectorAll("th[scope=row]").length === 0) faults.push("a table without headers");
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parse = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) { const c = parse(getComputedStyle(at).backgroundColor); if (c[3] > 0) layers.push(c); if (c[3] === 255) break; }
    return layers.reverse().reduce((under, [r, g, b, a]) => [r, g, b].map((c, i) => (c * a + under[i] * (255 - a)) / 255), [255, 255, 255]);
  };
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (node.textContent.trim() === "" || !parent.checkVisibility() || ["STYLE", "SCRIPT", "NOSCRIPT"].includes(parent.tagName)) continue;
    const style = getComputedStyle(parent);
    const ink = parse(parent instanceof SVGElement ? style.fill : style.color);
    const [x, y] = [luminance(ink), luminance(behind(parent))];
    const contrast = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
    if (contrast < 4.5) seen.add(node.textContent.trim().slice(0, 40) + " has a contrast of " + contrast.toFixed(2));
  }
  return [...faults, ...seen];
})()`;
