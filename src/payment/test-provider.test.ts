/** The demo's pay page over HTTP: a shopper's browser on one side, the shop's own way for notifications on the other. */
import { afterEach, describe, expect, test } from "bun:test";
import { Failure } from "../core/failure.ts";
import type { OrderId } from "../core/ids.ts";
import { HttpServer } from "../edge/http-server.ts";
import type { Payment } from "../ledger/ledger.ts";
import { takeNotification } from "./notifications.ts";
import type { PayableOrder } from "./pay-page.ts";
import type { Providers } from "./provider.ts";
import { decideSettlement } from "./settlement.ts";
import { Signer } from "./signed-text.ts";
import { payPageRoutes, TestProvider } from "./test-provider.ts";

const SECRET = Buffer.from("thirty-two bytes of this process").toString("base64");
const ID = "O-<1>&2" as OrderId;

const servers: HttpServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.abort();
});

/** The demo with one order. What it does with a notice is what a shop does, less the goods. */
class Demo {
  readonly provider: TestProvider;
  readonly url: string;
  readonly settled: string[] = [];
  order: PayableOrder = { state: "payment-pending", items: [{ sku: "SKU<1>", quantity: 2, priceCents: 4_995 }], payment: null };
  failure: Failure | null = null;
  readonly #now = Date.now();

  constructor() {
    const clock = { now: () => this.#now, monotonicUs: () => 0 };
    this.provider = new TestProvider({
      gateUrl: "http://gate.example:8080",
      secret: SECRET,
      order: (id) => (id === ID ? this.order : null),
      notify: (notification) =>
        takeNotification(this.providers, notification, async (notice) => {
          if (this.failure) throw this.failure;
          if (notice.kind === "failed") this.settled.push(`failed ${notice.orderId}`);
          else this.#settle(notice.payment);
          return null;
        }),
      clock,
    });
    const routes = payPageRoutes(this.provider);
    const server = new HttpServer({
      host: "127.0.0.1",
      port: 0,
      routes,
      adminKey: null,
      onBug: (error) => expect(error).toBeUndefined(),
      onReply: () => undefined,
    });
    servers.push(server);
    this.url = `http://127.0.0.1:${server.port}`;
  }

  get providers(): Providers {
    return new Map([[this.provider.name, this.provider]]);
  }

  #settle(payment: Payment): void {
    const decision = decideSettlement(this.order, payment, "eur");
    this.settled.push(decision.kind === "pay" ? `pay ${decision.isAmountRight}` : decision.kind);
    if (decision.kind === "pay") this.order = { ...this.order, state: decision.isAmountRight ? "paid" : "refund-due", payment };
  }

