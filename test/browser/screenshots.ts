/**
 * `npm run screenshots`: makes the pictures of the README anew, of a real drop: a system is started, people and bots come, and a browser looks on.
 * Needs chromium.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { postJson, startSystem } from "../system.ts";
import { waitFor } from "../wait.ts";
import { keepPicture, openBrowser, openWindow } from "./browser.ts";

const ROOT = join(import.meta.dir, "../..");
const FOLDER = join(ROOT, "docs/screenshots");
const SKU = "SNEAKER-42";
const HOUR_MS = 3_600_000;
const STARTS_AFTER_MS = 15_000;

const progress = (what: string): void => void process.stderr.write(`  ${what}\n`);

async function stampede(gateOffset: string, ...args: readonly string[]): Promise<void> {
  const command = [process.execPath, join(ROOT, "src/main.ts"), "stampede", "--port-offset", gateOffset, ...args];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  await child.exited;
}

const folder = mkdtempSync(join(tmpdir(), "doorbuster-screenshots-"));
const system = await startSystem({ args: ["--demo", "--sale-availability", "exact"], dataDir: folder });
const browser = await openBrowser();
try {
  const offset = String(Number(new URL(system.gate).port) - 8080);
  const [startsAt, endsAt] = [Date.now() + STARTS_AFTER_MS, Date.now() + HOUR_MS].map((at) => new Date(at).toISOString());
  await postJson(`${system.inventory}/add`, { goodsSKU: SKU, goodsQuantity: 600, goodsPrice: 159 });
  const items = [{ goodsSKU: SKU, salePrice: 119, quantityLimit: 1 }];
  await postJson(`${system.policy}/sales`, { id: "sneakers", name: "Autumn sneakers", startsAt, endsAt, items });

  const { page: desk } = await openWindow(browser, "desktop", "en");
  await desk.goto(system.console);
  const { page: phone } = await openWindow(browser, "phone", "en");
  await phone.goto(`${system.gate}/shop`);
  progress("waits for the start of the sale");
  const goods = phone.getByRole("listitem").filter({ has: phone.getByRole("heading", { name: SKU }) });
  await waitFor(() => goods.getByRole("button").isEnabled(), "the sale has begun", 2 * STARTS_AFTER_MS);
  await goods.getByRole("button").click();
  await goods.getByText("The goods are yours").waitFor();

  progress("people and bots come");
  const crowd = stampede(offset, "--sku", SKU, "--buyers", "3000", "--rate", "120", "--bots", "6");
  await desk.getByText(SKU).first().waitFor();
  await keepWhen(desk, "console-now", async () => /Cart/.test((await desk.locator("main").textContent()) ?? ""), 12_000);
  await keepPicture(phone, "shop", FOLDER);
  await crowd;

  await desk.goto(`${system.console}/#/protection`);
  await desk.getByText("Learned").and(desk.locator(":not(option)")).first().waitFor();
  await keepPicture(desk, "console-protection", FOLDER);
  await desk.goto(`${system.console}/#/report`);
  await desk.getByRole("button", { name: /^Autumn sneakers/ }).click();
  await desk.getByRole("heading", { name: `Sell-out: ${SKU}` }).waitFor();
  await keepPicture(desk, "console-report", FOLDER);
} finally {
  await browser.close();
  await system.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** @param afterMs so that the charts have something to show */
async function keepWhen(page: Page, name: string, isThere: () => Promise<boolean>, afterMs: number): Promise<void> {
  await waitFor(isThere, `${name} can be kept`);
  await page.waitForTimeout(afterMs);
  await keepPicture(page, name, FOLDER);
  progress(name);
}
