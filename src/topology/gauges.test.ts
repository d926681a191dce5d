/** What an operator sees of all that waits to reach somebody outside. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { Failure } from "../core/failure.ts";
import type { OrderId, SessionId, Sku, UserId } from "../core/ids.ts";
import { GroupCommit } from "../edge/group-commit.ts";
import { ServiceMetrics } from "../edge/metrics.ts";
import type { PostAnswer } from "../events/courier.ts";
import { OUTBOX_SCHEMA, Outbox } from "../events/outbox.ts";
import { WEBHOOKS_SCHEMA, WebhookStore } from "../events/webhook-store.ts";
import { Webhooks } from "../events/webhooks.ts";
import { EmbeddedLedger } from "../ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../ledger/embedded/memory-journal.ts";
import { STOCK_SHOWN_MS_MAX } from "../limits/operators.ts";
import { REFUND_TRIED_FOR_MS } from "../limits.ts";
import { EmbeddedRefundBook } from "../payment/refund-book.ts";
import { REFUNDS_SCHEMA, RefundStore } from "../payment/refund-store.ts";
import { Refunds } from "../payment/refunds.ts";
import { StockWatch } from "../sales/stock-watch.ts";
import { describeOutgoing, describeStock } from "./gauges.ts";

const clock = { at: 0, now: () => clock.at, monotonicUs: () => 0 };

function opened() {
  const db = new Database(":memory:");
  db.run(OUTBOX_SCHEMA + WEBHOOKS_SCHEMA + REFUNDS_SCHEMA);
  const turns = new GroupCommit(db, () => {});
  const outbox = new Outbox(db, turns, "eur", { keptMs: 1_000, eventsMax: 1_000 });
  const answers: Readonly<Record<string, PostAnswer | Promise<PostAnswer>>> = {
    "https://takes.example/": { status: 204 },
    "https://refuses.example/": { status: 500 },
    "https://hangs.example/": new Promise<PostAnswer>(() => {}),
  };
  const send = async ({ url }: { readonly url: string }): Promise<PostAnswer> => answers[url] ?? { status: 404 };
  const onBug = (error: unknown): void => expect(error).toBeUndefined();
  const webhooks = new Webhooks(new WebhookStore(db), { outbox, turns, clock, send, randomBytes, random: () => 0, onBug });
  const book = new EmbeddedRefundBook({ store: new RefundStore(db), turns, emit: () => {} });
  const refunds = new Refunds({ book, providers: new Map(), clock, chance: () => 0 });
  const metrics = new ServiceMetrics("ShoppingCart");
  describeOutgoing(metrics, { outbox, webhooks, refunds: book }, clock);
  const payment = (paymentId: string) => ({ provider: "stripe", paymentId, amountCents: 1, currency: "eur" });
  const request = (id: string): void => book.request(refunds.requested(payment(id), "O-1" as OrderId));
  return { turns, outbox, webhooks, refunds, request, metrics, urls: Object.keys(answers) };
}

test("the metrics tell refunds due and given up, webhooks disabled, failing and behind, deliveries under way, and events kept", async () => {
  const { turns, outbox, webhooks, refunds, request, metrics, urls } = opened();
  const [off] = await Promise.all(["https://off.example/", ...urls].map((url) => webhooks.add({ url })));
  if (off) await webhooks.change(off.webhook.id, { url: off.webhook.url, enabled: false });
  await turns.turn(() => request("pi_1"));
  clock.at = REFUND_TRIED_FOR_MS;
  await refunds.work();
  await turns.turn(() => {
    for (const id of ["pi_2", "pi_3"]) request(id);
    for (const sku of ["a", "b", "c"]) outbox.add({ type: "goods.sold-out", at: clock.at, sku: sku as Sku });
  });
  webhooks.tick();
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  clock.at += 7_500;

  const text = await metrics.text();
  const figure = (name: string): number => Number(new RegExp(`^doorbuster_${name}\\{[^}]*\\} (\\S+)$`, "m").exec(text)?.[1]);
  expect({
    events: figure("outbox_events"),
    disabled: figure("webhooks_disabled"),
    failing: figure("webhooks_failing"),
    deliveries: figure("webhook_deliveries_in_flight"),
    due: figure("refunds_due"),
    givenUp: figure("refunds_given_up"),
    untaken: figure("webhook_oldest_event_age_seconds"),
  }).toEqual({ events: 3, disabled: 1, failing: 1, deliveries: 1, due: 2, givenUp: 1, untaken: 7.5 });
});

test("the metrics tell of each SKU in which state its units are, of a bounded number, and how many others there are", async () => {
  const ledger = new EmbeddedLedger(new MemoryJournal());
  const now = 1_000;
  for (const sku of ["lamp", "sofa", "vase"] as Sku[])
    await ledger.stock([{ verb: "stock", mode: "put", sku, onHand: 10, priceCents: 1 }], now);
  const hold = { verb: "hold", sku: "lamp" as Sku, limit: 0, opensAt: 0, closesAt: 0, frozenForMs: 60_000, key: null } as const;
  const of = (userId: string) => ({ userId: userId as UserId, sessionId: "s" as SessionId });
  await ledger.hold(
    [
      { ...hold, ...of("ann"), quantity: 1 },
      { ...hold, ...of("bob"), quantity: 2 },
      { ...hold, ...of("cem"), quantity: 3 },
    ],
    now,
  );
  const place = (orderId: string, userId: string) =>
    ledger.place(
      [
        {
          ...{ verb: "place", orderId: orderId as OrderId, userId: userId as UserId, userLevel: 1, windowMs: 60_000 },
          items: [{ sku: "lamp" as Sku, priceCents: 1 }],
        },
      ],
      now,
    );
  await place("o-1", "bob");
  await place("o-2", "cem");
  const payment = { provider: "p", paymentId: "p-1", amountCents: 3, currency: "eur" };
  await ledger.pay([{ verb: "pay", orderId: "o-2" as OrderId, payment, isAmountRight: true, limits: new Map() }], now);

  let isAway = false;
  const store = {
    ...{ listGoods: ledger.listGoods.bind(ledger), countGoods: ledger.countGoods.bind(ledger) },
    goods: (skus: readonly Sku[], at: number) => {
      if (isAway) throw new Failure("store-unavailable", "away", true);
      return ledger.goods(skus, at);
    },
  };
  const time = { us: 0, now: () => now, monotonicUs: () => time.us };
  const metrics = new ServiceMetrics("PolicyController");
  describeStock(metrics, new StockWatch({ ledger: store, sales: { all: () => [] }, clock: time, skusMax: 2 }));
  const seen = async () => {
    const text = await metrics.text();
    const units = [...text.matchAll(/^doorbuster_goods_units\{sku="(.+)",state="(.+)",service=".+"\} (\d+)$/gm)];
    const notShown = /^doorbuster_goods_not_shown\{.*\} (\S+)$/m.exec(text);
    return { units: units.map(([, sku, state, count]) => `${sku} ${state} ${count}`), notShown: notShown && Number(notShown[1]) };
  };
  expect(await seen()).toEqual({
    units: [
      ...["lamp available 4", "lamp held 1", "lamp payment_pending 2", "lamp sold 3"],
      ...["sofa available 10", "sofa held 0", "sofa payment_pending 0", "sofa sold 0"],
    ],
    notShown: 1,
  });
  isAway = true;
  time.us += STOCK_SHOWN_MS_MAX * 1_000;
  expect(await seen()).toEqual({ units: [], notShown: null });
});
