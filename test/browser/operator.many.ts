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

    // A list from elsewhere is taken over; what is no address on it is named.
    const [listed, ranged] = [`192.0.2.${size.length + tongue.charCodeAt(0)}`, `198.18.${size.length + tongue.charCodeAt(0)}.0/24`];
    await page.getByRole("button", { name: tell("protection.import") }).click();
    await dialog.getByRole("button", { name: tell("protection.importSubmit") }).click();
    await dialog.getByText(tell("protection.importNothing")).waitFor();
    await dialog.getByLabel(tell("protection.importLines")).fill(`# seen elsewhere\n${listed}\nnonsense <b>\n${ranged} ; a note\n`);
    await dialog.getByLabel(tell("protection.note")).fill("from a list");
    expect(await barriers(page)).toEqual([]);
    await picture("import");
    await dialog.getByRole("button", { name: tell("protection.importSubmit") }).click();
    const result = page.getByRole("region", { name: tell("protection.imported") });
    await result.getByText(tell("protection.importedCounts", { lines: 4, added: 2, replaced: 0, kept: 0 })).waitFor();
    await result.getByText(tell("protection.importedBad", { count: 1 })).waitFor();
    expect(await result.getByRole("listitem").allInnerTexts()).toEqual([`${tell("protection.importedLine", { line: 3 })} nonsense <b>`]);
    for (const value of [listed, ranged]) await page.getByRole("row", { name: new RegExp(value.replaceAll(".", "\\.")) }).waitFor();
    expect((await buy("LISTED", sku, listed)).body).toMatchObject({ reason: "blacklisted" });
    expect(await barriers(page)).toEqual([]);
    await picture("imported");
    await result.getByRole("button", { name: tell("frame.close") }).click();
    await result.waitFor({ state: "detached" });

    // Another one from a file, of accounts, who are only watched.
    await page.getByRole("button", { name: tell("protection.import") }).click();
    await dialog.getByLabel(tell("protection.importWhat")).selectOption({ label: tell("protection.importAccounts") });
    await dialog.getByLabel(tell("protection.action")).selectOption({ label: tell("action.observe") });
    const file = { name: "accounts.txt", mimeType: "text/plain", buffer: Buffer.from(`WATCHED-${sku}\r\n`) };
    await dialog.getByLabel(tell("protection.importFile")).setInputFiles(file);
    await dialog.getByRole("button", { name: tell("protection.importSubmit") }).click();
    await result.getByText(tell("protection.importedCounts", { lines: 1, added: 1, replaced: 0, kept: 0 })).waitFor();
    await page.getByRole("row", { name: new RegExp(`WATCHED-${sku}`) }).waitFor();

    // Why was this shopper refused?
    await go(page, "trace");
    await page.getByLabel(tell("trace.userID"), { exact: true }).fill("LATE");
    await page.getByRole("button", { name: tell("trace.search") }).click();
    await page.getByText(tell("reason.sold-out")).and(page.locator(":not(option)")).first().waitFor();
    expect(await barriers(page)).toEqual([]);
    await picture("trace");

    // What became of the orders, state by state.
    const orderIDs = {
      paid: await order(`${sku}-0`, "pay"),
      "refund-due": await order(`${sku}-1`, "wrong-amount"),
      cancelled: await order(`${sku}-2`, "cancel"),
      "payment-pending": await order(`${sku}-3`, null),
    } as const;
    await go(page, "orders");
    for (const orderID of Object.values(orderIDs))
      await page
        .getByRole("row", { name: new RegExp(orderID) })
        .first()
        .waitFor();
    await picture("orders");
    const states = page.getByRole("group", { name: tell("orders.show") });
    const list = page.getByRole("region", { name: tell("orders.all") });
    for (const [state, orderID] of Object.entries(orderIDs)) {
      await states.getByRole("button", { name: tell(`orderState.${state as keyof typeof orderIDs}`), exact: true }).click();
      const others = Object.values(orderIDs).filter((one) => one !== orderID);
      await waitFor(async () => {
        const shown = await list.innerText();
        return shown.includes(orderID) && !others.some((other) => shown.includes(other));
      }, `only what is ${state} is listed`);
    }
    await states.getByRole("button", { name: tell("orders.paidLate") }).click();
    await page.getByText(tell("orders.noneInState")).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.goBack();
    await list.getByRole("link", { name: orderIDs["payment-pending"] }).click();
    const found = page.getByRole("article", { name: orderIDs["payment-pending"] });
    await found.getByRole("button", { name: tell("orders.cancel") }).click();
    await dialog.getByRole("button", { name: tell("orders.cancel") }).click();
    await found.getByText(tell("orderState.cancelled"), { exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await picture("order");

    await go(page, "trail");
    await page.getByText(OPERATOR).nth(1).waitFor();
    // Also the order that was cancelled here, and not the one that was cancelled otherwise.
    await page.getByText("cancelOrder").first().click();
    await page.getByRole("definition").getByText(orderIDs["payment-pending"]).first().waitFor();
    expect(await page.getByText(orderIDs.cancelled).count()).toBe(0);
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

  test("looks back through older orders with the keyboard, and says what is there", async () => {
    const goodsSKU = "OLD-SHOES";
    await postJson(`${system.inventory}/add`, { goodsSKU, goodsQuantity: 60, goodsPrice: 5 }, BEARER);
    const ids: string[] = [];
    for (let buyer = 0; buyer < 60; buyer += 1) {
      const userID = `OLD-${buyer}`;
      await postJson(`${system.cart}/add`, { sessionID: "s", userID, goodsSKU, goodsQuantity: 1, totalQuantity: 0, quantityLimit: 0 });
      ids.push(await order(userID, null));
    }
    const { page, faults, tell } = await open("phone", "en");
    await signIn(page, tell);
    await go(page, "orders");
    await page.getByText(ids[59] as string).waitFor();
    expect(await page.getByText(ids[9] as string).count()).toBe(0);
    await page.getByRole("button", { name: tell("orders.older") }).press("Enter");
    await page.getByText(ids[9] as string).waitFor();
    expect(await page.getByText(ids[10] as string).count()).toBe(0);
    expect(await page.locator("[role=status]:focus").count()).toBe(1);
    await page.getByRole("button", { name: tell("orders.newest") }).press("Enter");
    await page.getByText(ids[59] as string).waitFor();
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

  /** An order of all that they hold, and what becomes of it. @returns its id */
  async function order(userID: string, end: "pay" | "wrong-amount" | "cancel" | null): Promise<string> {
    const { status, body } = await postJson(`${system.cart}/orders`, { userID }, BEARER);
    expect(status).toBe(201);
    const { orderID, payment } = body as { readonly orderID: string; readonly payment: { readonly redirectUrl: string } };
    const cancelUrl = `${system.cart}/orders/${orderID}/cancel`;
    if (end === "cancel") expect((await postJson(cancelUrl, {}, BEARER)).status).toBe(200);
    else if (end !== null) expect((await fetch(`${payment.redirectUrl}&choice=${end}`, { method: "POST" })).ok).toBe(true);
    return orderID;
  }
  async function availableOf(sku: string): Promise<number> {
    const { body } = await getJson(`${system.inventory}/sku/${sku}`, BEARER);
    return (body as { availableQuantity: number }).availableQuantity;
  }
  async function isListed(address: string): Promise<boolean> {
    return ((await getJson(`${system.protector}/badip/clientip/${address}`, BEARER)).body as { isBadIP: boolean }).isBadIP;
  }
});
