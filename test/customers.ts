/**
 * Customers who buy, order and pay all the time, over every gate, and ask again with the same key until they are told: whatever happened meanwhile,
 * what they have paid for is sold, once.
 */

import { expect } from "bun:test";
import { stocked } from "./crowd.ts";
import { notifyPaid, type OrderBody } from "./drop.ts";
import type { Pairs } from "./pairs.ts";
import { getJson, type JsonReply, postJson } from "./system.ts";
import { waitFor } from "./wait.ts";

const AT_A_TIME = 6;
const STOCK = 100_000;
const PATIENCE_MS = 20;

export class Customers {
  /** Ids of orders whose provider was told that their money has come, by customer. */
  readonly paid = new Map<string, string>();
  /** How often which request was answered with what: `order 503`. */
  readonly answers = new Map<string, number>();
  /** What those were told who did not get the goods, or were told that they have them and then that there is nothing to order. */
  readonly refusals: string[] = [];
  readonly #pairs: Pairs;
  readonly #sku: string;
  #came = 0;
  #isEnough = false;
  #running: Promise<unknown> = Promise.resolve();

  private constructor(pairs: Pairs, sku: string) {
    this.#pairs = pairs;
    this.#sku = sku;
  }

  static async come(pairs: Pairs, sku: string): Promise<Customers> {
    const customers = new Customers(pairs, sku);
    await stocked(pairs, sku, STOCK);
    const worker = async (): Promise<void> => {
      while (!customers.#isEnough) await customers.#buyAndPay();
    };
    customers.#running = Promise.all(Array.from({ length: AT_A_TIME }, worker));
    return customers;
  }

  /** Resolves when so many more have paid. */
  async more(count: number): Promise<void> {
    const before = this.paid.size;
    await waitFor(() => this.paid.size >= before + count, `${count} more customers have paid`, 60_000);
  }

  /** Nobody new comes; resolves when everybody has paid. */
  async leave(): Promise<void> {
    this.#isEnough = true;
    await this.#running;
  }

  count(answer: string): number {
    return this.answers.get(answer) ?? 0;
  }

  /** Everything that was paid for is sold, and nothing else. */
  async expectTrue(): Promise<void> {
    expect(this.paid.size).toBeGreaterThan(0);
    const goods = async () => (await getJson(`${this.#pairs.inventory}/sku/${this.#sku}`)).body;
    const sold = { goodsQuantity: STOCK - this.paid.size, frozenQuantity: 0 };
    // What a replaced Redis lacks is given back within seconds.
    await waitFor(async () => Bun.deepMatch(sold, (await goods()) ?? {}), `${JSON.stringify(sold)} is left`, 10_000).catch(() => undefined);
    expect(await goods()).toMatchObject(sold);
    await this.#expectOrdersPaid();
  }

  /** The same where holds may be lost, or come back: what is frozen belongs to nobody who has paid. */
  async expectPaid(): Promise<void> {
    expect(this.paid.size).toBeGreaterThan(0);
    const goodsQuantity = STOCK - this.paid.size;
    const goods = async () => (await getJson(`${this.#pairs.inventory}/sku/${this.#sku}`)).body as object | undefined;
    await waitFor(async () => Bun.deepMatch({ goodsQuantity }, (await goods()) ?? {}), `${goodsQuantity} are left`, 10_000).catch(
      () => undefined,
    );
    expect(await goods()).toMatchObject({ goodsQuantity });
    await this.#expectOrdersPaid();
  }

  async #expectOrdersPaid(): Promise<void> {
    for (const [userID, orderID] of this.paid) {
      const { body } = await getJson(`${this.#pairs.gate}/orders/${orderID}?userID=${userID}`);
      expect(body).toMatchObject({ orderID, userID, state: "paid" });
    }
  }

  async #buyAndPay(): Promise<void> {
    const userID = `customer-of-${this.#sku}-${this.#came}`;
    this.#came += 1;
    const wish = { clientIP: "10.0.0.8", userID, userLevel: 5, goodsSKU: this.#sku, goodsQuantity: 1 };
    const bought = await this.#untilTold("buy", (gate) => postJson(`${gate}/buy`, wish, { "idempotency-key": `buy-${userID}` }));
    if (!(bought.body as { repResult: boolean }).repResult) {
      this.refusals.push(`${userID}: ${bought.text}`);
      return;
    }
    const placed = await this.#untilTold("order", (gate) =>
      postJson(`${gate}/orders`, { userID }, { "idempotency-key": `order-${userID}` }),
    );
    if (placed.status === 409 || placed.status === 404) {
      this.refusals.push(`${userID}: ${placed.text}`);
      return;
    }
    const order = placed.body as OrderBody;
    await this.#untilTold("pay", (gate) => notifyPaid({ gate }, order, `payment-of-${order.orderID}`));
    this.paid.set(userID, order.orderID);
  }

  async #untilTold(what: string, ask: (gate: string) => Promise<JsonReply>): Promise<JsonReply> {
    for (let attempt = this.#came; ; attempt += 1) {
      const reply = await ask(this.#pairs.gates[attempt % 2] as string).catch(() => null);
      const answer = `${what} ${reply?.status ?? "cut"}`;
      this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
      // A key whose first request is under way has no answer yet, and so no reason.
      const isInFlight = reply?.status === 409 && (reply.body as { reason?: string }).reason === undefined;
      if (reply && reply.status < 500 && !isInFlight) return reply;
      await Bun.sleep(PATIENCE_MS);
    }
  }
}
