/** What the metrics tell besides purchases and replies: how much there is of everything that is bounded. */
import { Failure } from "../core/failure.ts";
import type { Clock, UnixMs } from "../core/time.ts";
import type { Figure, ServiceMetrics } from "../edge/metrics.ts";
import type { EventSource } from "../events/event-source.ts";
import type { WebhookCounts } from "../events/webhook-book.ts";
import type { EmbeddedLedger } from "../ledger/embedded/embedded-ledger.ts";
import type { Goods } from "../ledger/ledger.ts";
import { STOCK_SHOWN_MAX } from "../limits/operators.ts";
import type { RefundState } from "../payment/refund-schedule.ts";
import type { SaleBook } from "../sales/sale-book.ts";
import { type StockSeen, StockWatch } from "../sales/stock-watch.ts";
import type { PolicyController } from "../services/policy-controller/service.ts";
import type { SafeProtector } from "../services/safe-protector/service.ts";
import type { PortName } from "./ports.ts";

/** What waits to reach somebody outside. */
export interface Outgoing {
  readonly outbox: EventSource;
  readonly webhooks: {
    readonly counts: WebhookCounts & { readonly deliveries: number };
  };
  readonly refunds: { count(state: RefundState): number };
}

export interface Gauged extends Outgoing {
  readonly protector: SafeProtector;
  readonly policies: PolicyController;
  readonly sales: SaleBook;
  readonly ledger: EmbeddedLedger;
  readonly clock: Clock;
  readonly applications: () => number;
}

export function describeGauges(metrics: Readonly<Record<PortName, ServiceMetrics>>, of: Gauged): void {
  const { SafeProtector: protector, PolicyController: policies, InventoryManager: inventory } = metrics;
  const { ShoppingCart: cart, ServiceRegistry: registry } = metrics;
  describeProtector(protector, of.protector);
  policies.gauge("doorbuster_policies", "SKUs with a policy.", () => of.policies.policies);
  policies.gauge("doorbuster_sales", "Sales, whatever their status.", () => of.sales.size);
  inventory.gauge("doorbuster_skus", "SKUs in the store.", () => of.ledger.counts.skus);
  cart.gauge("doorbuster_users", "Users with a hold, an unpaid order or an order record.", () => of.ledger.counts.users);
  cart.gauge("doorbuster_ended_rows", "Rows of ended holds that the sweeper has not removed yet.", () => of.ledger.counts.endedRows);
  describeStock(policies, new StockWatch(of));
  describeOutgoing(cart, of, of.clock);
  registry.gauge("doorbuster_registry_applications", "Applications with a live lease.", of.applications);
}

/** Where goods stand, of those that matter most. Each unit of a SKU is in one state. */
export function describeStock(metrics: ServiceMetrics, watch: StockWatch): void {
  // A store that is away has told its owner already.
  const seen = (): Promise<StockSeen | null> =>
    watch.seen().catch((error: unknown) => {
      if (error instanceof Failure) return null;
      throw error;
    });
  metrics.figures(
    "doorbuster_goods_units",
    `Units by SKU and state, of up to ${STOCK_SHOWN_MAX} SKUs: those of sales first.`,
    ["sku", "state"],
    async () => ((await seen())?.goods ?? []).flatMap(unitsOf),
  );
  metrics.figures("doorbuster_goods_not_shown", "SKUs beyond those of doorbuster_goods_units.", [], async () => {
    const stock = await seen();
    return stock ? [{ of: {}, value: stock.notShown }] : [];
  });
}

function unitsOf({ sku, onHand, frozen, pending, sold }: Goods): readonly Figure[] {
  const states = { available: onHand - frozen, held: frozen - pending, payment_pending: pending, sold };
  return Object.entries(states).map(([state, value]) => ({ of: { sku, state }, value }));
}

export function describeProtector(metrics: ServiceMetrics, protector: SafeProtector): void {
  const counts = () => [...protector.decisionCounts()];
  const blocking = (): number => counts().reduce((sum, { action, count }) => (action === "block" ? sum + count : sum), 0);
  metrics.gauge("doorbuster_blacklist_entries", "Decisions to block, in force or not yet swept.", blocking);
  metrics.figures("doorbuster_decisions", "Decisions in force or not yet swept.", ["action", "origin"], async () =>
    counts().map(({ action, origin, count }) => ({ of: { action, origin }, value: count })),
  );
  metrics.labelled(
    "counter",
    "doorbuster_protect_refusals_total",
    "Purchases refused by a decision, by the scenario that has learned it, or by who has made it.",
    "cause",
    () => protector.refusals.byCause,
  );
}

export function describeOutgoing(cart: ServiceMetrics, { outbox, webhooks, refunds }: Outgoing, clock: Clock): void {
  cart.gauge("doorbuster_outbox_events", "Events that can still be read.", () => outbox.lastId - outbox.oldestId + 1);
  cart.gauge("doorbuster_webhooks_disabled", "Webhooks to which nothing is sent.", () => webhooks.counts.disabled);
  cart.gauge("doorbuster_webhooks_failing", "Webhooks with an event that is tried again.", () => webhooks.counts.failing);
  cart.gauge("doorbuster_webhook_deliveries_in_flight", "Deliveries that wait for their answer.", () => webhooks.counts.deliveries);
  const untakenMs = (since: UnixMs | null): number => (since === null ? 0 : Math.max(0, clock.now() - since));
  cart.gauge(
    "doorbuster_webhook_oldest_event_age_seconds",
    "Age of the oldest event that a webhook has not taken yet; 0: they have taken all.",
    () => untakenMs(webhooks.counts.untakenSince) / 1_000,
  );
  cart.gauge("doorbuster_refunds_due", "Refunds that are not made yet.", () => refunds.count("due"));
  cart.gauge("doorbuster_refunds_given_up", "Refunds that wait for the operator after 72 hours.", () => refunds.count("given-up"));
}