  /** The address of the pay page, on this server. */
  async address(orderId = ID): Promise<string> {
    const { redirectUrl = "" } = await this.provider.start({ orderId, amountCents: 9_990, currency: "eur", payUntil: this.#now + 299_500 });
    expect(redirectUrl).toStartWith("http://gate.example:8080/pay/");
    return redirectUrl.replace("http://gate.example:8080", this.url);
  }

  async open(address: string, language = "en"): Promise<{ status: number; html: string; headers: Headers }> {
    const response = await fetch(address, { headers: { "accept-language": language } });
    return { status: response.status, html: await response.text(), headers: response.headers };
  }

  /** Presses the button of this number, as a browser would, and follows to the page that comes then. */
  async press(button: number): Promise<string> {
    const address = await this.address();
    const actions = [...(await this.open(address)).html.matchAll(/formaction="([^"]+)"/g)].map((match) => match[1] as string);
    const action = new URL((actions[button] as string).replaceAll("&amp;", "&"), address);
    const form = { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "" };
    return await (await fetch(action, form)).text();
  }
}

const PAY = 0;
const DECLINE = 1;
const PAY_WRONG = 2;

describe("the demo's pay page", () => {
  test("shows what is paid and the time left, with buttons for every outcome, in English and in Chinese", async () => {
    const demo = new Demo();
    const english = await demo.open(await demo.address());
    expect(english.status).toBe(200);
    expect(english.headers.get("content-type")).toBe("text/html; charset=utf-8");
    for (const text of ["€99.90", "€49.95", "<td>2</td>", "5:00", '<html lang="en">', "Pay</button>"]) expect(english.html).toContain(text);
    expect(english.html.match(/<button /g)).toHaveLength(3);
    const chinese = await demo.open(await demo.address(), "zh-CN");
    for (const text of ['<html lang="zh">', "支付订单", "5:00"]) expect(chinese.html).toContain(text);
  });

  test("loads itself again when the time is over, also without scripts, and then no longer", async () => {
    const demo = new Demo();
    const refresh = /<meta http-equiv="refresh" content="(\d+)">/;
    // 299.5 seconds are left: a second later the order has expired.
    expect(refresh.exec((await demo.open(await demo.address())).html)?.[1]).toBe("301");
    for (const state of ["paid", "expired", "cancelled", "refund-due"] as const) {
      demo.order = { ...demo.order, state };
      expect({ state, refresh: refresh.exec((await demo.open(await demo.address())).html) }).toEqual({ state, refresh: null });
    }
    expect(refresh.exec((await demo.open(await demo.address("O-2" as OrderId))).html)).toBeNull();
  });

  test("names a column's prices and its sum for what they are, the sum under the prices", async () => {
    const demo = new Demo();
    const headings = async (language: string): Promise<string[]> =>
      [...(await demo.open(await demo.address(), language)).html.matchAll(/<th [^>]*>([^<]*)</g)].map((match) => match[1] as string);
    expect(await headings("en")).toEqual(["Goods", "Quantity", "Price each", "To pay"]);
    expect(await headings("zh")).toEqual(["商品", "数量", "单价", "应付金额"]);
    demo.order = { ...demo.order, state: "paid" };
    expect([(await headings("en")).at(-1), (await headings("zh")).at(-1)]).toEqual(["Total", "合计"]);
    // By place and not by tag: the sum stands behind a heading, the prices behind cells.
    expect((await demo.open(await demo.address())).html).toContain("tr > * + * { text-align: right;");
  });

  test("shows an order's text as text, runs nothing but its own script, and cannot be framed or cached", async () => {
    const demo = new Demo();
    const { html, headers } = await demo.open(await demo.address());
    expect(html).toContain("SKU&lt;1&gt;");
    expect(html).not.toContain("SKU<1>");
    expect(html).toContain("O-&lt;1&gt;&amp;2");
    const policy = headers.get("content-security-policy") ?? "";
    for (const [tag, rule] of [
      ["style", "style-src"],
      ["script", "script-src"],
    ] as const) {
      const content = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(html)?.[1] ?? "";
      expect(policy).toContain(`${rule} 'sha256-${new Bun.CryptoHasher("sha256").update(content).digest("base64")}'`);
    }
    expect(policy).toContain("frame-ancestors 'none'");
    expect(headers.get("cache-control")).toBe("no-store");
  });

  test("pays: the shop hears a signed notification, and the page says that it is paid and offers nothing more", async () => {
    const demo = new Demo();
    const html = await demo.press(PAY);
    expect(demo.settled).toEqual(["pay true"]);
    expect(demo.order).toMatchObject({ state: "paid", payment: { provider: "test", amountCents: 9_990, currency: "eur" } });
    expect(html).toContain("Paid. The goods are yours");
    expect(html).not.toContain("<button");
  });

  test("declines: the order stays as it is, and the shopper may try again", async () => {
    const demo = new Demo();
    const html = await demo.press(DECLINE);
    expect(demo.settled).toEqual([`failed ${ID}`]);
    expect(html).toContain("The payment was declined");
    await demo.press(PAY);
    expect(demo.order.state).toBe("paid");
  });

  test("pays the wrong amount: the money goes back", async () => {
    const demo = new Demo();
    const html = await demo.press(PAY_WRONG);
    expect(demo.settled).toEqual(["pay false"]);
    expect(html).toContain("The money goes back to you");
  });

  test("pays late when asked to, for that is a thing to see", async () => {
    const demo = new Demo();
    demo.order = { ...demo.order, state: "expired" };
    expect((await demo.open(await demo.address())).html).toContain("too late");
    await demo.press(PAY);
    expect(demo.settled).toEqual(["pay true"]);
  });

  test("pays once, however often its button is pressed", async () => {
    const demo = new Demo();
    const address = await demo.address();
    const action = `${address}&choice=pay`;
    await Promise.all([fetch(action, { method: "POST" }), fetch(action, { method: "POST" })]);
    expect(demo.settled).toEqual(["pay true", "nothing"]);
  });

  test("says that the shop could not take the payment, instead of an error that no shopper understands", async () => {
    const demo = new Demo();
    demo.failure = new Failure("store-stopped", "the store is closed", true);
    expect(await demo.press(PAY)).toContain("you will not pay twice");
  });

  test("opens for nobody without the signed address: not with another amount, not for another order", async () => {
    const demo = new Demo();
    const address = await demo.address();
    const other = (await demo.address("O-2" as OrderId)).replace("O-2", encodeURIComponent(ID));
    for (const wrong of [address.replace("amountCents=9990", "amountCents=1"), address.replace("currency=eur", "currency=usd"), other]) {
      expect((await demo.open(wrong)).status).toBe(403);
      expect((await fetch(`${wrong}&choice=pay`, { method: "POST" })).status).toBe(403);
    }
    expect((await demo.open(await demo.address("O-2" as OrderId))).status).toBe(404);
    expect((await demo.open(`${address.replace(/signature=[^&]*/, "signature=")}`)).status).toBe(403);
    expect(demo.settled).toEqual([]);
  });
});

describe("a notification", () => {
  const settleNothing = (): Promise<null> => Promise.resolve(null);

  test("of a provider that is not configured is 404, one that does not verify 400, and neither reaches an order", async () => {
    const demo = new Demo();
    let settled = 0;
    const take = (provider: string): Promise<number> =>
      takeNotification(demo.providers, { provider, rawBody: "{}", headers: new Headers() }, async () => {
        settled += 1;
        return null;
      }).then(({ status }) => status);
    expect(await take("nobody")).toBe(404);
    expect(await take("test")).toBe(400);
    expect(settled).toBe(0);
  });

  test("that asks for what cannot be is told so, and comes again, so that somebody sees it", async () => {
    const demo = new Demo();
    const rawBody = JSON.stringify({ type: "payment.failed", data: { orderID: ID } });
    const headers = new Headers(new Signer([SECRET]).headersFor(rawBody, "m-1", Date.now()));
    const reply = await takeNotification(demo.providers, { provider: "test", rawBody, headers }, async () => ({ refusal: "used before" }));
    expect(reply).toMatchObject({ status: 409, body: expect.stringContaining("used before") });
  });

  test("that could not be made durable fails, so that it comes again", async () => {
    const demo = new Demo();
    const rawBody = JSON.stringify({ type: "payment.failed", data: { orderID: ID } });
    const headers = new Headers(new Signer([SECRET]).headersFor(rawBody, "m-1", Date.now()));
    const notification = { provider: "test", rawBody, headers };
    const failure = new Failure("commit-failed", "the disk is full", false);
    await expect(takeNotification(demo.providers, notification, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(await takeNotification(demo.providers, notification, settleNothing)).toMatchObject({ status: 200 });
  });
});
