/**
 * A whole drop, through the real door, with signed tokens: 5,000 buyers, 300 units in five sizes, a third of those who get one never pay, a tenth pay late. At the
 * end every unit is accounted for, every paid order has its goods, no money has stayed for nothing, and everything that happened was told.
 */
import { afterAll, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { allEvents, DROP_ARGS, notifyPaid, type OrderBody, Receiver, Shopper, together } from "./drop.ts";
import { freshDataDir, getJson, postJson, type System, startSystem } from "./system.ts";
import { waitFor } from "./wait.ts";

const MAIN = `${import.meta.dir}/../src/main.ts`;
const BUYERS = 5_000;
const STOCK = 300;
const SKUS = ["DROP-S", "DROP-M", "DROP-L", "DROP-XL", "DROP-XXL"] as const;
const SALE_PRICE = 49.5;
const AT_A_TIME = 100;

const dataDir = freshDataDir();
const receiver = new Receiver();
let system: System;
afterAll(async () => {
  await system.kill();
  await receiver.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function openShop(): Promise<void> {
  system = await startSystem({ args: DROP_ARGS, dataDir });
  await receiver.subscribe(system);
  for (const goodsSKU of SKUS) {
    await postJson(`${system.inventory}/add`, { goodsSKU, goodsQuantity: STOCK / SKUS.length, goodsPrice: 99 });
    await postJson(`${system.policy}/policy/add`, { goodsSKU, userLevel: 1, quantityLimit: 1 });
  }
  const sale = await postJson(`${system.policy}/sales`, {
    name: "The drop",
    startsAt: new Date(Date.now() - 1_000).toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    items: SKUS.map((goodsSKU) => ({ goodsSKU, salePrice: SALE_PRICE, quantityLimit: 1 })),
    frozenForSeconds: 600,
    // Time enough for who pays at once, on any machine.
    paymentWindowSeconds: 8,
  });
  expect(sale.status).toBe(201);
}

const isHeld = (reply: { body: unknown }): boolean => (reply.body as { repResult: boolean }).repResult;
const orderIn = (reply: { body: unknown }): OrderBody => reply.body as OrderBody;

/** Everybody wants one size: a thousand want each. */
const sizeOf = ({ userId }: Shopper): string => SKUS[Math.floor(Number(userId.slice("buyer-".length)) / (BUYERS / SKUS.length))] as string;

async function buyAndOrder(shoppers: readonly Shopper[]): Promise<{ shopper: Shopper; order: OrderBody }[]> {
  const replies = await together(shoppers, AT_A_TIME, (shopper) => shopper.buy(sizeOf(shopper), `buy-${shopper.userId}`));
  const winners = shoppers.filter((_, index) => isHeld(replies[index] as { body: unknown }));
  return together(winners, AT_A_TIME, async (shopper) => {
    const placed = await shopper.placeOrder(`order-${shopper.userId}`);
    expect(placed.status).toBe(201);
    return { shopper, order: orderIn(placed) };
  });
}

const stateOf = async ({ shopper, order }: { shopper: Shopper; order: OrderBody }): Promise<string> =>
  orderIn(await shopper.order(order.orderID)).state;

test("a whole drop, from the crowd to the paid orders", async () => {
  await openShop();
  const crowd = await together(
    Array.from({ length: BUYERS }, (_, index) => `buyer-${index}`),
    AT_A_TIME,
    (userId) => Shopper.come(system, userId),
  );
  const first = await buyAndOrder(crowd);
  expect(first).toHaveLength(STOCK);
  for (const { order } of first)
    expect(order).toMatchObject({ amount: SALE_PRICE, state: "payment-pending", items: [{ goodsQuantity: 1 }] });

  // Three of ten never pay, one of ten pays late, the others pay at once, some of them twice over: providers repeat themselves.
  const late = first.filter((_, index) => index % 10 === 0);
  const never = first.filter((_, index) => [1, 2, 3].includes(index % 10)).concat(first.filter((_, index) => index % 30 === 4));
  const paying = first.filter((one) => !late.includes(one) && !never.includes(one));
  await together(paying, AT_A_TIME, async ({ order }, index) => {
    expect((await notifyPaid(system, order, `pay-${order.orderID}`)).status).toBe(200);
    if (index % 3 === 0) expect((await notifyPaid(system, order, `pay-${order.orderID}`)).status).toBe(200);
  });
  for (const state of await together(paying, AT_A_TIME, stateOf)) expect(state).toBe("paid");
  for (const unpaid of [...late, ...never]) await waitFor(async () => (await stateOf(unpaid)) === "expired", "the order has expired");

  // What they did not pay for goes to others, but for a few units; those are what the late payers can still get.
  const LEFT = 15;
  const luckless = crowd.filter(({ userId }) => !first.some(({ shopper }) => shopper.userId === userId));
  const second: { shopper: Shopper; order: OrderBody }[] = [];
  const ofSize = (size: string) => (shopper: Shopper) => sizeOf(shopper) === size;
  const toSell = (late.length + never.length - LEFT) / SKUS.length;
  for (const shopper of SKUS.flatMap((size) => luckless.filter(ofSize(size)).slice(0, toSell))) {
    const reply = await shopper.buy(sizeOf(shopper));
    expect(isHeld(reply)).toBe(true);
    const placed = await shopper.placeOrder();
    second.push({ shopper, order: orderIn(placed) });
    expect((await notifyPaid(system, orderIn(placed), `pay-${orderIn(placed).orderID}`)).status).toBe(200);
  }
  await together(late, AT_A_TIME, async ({ order }) => expect((await notifyPaid(system, order, `pay-${order.orderID}`)).status).toBe(200));
  const lateStates = await together(late, AT_A_TIME, stateOf);
  expect(lateStates.filter((state) => state === "paid")).toHaveLength(LEFT);
  expect(lateStates.filter((state) => state === "refund-due")).toHaveLength(late.length - LEFT);

  // Sold and on hand are what was stocked, and every paid order has its goods on its owner's record.
  const states = await together([...first, ...second], AT_A_TIME, stateOf);
  const sold = states.filter((state) => state === "paid").length;
  const goods = (await getJson(`${system.inventory}/all`)).body as { goodsQuantity: number; frozenQuantity: number }[];
  expect(goods.map(({ frozenQuantity }) => frozenQuantity)).toEqual(SKUS.map(() => 0));
  expect(goods.reduce((onHand, { goodsQuantity }) => onHand + goodsQuantity, 0)).toBe(STOCK - sold);
  const owners = [...first, ...second].filter((_, index) => states[index] === "paid");
  await together(owners, AT_A_TIME, async ({ shopper }) => {
    const record = await getJson(`${system.policy}/user/userid/${shopper.userId}/sku/${sizeOf(shopper)}`);
    expect(record.body).toMatchObject({ orderQuantity: 1, userLevel: 5 });
  });

  // No money has stayed for nothing: who got no goods gets it back. This provider takes no requests, so the shop's operator has to act.
  const refunds = (await getJson(`${system.cart}/refunds`)).body as { orderID: string; amount: number; state: string }[];
  const dueBack = late.filter((_, index) => lateStates[index] === "refund-due").map(({ order }) => order.orderID);
  expect(refunds.map(({ orderID }) => orderID).toSorted()).toEqual(dueBack.toSorted());
  expect(new Set(refunds.map(({ amount, state }) => `${amount} ${state}`))).toEqual(new Set([`${SALE_PRICE} due`]));

  await everythingWasTold(states);
  expect(await system.stop()).toBe(0);
  const audit = Bun.spawn([process.execPath, MAIN, "audit", "--data", dataDir], { stdout: "pipe", stderr: "pipe" });
  expect({ code: await audit.exited, out: await new Response(audit.stdout).text() }).toMatchObject({ code: 0 });
}, 240_000);

/** The receiver, which fails a third of what it has not failed twice, has every event; those of one SKU came to it in their order. */
async function everythingWasTold(states: readonly string[]): Promise<void> {
  const events = await allEvents(system);
  // Each wait is for the next event: how long they all take is the machine's affair.
  for (const { id } of events) await waitFor(() => receiver.taken.has(id), `the receiver has event ${id}`);
  expect(receiver.forged).toBe(0);
  expect(receiver.failures).toBeGreaterThan(0);
  for (const sku of SKUS) {
    const told = [...receiver.taken.values()].filter(({ data }) => JSON.stringify(data).includes(`"${sku}"`)).map(({ id }) => Number(id));
    expect(told).toEqual(told.toSorted((a, b) => a - b));
  }
  const count = (type: string): number => events.filter((event) => event.type === type).length;
  const ended = (state: string): number => states.filter((one) => one === state).length;
  expect(count("hold.created")).toBe(states.length);
  expect(count("order.placed")).toBe(states.length);
  expect(count("order.paid")).toBe(ended("paid"));
  expect(count("order.refund-due")).toBe(ended("refund-due"));
  // Those who never paid, and those who paid late: their orders had expired before.
  expect(count("order.expired")).toBe(ended("expired") + STOCK / 10);
  expect(count("goods.sold-out")).toBeGreaterThan(0);
}
