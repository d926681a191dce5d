/**
 * A real browser for tests: Debian's Chromium, driven by playwright-core. A window notes everything that a person would call a fault of the page; what was
 * on it is kept as pictures in `.artefacts/screenshots`. On a machine without Chromium the tests that need it say so and are skipped.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { AxeResults } from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";

const CHROMIUM = Bun.which("chromium");
export const hasChromium = CHROMIUM !== null;
/** For the name of a suite that is skipped where it is not installed. */
export const NEEDS_CHROMIUM = "(needs chromium, which is not installed here: apt-get install chromium)";

const ROOT = join(import.meta.dir, "../..");
const PICTURES = join(ROOT, ".artefacts/screenshots");
const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1_280, height: 800 } } as const;
const LOCALES = { en: "en-US", zh: "zh-CN" } as const;

export type Size = keyof typeof SIZES;
export type Language = keyof typeof LOCALES;

export interface Window {
  readonly page: Page;
  /** What the page has complained about, and what it asked of others than its own server. */
  readonly faults: readonly string[];
}

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM as string,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });

/** A window of its own, without anybody's cookies. */
export async function openWindow(browser: Browser, size: Size, language: Language, colours: "light" | "dark" = "light"): Promise<Window> {
  const context = await browser.newContext({
    viewport: SIZES[size],
    locale: LOCALES[language],
    colorScheme: colours,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol !== "data:" && hostname !== "127.0.0.1") faults.push(`asked ${request.url()}`);
  });
  return { page, faults };
}

/** Keeps what the page shows, whole. @param name of the file, without its ending */
export async function keepPicture(page: Page, name: string, folder = PICTURES): Promise<void> {
  const path = join(folder, `${name}.png`);
  mkdirSync(dirname(path), { recursive: true });
  // What stays at the top of the window would be in the middle of the picture.
  await page.evaluate("scrollTo(0, 0)");
  await page.screenshot({ path, fullPage: true });
}

let axeText: string | null = null;

/** What keeps people from using the page, as axe-core sees it: faults that it calls serious or critical, each with where. */
export async function barriers(page: Page): Promise<readonly string[]> {
  axeText ??= readFileSync(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir), "utf8");
  // As the browser's own tools do: the page's policy lets no script in.
  await page.evaluate(axeText);
  const { violations } = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`);
}
