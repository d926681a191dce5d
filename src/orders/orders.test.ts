/** Orders over a ledger in memory: what is placed at which price, how an order ends, and what becomes of money that comes twice, late or wrong. */
import { describe, expect, test } from "bun:test";
import { Failure } from "../core/failure.ts";
import type { OrderId, SessionId, Sku, UserId } from "../core/ids.ts";
import { EmbeddedLedger } from "../ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../ledger/embedded/memory-journal.ts";
import type { LedgerEvent, Payment } from "../ledger/ledger.ts";
import type { PaymentProvider, PaymentStart } from "../payment/provider.ts";
import { Cashier } from "./cashier.ts";
import { OrderDesk, type SaleTermsOfPayment } from "./order-desk.ts";

const START = 1_000_000;
const MINUTE = 60_000;
const ANN = { userId: "ann" as UserId, userLevel: 3 };
const BOB = { userId: "bob" as UserId, userLevel: 0 };
const [A, B] = ["A" as Sku, "B" as Sku];
const ORDER = "order-1" as OrderId;

interface Options {
  readonly provider?: Partial<PaymentProvider>;
  readonly limitOf?: (sku: Sku, order: { readonly userLevel: number }) => number;
  readonly sales?: ReadonlyMap<Sku, SaleTermsOfPayment>;
}

/** A shop with ten of A at 1.00 and ten of B at 20.00. */
async function openShop({ provider, limitOf = () => 0, sales = new Map() }: Options = {}) {
  let now = START;
  const clock = { now: () => now, monotonicUs: () => now * 1_000 };
  const refunds: Payment[] = [];
  // As the topology does: what is due back is asked for in the commit that finds it due.
  const emit = (event: LedgerEvent): void => {
    if (event.type === "order.refund-due") refunds.push(event.order.payment as Payment);
  };
  const ledger = new EmbeddedLedger(new MemoryJournal(), { emit });
  await ledger.stock([{ verb: "stock", mode: "put", sku: A, onHand: 10, priceCents: 100 }], now);
  await ledger.stock([{ verb: "stock", mode: "put", sku: B, onHand: 10, priceCents: 2_000 }], now);
  const started: number[] = [];
  const bank: PaymentProvider = {
    name: "bank",
    canRefund: true,
    start: async ({ amountCents }) => {
      started.push(amountCents);
      return { provider: "bank", paymentId: "intent", clientSecret: "secret" };
    },
    readNotification: () => ({ kind: "other" }),
    refund: async () => undefined,
    ...provider,
  };
  const isGoingBack = ({ paymentId }: Payment): boolean => refunds.some((refund) => refund.paymentId === paymentId);
  const requestRefund = async (payment: Payment): Promise<void> => void refunds.push(payment);
  let onLook = async (): Promise<void> => undefined;
  /** What another process does between the desk's look at the cart and its next one. */
  const meanwhile = (work: () => Promise<void>): void => {
    onLook = work;
  };
  let onOrder = async (): Promise<void> => undefined;
  /** The same after its look at the order. */
  const afterOrder = (work: () => Promise<void>): void => {
    onOrder = work;
  };
  const looked = {
    held: async (...asked: Parameters<EmbeddedLedger["held"]>) => {
      const held = await ledger.held(...asked);
      await onLook();
      return held;
    },
    goods: ledger.goods.bind(ledger),
    place: ledger.place.bind(ledger),
    cancel: ledger.cancel.bind(ledger),
    order: async (...asked: Parameters<EmbeddedLedger["order"]>) => {
      const order = await ledger.order(...asked);
      await onOrder();
      return order;
    },
    ordersOf: ledger.ordersOf.bind(ledger),
    findOrders: ledger.findOrders.bind(ledger),
  };
  const desk = new OrderDesk({ ledger: looked, boughtUnder: (sku) => sales.get(sku) ?? null, paymentWindowMs: 10 * MINUTE, clock });
  const cashier = new Cashier({
    ledger,
    providers: new Map([["bank", bank]]),
    currency: "eur",
    limitOf,
    isGoingBack,
    requestRefund,
    clock,
  });
  const hold = async ({ userId }: { userId: UserId }, sku: Sku, quantity = 1): Promise<void> => {
    const window = { opensAt: 0, closesAt: 0, frozenForMs: 30 * MINUTE };
    const command = { verb: "hold", sku, userId, quantity, limit: 0, ...window, sessionId: "s" as SessionId, key: null } as const;
    expect((await ledger.hold([command], now))[0]?.kind).toBe("held");
  };
  const paid = (amountCents: number, paymentId = "p1", currency = "eur") =>
    cashier.settle({ kind: "paid", orderId: ORDER, payment: { provider: "bank", paymentId, amountCents, currency } });
  const stateOf = async (): Promise<string | undefined> => (await desk.order(ORDER))?.state;
  const onHand = async (sku: Sku) => (await ledger.goods([sku], now))[0];
  const later = (ms: number): void => {
    now += ms;
  };
  return { meanwhile, afterOrder, ledger, desk, cashier, refunds, started, hold, paid, stateOf, onHand, later };
}

