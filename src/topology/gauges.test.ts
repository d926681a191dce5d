/** What an operator sees of all that waits to reach somebody outside. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import type { OrderId, Sku } from "../core/ids.ts";
import { GroupCommit } from "../edge/group-commit.ts";
import { ServiceMetrics } from "../edge/metrics.ts";
import type { PostAnswer } from "../events/courier.ts";
import { OUTBOX_SCHEMA, Outbox } from "../events/outbox.ts";
import { WEBHOOKS_SCHEMA, WebhookStore } from "../events/webhook-store.ts";
import { Webhooks } from "../events/webhooks.ts";
import { REFUND_TRIED_FOR_MS } from "../limits.ts";
import { EmbeddedRefundBook } from "../payment/refund-book.ts";
import { REFUNDS_SCHEMA, RefundStore } from "../payment/refund-store.ts";
import { Refunds } from "../payment/refunds.ts";
import { describeOutgoing } from "./gauges.ts";

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
  describeOutgoing(metrics, { outbox, webhooks, refunds: book });
  const payment = (paymentId: string) => ({ provider: "stripe", paymentId, amountCents: 1, currency: "eur" });
  const request = (id: string): void => book.request(refunds.requested(payment(id), "O-1" as OrderId));
  return { turns, outbox, webhooks, refunds, request, metrics, urls: Object.keys(answers) };
}

test("the metrics tell refunds due and given up, webhooks disabled and failing, deliveries under way, and events kept", async () => {
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

  const text = await metrics.text();
  const figure = (name: string): number => Number(new RegExp(`^doorbuster_${name}\\{[^}]*\\} (\\S+)$`, "m").exec(text)?.[1]);
  expect({
    events: figure("outbox_events"),
    disabled: figure("webhooks_disabled"),
    failing: figure("webhooks_failing"),
    deliveries: figure("webhook_deliveries_in_flight"),
    due: figure("refunds_due"),
    givenUp: figure("refunds_given_up"),
  }).toEqual({ events: 3, disabled: 1, failing: 1, deliveries: 1, due: 2, givenUp: 1 });
});
