/** A drop as a shopper sees it, in a real browser: from the countdown to the paid order, on a phone and at a desk, in both languages. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { getJson, postJson, type System, startSystem } from "../system.ts";
import { waitFor } from "../wait.ts";
import { barriers, hasChromium, keepPicture, type Language, NEEDS_CHROMIUM, openBrowser, openWindow, type Size } from "./browser.ts";

const UNITS = 5;
/** Enough to open the page and see it count down. */
const STARTS_AFTER_MS = 8_000;
const HOUR_MS = 3_600_000;

const WORDS = {
  en: {
    notYet: /^Not yet/,
    buy: /^Buy/,
    inCart: /^In your cart/,
    checkOut: /^Check out/,
    pay: /^Pay$/,
    back: "Back to the shop",
    paid: "Paid. It is yours.",
    yours: "The goods are yours",
    soldOut: "Sold out for now",
  },
  zh: {
    notYet: /^尚未开始/,
    buy: /^立即抢购/,
    inCart: /^已在购物车中/,
    checkOut: /^去结算/,
    pay: /^支付$/,
    back: "返回商店",
    paid: "已付款，商品归您所有。",
    yours: "抢购成功",
    soldOut: "暂时售罄",
  },
} as const;

describe.skipIf(!hasChromium)(`a drop in a browser ${hasChromium ? "" : NEEDS_CHROMIUM}`, () => {
  let system: System;
  let browser: Browser;
  beforeAll(async () => {
    system = await startSystem({ args: ["--demo", "--sale-availability", "exact"] });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await system?.stop();
  });

  let sales = 0;
  async function announce(startsAfterMs: number): Promise<string> {
    sales += 1;
    const sku = `DROP-${sales}`;
    const now = Date.now();
    const [startsAt, endsAt] = [new Date(now + startsAfterMs).toISOString(), new Date(now + HOUR_MS).toISOString()];
    await postJson(`${system.inventory}/add`, { goodsSKU: sku, goodsQuantity: UNITS, goodsPrice: 99.9 });
    const items = [{ goodsSKU: sku, salePrice: 49.9, quantityLimit: 1 }];
    const { status } = await postJson(`${system.policy}/sales`, { id: `sale-${sales}`, name: `Drop ${sales}`, startsAt, endsAt, items });
    expect(status).toBe(201);
    return sku;
  }
  const frozen = async (sku: string): Promise<number> =>
    ((await getJson(`${system.inventory}/sku/${sku}`)).body as { frozenQuantity: number }).frozenQuantity;
  const goodsOf = (page: Page, sku: string) =>
    page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: sku, exact: true }) });
  async function open(size: Size, language: Language, colours: "light" | "dark" = "light") {
    const window = await openWindow(browser, size, language, colours);
    await window.page.goto(`${system.gate}/shop`);
    return window;
  }
  async function somebodyElseBuys(sku: string): Promise<void> {
    const who = { userID: `OTHER-${Math.random()}`, userLevel: 5, clientIP: "202.100.100.7" };
    expect((await postJson(`${system.gate}/buy`, { ...who, goodsSKU: sku, goodsQuantity: 1 })).body).toMatchObject({ repResult: true });
  }

  test.each([
    ["phone", "en", "light"],
    ["phone", "zh", "dark"],
    ["desktop", "en", "dark"],
    ["desktop", "zh", "light"],
  ] as const)("on a %s, in %s (%s): countdown, purchase, cart, payment, paid order", async (size, language, colours) => {
    const words = WORDS[language];
    const name = (what: string): string => `shop-${size}-${language}-${what}`;
    const sku = await announce(STARTS_AFTER_MS);
    const { page, faults } = await open(size, language, colours);
    const goods = goodsOf(page, sku);
    const button = goods.getByRole("button");
    await goods.waitFor();
    expect(await button.textContent()).toMatch(words.notYet);
    expect(await button.isDisabled()).toBe(true);
    expect(await barriers(page)).toEqual([]);
    await keepPicture(page, name("1-countdown"));

    await waitFor(
      async () => (await button.isEnabled()) && words.buy.test((await button.textContent()) ?? ""),
      "the sale begins on the page",
    );
    await somebodyElseBuys(sku);
    await waitFor(async () => (await goods.textContent())?.includes(String(UNITS - 1)) === true, "somebody else's purchase is seen");

    // With the keyboard, and twice.
    await button.focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await goods.getByText(words.yours).waitFor();
    await waitFor(async () => words.inCart.test((await button.textContent()) ?? ""), "the button says where it is");
    expect(await frozen(sku)).toBe(2);
    expect(await barriers(page)).toEqual([]);
    await keepPicture(page, name("2-bought"));

    await page.getByRole("button", { name: words.checkOut }).click();
    await page.getByRole("button", { name: words.pay }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await keepPicture(page, name("3-pay"));
    await page.getByRole("button", { name: words.pay }).click();
    await page.getByRole("link", { name: words.back }).click();
    await page.getByText(words.paid).waitFor();
    expect(await barriers(page)).toEqual([]);
    await keepPicture(page, name("4-paid"));
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("a purchase whose answer is lost is asked for again, and made once", async () => {
    const sku = await announce(0);
    const { page } = await open("desktop", "en");
    let lost = 0;
    await page.route("**/buy", async (route) => {
      lost += 1;
      // The shop hears the first two, and the page hears nothing of them.
      if (lost > 2) return route.continue();
      await route.fetch();
      await route.abort();
    });
    await goodsOf(page, sku).getByRole("button").click();
    await goodsOf(page, sku).getByText(WORDS.en.yours).waitFor();
    expect([lost, await frozen(sku)]).toEqual([3, 1]);
    await page.context().close();
  });

  test("a page that is left while it buys asks for the answer when it is opened again, and buys nothing twice", async () => {
    const sku = await announce(0);
    const { page } = await open("desktop", "en");
    const reached = Promise.withResolvers<void>();
    await page.route("**/buy", async (route) => {
      await route.fetch();
      reached.resolve();
      // Its answer never comes.
    });
    await goodsOf(page, sku).getByRole("button").click();
    await reached.promise;
    await page.goto("about:blank");
    await page.unroute("**/buy");
    await page.goto(`${system.gate}/shop`);
    await goodsOf(page, sku).getByText(WORDS.en.yours).waitFor();
    expect(await frozen(sku)).toBe(1);
    await page.context().close();
  });

  test("who comes too late is told so, and buys when goods come back", async () => {
    const sku = await announce(0);
    const { page, faults } = await open("phone", "en");
    await goodsOf(page, sku).waitFor();
    const buyers = Array.from({ length: UNITS }, (_, index) => ({ userID: `FAST-${index}`, userLevel: 5, clientIP: "202.100.100.8" }));
    for (const who of buyers) await postJson(`${system.gate}/buy`, { ...who, goodsSKU: sku, goodsQuantity: 1 });
    await goodsOf(page, sku).getByText(WORDS.en.soldOut).waitFor();
    expect(await goodsOf(page, sku).getByRole("button").isDisabled()).toBe(true);
    await keepPicture(page, "shop-phone-en-sold-out");
    await fetch(`${system.gate}/cart/${sku}?userID=FAST-0`, { method: "DELETE" });
    await waitFor(() => goodsOf(page, sku).getByRole("button").isEnabled(), "what came back can be bought");
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("goods that are given back are free for others at once", async () => {
    const sku = await announce(0);
    const { page } = await open("desktop", "en");
    await goodsOf(page, sku).getByRole("button").click();
    await page.getByRole("button", { name: `Give back ${sku}` }).click();
    await waitFor(async () => (await frozen(sku)) === 0, "it is free again");
    await page.context().close();
  });
});
