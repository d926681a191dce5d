/** A drop as the person sees it who runs it: from an empty store to the report, in a real browser and without a terminal; with a key, in both languages. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { type TextKey, type TextValues, type Language as Tongue, tellerOf } from "../../src/console/page/texts/texts.ts";
import { getJson, postJson, type System, startSystem } from "../system.ts";
import { waitFor } from "../wait.ts";
import { barriers, hasChromium, keepPicture, NEEDS_CHROMIUM, openBrowser, openWindow, type Size } from "./browser.ts";

const KEY = "an-admin-key-for-tests";
const BEARER = { authorization: `Bearer ${KEY}` };
const OPERATOR = "Ann 安";
const UNITS = 6;
const PAGES = ["now", "sales", "protection", "trace", "orders", "trail", "report"] as const;

describe.skipIf(!hasChromium)(`the console in a browser ${hasChromium ? "" : NEEDS_CHROMIUM}`, () => {
  let system: System;
  let browser: Browser;
  beforeAll(async () => {
    system = await startSystem({ args: ["--demo", "--sale-availability", "exact"], env: { DOORBUSTER_ADMIN_KEY: KEY } });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await system?.stop();
  });

  async function open(size: Size, tongue: Tongue, colours: "light" | "dark" = "light") {
    const window = await openWindow(browser, size, tongue, colours);
    await window.page.goto(system.console);
    return { ...window, tell: tellerOf(tongue) };
  }
  async function signIn(page: Page, tell: (key: TextKey, values?: TextValues) => string, key = KEY): Promise<void> {
    await page.getByLabel(tell("signIn.name")).fill(OPERATOR);
    await page.getByLabel(tell("signIn.key")).fill(key);
    await page.getByRole("button", { name: tell("signIn.submit") }).click();
  }
  const go = async (page: Page, name: (typeof PAGES)[number]): Promise<void> => {
    await page.locator(`nav a[href="#/${name}"]`).click();
    await page.locator(`nav a[href="#/${name}"][aria-current="page"]`).waitFor();
  };
  const buy = (userID: string, goodsSKU: string, clientIP = "202.100.100.1") =>
    postJson(`${system.gate}/buy`, { userID, userLevel: 5, clientIP, goodsSKU, goodsQuantity: 1 });
  /** What a field of that kind takes: this machine's time, to the second. */
  const local = (at: number): string => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);

  test("lets nobody in without the key, says so, and forgets who signs out", async () => {
    const { page, tell } = await open("phone", "en");
    await signIn(page, tell, "not-the-key-of-this-shop");
    await page.getByText(tell("signIn.wrong")).waitFor();
    expect(await barriers(page)).toEqual([]);
    await keepPicture(page, "console-phone-en-sign-in");
    await signIn(page, tell);
    await page.getByRole("heading", { level: 1, name: tell("now.title") }).waitFor();
    await page.getByRole("button", { name: tell("frame.signOut") }).click();
    await page.getByLabel(tell("signIn.key")).waitFor();
    await page.reload();
    await page.getByLabel(tell("signIn.key")).waitFor();
    await page.context().close();
  });

  test.each([
    ["phone", "en", "light"],
    ["phone", "zh", "dark"],
    ["desktop", "en", "dark"],
    ["desktop", "zh", "light"],
  ] as const)("on a %s, in %s (%s): a drop from the announcement to the report", async (size, tongue, colours) => {
    const { page, faults, tell } = await open(size, tongue, colours);
    const [sku, name] = [`SHOE-${size}-${tongue}`, `Shoes ${size} ${tongue}`];
    const picture = (what: string): Promise<void> => keepPicture(page, `console-${size}-${tongue}-${what}`);
    const dialog = page.getByRole("dialog");
    await signIn(page, tell);

    // Goods, and a sale of them that begins at once.
    await go(page, "sales");
    await page.getByRole("button", { name: tell("goods.new") }).click();
    await dialog.getByLabel(tell("sales.sku")).fill(sku);
    await dialog.getByLabel(tell("goods.quantity")).fill(String(UNITS));
    await dialog.getByLabel(tell("sales.price")).fill("99.9");
    await dialog.getByRole("button", { name: tell("frame.save") }).click();
    await page.getByRole("row", { name: new RegExp(sku) }).waitFor();
    await page.getByRole("button", { name: tell("sales.new") }).click();
    await dialog.getByLabel(tell("sales.name"), { exact: true }).fill(name);
    await dialog.getByLabel(tell("sales.startsAt")).fill(local(Date.now() - 2_000));
    await dialog.getByLabel(tell("sales.endsAt")).fill(local(Date.now() + 3_600_000));
    await dialog.getByLabel(tell("sales.sku")).fill(sku);
    await dialog.getByLabel(tell("sales.price")).fill("49.9");
    await picture("new-sale");
    expect(await barriers(page)).toEqual([]);
    await dialog.getByRole("button", { name: tell("frame.save") }).click();
    const sale = page.getByRole("article", { name });
    await sale.getByText(tell("saleStatus.live")).waitFor();

    // It is paused, which is asked first, and goes on.
    await sale.getByRole("button", { name: tell("sales.pause") }).click();
    await dialog.getByText(tell("sales.pauseAsk", { name })).waitFor();
    await dialog.getByRole("button", { name: tell("sales.pause") }).click();
    await sale.getByText(tell("saleStatus.paused")).waitFor();
    expect((await buy("EARLY", sku)).body).toMatchObject({ reason: "paused" });
    await sale.getByRole("button", { name: tell("sales.resume") }).click();
    await dialog.getByRole("button", { name: tell("sales.resume") }).click();
    await sale.getByText(tell("saleStatus.live")).waitFor();

    // People buy until nothing is left, and more is stocked.
    for (let buyer = 0; buyer <= UNITS; buyer += 1) await buy(`${sku}-${buyer}`, sku, `203.0.113.${buyer}`);
    expect((await buy("LATE", sku, "203.0.113.99")).body).toMatchObject({ reason: "sold-out" });
    await page.getByRole("button", { name: `${tell("goods.restock")} ${sku}` }).click();
    await dialog.getByLabel(tell("goods.restockBy")).fill("4");
    await dialog.getByRole("button", { name: tell("goods.restock") }).click();
    await waitFor(async () => (await availableOf(sku)) === 4, "what was stocked can be bought");
    await picture("sales");

    // It is seen while it happens.
    await go(page, "now");
    await page.getByText(tell("now.invariantHolding")).waitFor();
    await page
      .getByRole("heading", { name: new RegExp(sku) })
      .first()
      .waitFor();
    expect(await barriers(page)).toEqual([]);
    await picture("now");

    // Somebody is kept out, and let in again.
    const address = `198.51.100.${size.length + tongue.charCodeAt(0)}`;
    await go(page, "protection");
    await page.getByRole("button", { name: tell("protection.add") }).click();
    await dialog.getByLabel(tell("protection.value")).fill(address);
    await dialog.getByLabel(tell("protection.note")).fill("seen by hand");
    await dialog.getByRole("button", { name: tell("frame.save") }).click();
    const row = page.getByRole("row", { name: new RegExp(address.replaceAll(".", "\\.")) }).last();
    await row.waitFor();
    expect((await buy("BLOCKED", sku, address)).body).toMatchObject({ reason: "blacklisted" });
    expect(await barriers(page)).toEqual([]);
    await picture("protection");
    await row.getByRole("button", { name: tell("protection.release") }).click();
    if (await dialog.isVisible()) await dialog.getByRole("button", { name: tell("protection.release") }).click();
    await waitFor(async () => (await buy(`FREE-${sku}`, sku, address)).body !== undefined && !(await isListed(address)), "it is released");

    // Why was this shopper refused?
    await go(page, "trace");
    await page.getByLabel(tell("trace.userID"), { exact: true }).fill("LATE");
    await page.getByRole("button", { name: tell("trace.search") }).click();
    await page.getByText(tell("reason.sold-out")).and(page.locator(":not(option)")).first().waitFor();
    expect(await barriers(page)).toEqual([]);
    await picture("trace");

    await go(page, "orders");
    await page.getByRole("heading", { level: 1, name: tell("orders.title") }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await picture("orders");

    await go(page, "trail");
    await page.getByText(OPERATOR).nth(1).waitFor();
    expect(await barriers(page)).toEqual([]);
    await picture("trail");

    await go(page, "report");
    await page.getByRole("button", { name: new RegExp(`^${name}`) }).click();
    await page.getByRole("heading", { name: `${tell("report.sellOut")}: ${sku}` }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await picture("report");
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("says when it has lost the system, and goes on when that is back", async () => {
    const { page, tell } = await open("desktop", "en");
    let isAway = false;
    let cut: (() => Promise<void>) | null = null;
    await page.routeWebSocket("**/live", async (socket) => {
      if (isAway) return socket.close();
      socket.connectToServer();
      cut = () => {
        isAway = true;
        return socket.close();
      };
    });
    await signIn(page, tell);
    await page.getByText(tell("now.invariantHolding")).waitFor();
    await (cut as (() => Promise<void>) | null)?.();
    await page.getByText(tell("frame.lost")).waitFor();
    isAway = false;
    await page.getByText(tell("frame.live"), { exact: true }).waitFor();
    await page.context().close();
  });

  async function availableOf(sku: string): Promise<number> {
    const { body } = await getJson(`${system.inventory}/sku/${sku}`, BEARER);
    return (body as { availableQuantity: number }).availableQuantity;
  }
  async function isListed(address: string): Promise<boolean> {
    return ((await getJson(`${system.protector}/badip/clientip/${address}`, BEARER)).body as { isBadIP: boolean }).isBadIP;
  }
});