describe("an order", () => {
  test("is made of the whole cart, at the prices of this moment, with one deadline", async () => {
    const { desk, hold, onHand } = await openShop();
    await hold(ANN, A, 2);
    await hold(ANN, B);
    const reply = await desk.place(ANN, null, ORDER);
    expect(reply).toMatchObject({ kind: "placed", order: { state: "payment-pending", payUntil: START + 10 * MINUTE, userId: "ann" } });
    expect(reply.kind === "placed" && reply.order.items.map(({ sku, quantity, priceCents }) => [sku, quantity, priceCents])).toEqual([
      [A, 2, 100],
      [B, 1, 2_000],
    ]);
    expect(await onHand(A)).toMatchObject({ onHand: 10, frozen: 2 });
  });

  test("of named goods leaves the others in the cart", async () => {
    const { desk, hold, ledger } = await openShop();
    await hold(ANN, A);
    await hold(ANN, B);
    await desk.place(ANN, [B], ORDER);
    expect((await ledger.cart(ANN.userId, START)).map(({ sku }) => sku)).toEqual([A]);
  });

  test("costs what the sale says that its goods were bought under, and has the shortest of their payment windows", async () => {
    const sales = new Map([[A, { priceCents: 70, paymentWindowMs: MINUTE }]]);
    const { desk, hold } = await openShop({ sales });
    await hold(ANN, A);
    await hold(ANN, B);
    const reply = await desk.place(ANN, null, ORDER);
    expect(reply).toMatchObject({ order: { payUntil: START + MINUTE, items: [{ priceCents: 70 }, { priceCents: 2_000 }] } });
  });

  test("asked for again with its id is the same order; by others, or for other goods, it is refused", async () => {
    const { desk, hold } = await openShop();
    await hold(ANN, A);
    const first = await desk.place(ANN, null, ORDER);
    expect(await desk.place(ANN, null, ORDER)).toEqual(first);
    expect(await desk.place(ANN, [A], ORDER)).toEqual(first);
    expect(await desk.place(ANN, [B], ORDER)).toEqual({ kind: "refused", reason: "key-reused" });
    expect(await desk.place(BOB, null, ORDER)).toEqual({ kind: "refused", reason: "key-reused" });
  });

  test("asked for again with its id is the same order whatever is in the cart by then", async () => {
    const { desk, hold, ledger } = await openShop();
    await hold(ANN, A);
    const first = await desk.place(ANN, null, ORDER);
    await hold(ANN, A);
    expect(await desk.place(ANN, null, ORDER)).toEqual(first);
    await hold(ANN, B);
    expect(await desk.place(ANN, null, ORDER)).toEqual(first);
    expect(await desk.place(ANN, [B], ORDER)).toEqual({ kind: "refused", reason: "key-reused" });
    expect((await ledger.held(ANN.userId, START)).map(({ sku }) => sku)).toEqual([A, B]);
    await hold(BOB, A);
    expect(await desk.place(BOB, null, ORDER)).toEqual({ kind: "refused", reason: "key-reused" });
  });

  test.each([[null], [[A]]])(
    "that comes about elsewhere while its id is looked for is found, whatever was asked for (%p)",
    async (skus) => {
      const { desk, hold, ledger, afterOrder } = await openShop();
      // Another process has the same request: the hold is in its order before that can be seen.
      let isFirst = true;
      afterOrder(async () => {
        if (!isFirst) return;
        isFirst = false;
        await hold(ANN, A);
        const placing = { verb: "place", orderId: ORDER, ...ANN, items: [{ sku: A, priceCents: 100 }], windowMs: MINUTE } as const;
        expect(await ledger.place([placing], START)).toMatchObject([{ kind: "order" }]);
      });
      expect(await desk.place(ANN, skus, ORDER)).toMatchObject({ kind: "placed", order: { orderId: ORDER, state: "payment-pending" } });
    },
  );

  test("needs something in the cart, and everything that is named", async () => {
    const { desk, hold, onHand, later } = await openShop();
    expect(await desk.place(ANN, null, ORDER)).toEqual({ kind: "refused", reason: "empty-cart" });
    await hold(ANN, A);
    expect(await desk.place(ANN, [A, B], ORDER)).toEqual({ kind: "refused", reason: "no-hold", skus: [B] });
    expect(await onHand(A)).toMatchObject({ frozen: 1 });
    later(30 * MINUTE);
    expect(await desk.place(ANN, null, ORDER)).toEqual({ kind: "refused", reason: "empty-cart" });
  });

  test("of goods that are given back and removed after the look at the cart is refused: other processes do that at any moment", async () => {
    const { desk, hold, ledger, meanwhile } = await openShop();
    await hold(ANN, A);
    await hold(ANN, B);
    meanwhile(async () => {
      await ledger.release([{ verb: "release", sku: B, userId: ANN.userId }], START);
      await ledger.stock([{ verb: "stock", mode: "remove", sku: B }], START);
    });
    expect(await desk.place(ANN, null, ORDER)).toEqual({ kind: "refused", reason: "no-hold", skus: [B] });
    expect(await desk.pricesOf([A, B], START)).toEqual([100, null]);
  });

  test("of more than one payment can be is refused, and nothing is ordered", async () => {
    const { desk, hold, ledger } = await openShop();
    await ledger.stock([{ verb: "stock", mode: "put", sku: A, onHand: 1_000_000, priceCents: 1_000_000_000 }], START);
    await hold(ANN, A, 1_000_000);
    expect(await desk.place(ANN, null, ORDER)).toMatchObject({ kind: "placed" });
    await desk.cancel(ORDER);
    await ledger.stock([{ verb: "stock", mode: "put", sku: B, onHand: 1_000_000, priceCents: 1_000_000_000 }], START);
    await hold(BOB, A, 1_000_000);
    await hold(BOB, B, 1);
    expect(await desk.place(BOB, null, "order-2" as OrderId)).toEqual({ kind: "refused", reason: "amount-too-large" });
    expect((await ledger.held(BOB.userId, START)).map(({ quantity }) => quantity).toSorted()).toEqual([1, 1_000_000]);
  });

  test("that is cancelled gives its goods back at that instant; whoever comes later hears how it ended", async () => {
    const { desk, hold, onHand, paid, stateOf, refunds } = await openShop();
    await hold(ANN, A, 10);
    await desk.place(ANN, null, ORDER);
    expect(await desk.cancel(ORDER)).toMatchObject({ kind: "cancelled", order: { state: "cancelled" } });
    expect(await onHand(A)).toMatchObject({ onHand: 10, frozen: 0 });
    expect(await desk.cancel(ORDER)).toMatchObject({ kind: "cancelled" });
    await paid(1_000);
    expect([await stateOf(), refunds.length]).toEqual(["refund-due", 1]);
    expect(await desk.cancel(ORDER)).toMatchObject({ kind: "refused", reason: "order-ended", order: { state: "refund-due" } });
    expect(await desk.cancel("none" as OrderId)).toEqual({ kind: "refused", reason: "unknown-order" });
  });
});

