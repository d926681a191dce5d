/**
 * A system is killed again and again between any two steps of place, pay and event. Some pay the wrong amount, some cancel and pay all the same. After
 * each restart everybody asks again what they were cut off from, with the same key; and at the end no money is without goods or a refund, no goods
 * went twice, and everything that happened was told once.
 */
import { afterAll, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { seededRandom } from "../src/stampede/arrivals.ts";
import { allEvents, notifyPaid, type OrderBody, PAYMENT_SECRET } from "./drop.ts";
import { freshDataDir, getJson, type JsonReply, postJson, type System, startSystem } from "./system.ts";

const MAIN = `${import.meta.dir}/../src/main.ts`;
const ARGS = ["--generic-pay-url", "https://pay.example/{orderID}", "--generic-secrets", PAYMENT_SECRET, "--payment-window", "1h"];
const SKU = "CRASH-1";
const STOCK = 400;
const KILLS = 8;
const SHOPPERS_AT_A_TIME = 24;
const random = seededRandom(20_261_122);

const dataDir = freshDataDir();
let system: System;
afterAll(async () => {
  await system.kill();
  rmSync(dataDir, { recursive: true, force: true });
});

type Step = "buy" | "place" | "cancel" | "pay" | "done";
/** Most pay what they owe. */
type Manner = "pays" | "pays too little" | "cancels first";
const MANNERS: readonly Manner[] = ["pays", "pays", "pays too little", "pays", "cancels first", "pays", "pays"];

/** One shopper on the way from the purchase to the paid order. What was answered is behind them; what was cut off, they ask again. */
class Way {
  step: Step = "buy";
  order: OrderBody | null = null;
  isRefused = false;
  readonly userID: string;
  readonly manner: Manner;

  constructor(index: number) {
    this.userID = `shopper-${index}`;
    this.manner = MANNERS[index % MANNERS.length] as Manner;
  }

  async take(): Promise<void> {
    if (this.step === "buy") {
      const body = { userID: this.userID, userLevel: 1, clientIP: "10.0.0.1", goodsSKU: SKU, goodsQuantity: 1 };
      const reply = await postJson(`${system.gate}/buy`, body, { "idempotency-key": `buy-${this.userID}` });
      if (reply.status === 503) return;
      this.isRefused = !(reply.body as { repResult: boolean }).repResult;
      this.step = this.isRefused ? "done" : "place";
    } else if (this.step === "place") {
      const reply = await postJson(`${system.gate}/orders`, { userID: this.userID }, { "idempotency-key": `order-${this.userID}` });
      if (reply.status === 503) return;
      expect([reply.status, reply.text]).toEqual([201, expect.any(String)]);
      this.order = reply.body as OrderBody;
      this.step = this.manner === "cancels first" ? "cancel" : "pay";
    } else if (this.step === "cancel") {
      const reply = await postJson(`${system.gate}/orders/${this.order?.orderID}/cancel`, { userID: this.userID });
      if (reply.status === 503) return;
      expect([reply.status, reply.text]).toEqual([200, expect.any(String)]);
      this.step = "pay";
    } else if (this.step === "pay") {
      const amount = this.manner === "pays too little" ? 9.99 : 10;
      const reply = await notifyPaid(system, this.order as OrderBody, `pay-${this.userID}`, amount);
      if (reply.status === 503) return;
      expect([reply.status, reply.text]).toEqual([200, expect.any(String)]);
      this.step = "done";
    }
  }
}

/** Shoppers go their ways together until `answers` answers have come, and then the system is killed under them. */
async function goUntilKilled(ways: readonly Way[], answers: number): Promise<void> {
  let heard = 0;
  let killed: Promise<void> | null = null;
  const open = ways.filter(({ step }) => step !== "done");
  let next = 0;
  const worker = async (): Promise<void> => {
    while (!killed && next < open.length) {
      const way = open[next++] as Way;
      while (!killed && way.step !== "done") {
        try {
          await way.take();
          heard += 1;
        } catch (error) {
          // Cut off: the outcome is unknown, and the same key is asked again after the restart.
          if (!killed || !isConnectionFault(error)) throw error;
        }
        if (heard >= answers && !killed) killed = system.kill();
      }
    }
  };
  await Promise.all(Array.from({ length: SHOPPERS_AT_A_TIME }, worker));
  await (killed ?? system.kill());
}

const isConnectionFault = (error: unknown): boolean => /connect|socket|reset|closed|refused|Unable/i.test(String(error));
const start = async (): Promise<void> => {
  system = await startSystem({ args: ARGS, dataDir });
};

test("SIGKILL between any two steps of place, pay and event", async () => {
  await start();
  await postJson(`${system.inventory}/add`, { goodsSKU: SKU, goodsQuantity: STOCK, goodsPrice: 10 });
  const ways = Array.from({ length: STOCK + 60 }, (_, index) => new Way(index));
  for (let kill = 0; kill < KILLS; kill += 1) {
    await goUntilKilled(ways, 20 + Math.floor(random() * 150));
    await start();
  }
  while (ways.some(({ step }) => step !== "done")) for (const way of ways) await way.take();

  const holders = ways.filter(({ isRefused }) => !isRefused);
  const payers = holders.filter(({ manner }) => manner === "pays");
  for (const { userID, order, manner } of holders) {
    const listed = (await getJson(`${system.cart}/orders?userID=${userID}`)).body as OrderBody[];
    const state = manner === "pays" ? "paid" : "refund-due";
    expect(listed.map((one) => [one.orderID, one.state])).toEqual([[order?.orderID as string, state]]);
    const record: JsonReply = await getJson(`${system.policy}/user/userid/${userID}/sku/${SKU}`);
    expect([manner, record.status]).toEqual([manner, manner === "pays" ? 200 : 404]);
  }
  // Whoever was refused came when all was frozen; what came back since is on the shelf.
  expect((await getJson(`${system.inventory}/sku/${SKU}`)).body).toMatchObject({ goodsQuantity: STOCK - payers.length, frozenQuantity: 0 });
  const refunds = (await getJson(`${system.cart}/refunds`)).body as { orderID: string }[];
  const dueBack = holders.filter(({ manner }) => manner !== "pays").map(({ order }) => order?.orderID as string);
  expect(refunds.map(({ orderID }) => orderID).toSorted()).toEqual(dueBack.toSorted());

  const events = await allEvents(system);
  expect(events.map(({ id }) => Number(id))).toEqual(events.map((_, index) => index + 1));
  const expected = { "hold.created": holders, "order.placed": holders, "order.paid": payers } as const;
  for (const [type, those] of Object.entries(expected)) {
    const told = events.filter((event) => event.type === type);
    expect([type, told.length, new Set(told.map(({ data }) => JSON.stringify(data))).size]).toEqual([type, those.length, those.length]);
  }
  for (const type of ["order.refund-due", "payment.refund-requested"])
    expect([type, events.filter((event) => event.type === type).length]).toEqual([type, dueBack.length]);
  expect(await system.stop()).toBe(0);
  const audit = Bun.spawn([process.execPath, MAIN, "audit", "--data", dataDir], { stdout: "ignore", stderr: "pipe" });
  expect([await audit.exited, await new Response(audit.stderr).text()]).toEqual([0, ""]);
}, 120_000);