describe("money", () => {
  test("that is right buys the goods, and counts as ordered at the level of whoever placed the order", async () => {
    const { desk, hold, paid, stateOf, onHand, ledger, refunds } = await openShop();
    await hold(ANN, A, 2);
    await desk.place(ANN, null, ORDER);
    await paid(200);
    expect(await stateOf()).toBe("paid");
    expect(await onHand(A)).toMatchObject({ onHand: 8, frozen: 0, sold: 2 });
    expect(await ledger.lines([{ userId: ANN.userId, sku: A }], START)).toMatchObject([{ ordered: 2, userLevel: 3 }]);
    expect(refunds).toEqual([]);
  });

  test("told of twice counts once; a second payment of the same order goes back", async () => {
    const { desk, hold, paid, stateOf, onHand, refunds } = await openShop();
    await hold(ANN, A);
    await desk.place(ANN, null, ORDER);
    await paid(100);
    await paid(100);
    expect([await stateOf(), refunds.length]).toEqual(["paid", 0]);
    await paid(100, "p2");
    expect([await stateOf(), refunds.map(({ paymentId }) => paymentId)]).toEqual(["paid", ["p2"]]);
    expect(await onHand(A)).toMatchObject({ onHand: 9 });
  });

  const wrong = [
    ["too little", 99, "eur"],
    ["too much", 101, "eur"],
    ["another currency", 100, "usd"],
  ] as const;
  test.each(wrong)("that is wrong (%s) buys nothing and goes back", async (_, amountCents, currency) => {
    const { desk, hold, paid, stateOf, onHand, refunds } = await openShop();
    await hold(ANN, A);
    await desk.place(ANN, null, ORDER);
    await paid(amountCents, "p1", currency);
    expect([await stateOf(), refunds.length]).toEqual(["refund-due", 1]);
    expect(await onHand(A)).toMatchObject({ onHand: 10, frozen: 0, sold: 0 });
  });

  test("that comes late takes the goods again when they are there", async () => {
    const { desk, hold, paid, stateOf, onHand, later } = await openShop();
    await hold(ANN, A);
    await desk.place(ANN, null, ORDER);
    later(10 * MINUTE);
    expect(await stateOf()).toBe("expired");
    await paid(100);
    expect(await stateOf()).toBe("paid");
    expect(await onHand(A)).toMatchObject({ onHand: 9, sold: 1 });
  });

  test("that comes late for goods of which one is gone goes back, and nothing is taken", async () => {
    const { desk, hold, paid, stateOf, onHand, refunds, later } = await openShop();
    await hold(ANN, A);
    await hold(ANN, B);
    await desk.place(ANN, null, ORDER);
    later(10 * MINUTE);
    await hold(BOB, B, 10);
    await paid(2_100);
    expect([await stateOf(), refunds.length]).toEqual(["refund-due", 1]);
    expect(await onHand(A)).toMatchObject({ onHand: 10, frozen: 0 });
  });

  test("that comes late passes no limit of its owner's level", async () => {
    const { desk, hold, paid, stateOf, refunds, later } = await openShop({
      limitOf: (sku, { userLevel }) => (sku === A && userLevel === 3 ? 2 : 0),
    });
    await hold(ANN, A, 2);
    await desk.place(ANN, null, ORDER);
    later(10 * MINUTE);
    await hold(ANN, A, 1);
    await paid(200);
    expect([await stateOf(), refunds.length]).toEqual(["refund-due", 1]);
  });

  test("is for one order: reported for another too it buys nothing there, and nothing goes back", async () => {
    const { desk, cashier, hold, paid, refunds, onHand } = await openShop();
    await hold(ANN, A);
    await hold(BOB, A);
    await desk.place(ANN, null, ORDER);
    await desk.place(BOB, null, "order-2" as OrderId);
    await paid(100);
    const again = { provider: "bank", paymentId: "p1", amountCents: 100, currency: "eur" };
    for (const orderId of ["order-2", "unknown"] as OrderId[])
      expect(await cashier.settle({ kind: "paid", orderId, payment: again })).toHaveProperty("refusal");
    expect((await desk.order("order-2" as OrderId))?.state).toBe("payment-pending");
    expect([refunds, (await onHand(A))?.sold]).toEqual([[], 1]);
  });

  test("that is on its way back buys nothing any more", async () => {
    const { desk, cashier, hold, paid, refunds, stateOf } = await openShop();
    const payment = { provider: "bank", paymentId: "p1", amountCents: 100, currency: "eur" };
    expect(await cashier.settle({ kind: "paid", orderId: "unknown" as OrderId, payment })).toBeNull();
    expect(refunds).toHaveLength(1);
    await hold(ANN, A);
    await desk.place(ANN, null, ORDER);
    expect(await paid(100)).toHaveProperty("refusal");
    expect(await stateOf()).toBe("payment-pending");
  });

  test("for an order that nobody knows goes back", async () => {
    const { paid, refunds } = await openShop();
    await paid(100);
    expect(refunds).toHaveLength(1);
  });

  test("of a failed attempt is no end: the order waits for another until its deadline", async () => {
    const { desk, cashier, hold, stateOf } = await openShop();
    await hold(ANN, A);
    await desk.place(ANN, null, ORDER);
    await cashier.settle({ kind: "failed", orderId: ORDER });
    expect(await stateOf()).toBe("payment-pending");
  });
});

describe("the start of a payment", () => {
  async function placed(options: Options = {}) {
    const shop = await openShop(options);
    await shop.hold(ANN, A, 3);
    const reply = await shop.desk.place(ANN, null, ORDER);
    if (reply.kind !== "placed") throw new Error("the order was refused");
    return { ...shop, order: reply.order };
  }

  test("asks the provider for the order's whole amount", async () => {
    const { cashier, order, started } = await placed();
    expect(await cashier.start(order, undefined)).toMatchObject({ kind: "started", start: { clientSecret: "secret" } });
    expect(started).toEqual([300]);
  });

  test("is refused for an order that has ended, and for a provider that nobody knows", async () => {
    const { cashier, order } = await placed();
    expect(await cashier.start({ ...order, state: "expired" }, undefined)).toMatchObject({ kind: "refused", reason: "order-ended" });
    expect(await cashier.start(order, "nobody")).toEqual({ kind: "refused", reason: "unknown-provider" });
  });

  test("that the provider does not answer leaves the order as it is", async () => {
    const failure = new Failure("provider-failed", "the bank is closed", false);
    const { cashier, order, stateOf } = await placed({ provider: { start: () => Promise.reject(failure) } });
    expect(await cashier.start(order, undefined)).toEqual({ kind: "failed", failure });
    expect(await stateOf()).toBe("payment-pending");
  });

  test("looks again when the provider has answered: nobody is asked to pay for what was cancelled or paid meanwhile", async () => {
    const answers: (() => void)[] = [];
    const start = () => new Promise<PaymentStart>((resolve) => answers.push(() => resolve({ provider: "bank", paymentId: "intent" })));
    const { cashier, order, desk } = await placed({ provider: { start } });
    const starting = cashier.start(order, undefined);
    await desk.cancel(ORDER);
    answers[0]?.();
    expect(await starting).toMatchObject({ kind: "refused", reason: "order-ended", order: { state: "cancelled" } });

    const other = await placed({ provider: { start } });
    const paying = other.cashier.start(other.order, undefined);
    await other.paid(300);
    answers[1]?.();
    expect(await paying).toMatchObject({ kind: "none", order: { state: "paid" } });
  });

  test("that the provider will never take is refused for good", async () => {
    const refusal = new Failure("provider-refused", "too small", true);
    const { cashier, order } = await placed({ provider: { start: () => Promise.reject(refusal) } });
    expect(await cashier.start(order, undefined)).toEqual({ kind: "refused", reason: "payment-refused" });
  });

  test("of an order that costs nothing is its end: it is paid", async () => {
    const sales = new Map([[A, { priceCents: 0, paymentWindowMs: null }]]);
    const { cashier, order, stateOf, started } = await placed({ sales });
    expect(await cashier.start(order, undefined)).toMatchObject({ kind: "none", order: { state: "paid" } });
    expect([await stateOf(), started]).toEqual(["paid", []]);
  });
});
