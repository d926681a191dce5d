/**
 * What stands around the purchase in one process: sales as the public sees them, orders and their payment, events and webhooks. It is put together
 * here, has its timers, and ends with the process.
 */
import type { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";
import type { HttpReply, Route } from "../core/endpoint.ts";
import type { OrderId } from "../core/ids.ts";
import type { Throttle } from "../core/throttle.ts";
import type { Clock } from "../core/time.ts";
import { traceIds } from "../core/trace-id.ts";
import { chance } from "../edge/chance.ts";
import type { GroupCommit } from "../edge/group-commit.ts";
import { timers } from "../edge/timers.ts";
import { sendWebhook } from "../edge/webhook-sender.ts";
import { withTraceparent } from "../events/delivery-trace.ts";
import { EventStreams } from "../events/event-streams.ts";
import type { Outbox } from "../events/outbox.ts";
import { eventRoutes, webhookRoutes } from "../events/routes.ts";
import { WebhookStore } from "../events/webhook-store.ts";
import { Webhooks } from "../events/webhooks.ts";
import type { Identity } from "../identity/identity.ts";
import type { Ledger, Payment } from "../ledger/ledger.ts";
import { EVENT_STREAM_TICK_MS, REFUND_TICK_MS, WEBHOOK_TICK_MS } from "../limits.ts";
import { Cashier } from "../orders/cashier.ts";
import type { Checkout } from "../orders/checkout.ts";
import { KeyedRequests } from "../orders/keyed-requests.ts";
import { OrderDesk } from "../orders/order-desk.ts";
import { orderRoutes } from "../orders/routes.ts";
import { takeNotification } from "../payment/notifications.ts";
import type { PaymentProvider, Providers } from "../payment/provider.ts";
import { EmbeddedRefundBook } from "../payment/refund-book.ts";
import { refundRoutes } from "../payment/refund-routes.ts";
import { RefundStore } from "../payment/refund-store.ts";
import { Refunds } from "../payment/refunds.ts";
import { payPageRoutes, TestProvider } from "../payment/test-provider.ts";
import { SaleBoard } from "../sales/board.ts";
import type { SaleBook } from "../sales/sale-book.ts";
import { ShopperDoor, type ShopperDoorParts, shopperRoutes } from "../services/gate-keeper/shopper-door.ts";
import type { PolicyController } from "../services/policy-controller/service.ts";
import type { Settings } from "../settings/table.ts";

export interface ShopParts {
  readonly settings: Settings;
  readonly db: Database;
  readonly commit: GroupCommit;
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly sales: SaleBook;
  readonly policies: PolicyController;
  readonly identity: Identity;
  readonly providers: readonly PaymentProvider[];
  readonly keysInFlight: Set<string>;
  /** The gate's. */
  readonly throttle: Throttle;
  /** The gate's address as this machine's browsers reach it. */
  readonly gateUrl: string;
  readonly clock: Clock;
  readonly onBug: (error: unknown) => void;
}

export class Shop {
  readonly refunds: Refunds;
  readonly refundBook: EmbeddedRefundBook;
  readonly webhooks: Webhooks;
  readonly board: SaleBoard;
  readonly #streams: EventStreams;
  readonly #parts: ShopParts;
  readonly #checkout: Checkout;
  readonly #keyed: KeyedRequests;
  readonly #testProvider: TestProvider | null;
  readonly #stopTimers: readonly (() => void)[];

  constructor(parts: ShopParts) {
    this.#parts = parts;
    const { settings, db, commit, ledger, outbox, sales, clock, onBug } = parts;
    this.board = new SaleBoard({ book: sales, ledger, clock, availability: settings.shop.saleAvailability });
    this.#testProvider = settings.demo ? this.#openTestProvider() : null;
    const providers = this.#allProviders();
    const emit = outbox.add.bind(outbox);
    this.refundBook = new EmbeddedRefundBook({ store: new RefundStore(db), turns: commit, emit });
    this.refunds = new Refunds({ book: this.refundBook, providers, clock, chance });
    this.webhooks = new Webhooks(new WebhookStore(db), {
      outbox,
      send: (post) => sendWebhook(withTraceparent(post, settings.tracing?.share ?? null)),
      clock,
      random: chance,
      onBug,
      turns: commit,
      randomBytes,
    });
    this.#streams = new EventStreams(outbox, clock);
    // Ids that count up lie side by side in the store, which makes an order cheaper than ids by chance would.
    const newId = traceIds(randomBytes(16).toString("hex"));
    this.#keyed = new KeyedRequests({ replies: ledger, keysInFlight: parts.keysInFlight, newId, clock });
    this.#checkout = { desk: this.#openDesk(), cashier: this.#openCashier(providers) };
    const guarded = (tick: () => void) => (): void => {
      try {
        tick();
      } catch (error) {
        onBug(error);
      }
    };
    this.#stopTimers = [
      timers.every(
        EVENT_STREAM_TICK_MS,
        guarded(() => this.#streams.tick()),
      ),
      timers.every(
        WEBHOOK_TICK_MS,
        guarded(() => this.webhooks.tick()),
      ),
      timers.every(REFUND_TICK_MS, () => void this.refunds.work().catch(onBug)),
    ];
  }

  /** What the gate's public port answers besides purchases. */
  doorRoutes(): Route[] {
    const { identity, ledger, clock, throttle } = this.#parts;
    const door: ShopperDoorParts = { identity, board: this.board, ledger, checkout: this.#checkout, keyed: this.#keyed, clock, throttle };
    return [...shopperRoutes(new ShopperDoor(door), door), ...(this.#testProvider ? payPageRoutes(this.#testProvider) : [])];
  }

  cartRoutes(): Route[] {
    return [
      ...orderRoutes(this.#checkout, this.#keyed),
      ...refundRoutes(this.refunds),
      ...eventRoutes(this.#parts.outbox, this.#streams),
      ...webhookRoutes(this.webhooks),
    ];
  }

  /** Within a turn. */
  requestRefund(payment: Payment, orderId: OrderId): void {
    this.refundBook.request(this.refunds.requested(payment, orderId));
  }

  /** Begins to end: the event streams, which would keep their server from closing, and what calls others. */
  endStreams(): void {
    this.#streams.close();
    // No refund begins any more; those under way end while the servers close.
    void this.refunds.close();
  }

  /** After the servers have closed, before the store does. */
  async close(): Promise<void> {
    for (const stop of this.#stopTimers) stop();
    await this.refunds.close();
    await this.webhooks.close();
  }

  #openDesk(): OrderDesk {
    const { settings, ledger, sales, clock } = this.#parts;
    const boughtUnder = sales.boughtUnder.bind(sales);
    return new OrderDesk({ ledger, boughtUnder, paymentWindowMs: settings.shop.paymentWindowMs, clock });
  }

  #openCashier(providers: Providers): Cashier {
    const { settings, ledger, sales, policies, commit, clock } = this.#parts;
    return new Cashier({
      ledger,
      providers,
      currency: settings.shop.currency,
      limitOf: (sku, { userLevel, placedAt }) => policies.limitOf(sku, userLevel, sales.boughtUnder(sku, placedAt)),
      isGoingBack: (payment) => this.refundBook.has(payment),
      requestRefund: (payment, orderId) => commit.turn(() => this.requestRefund(payment, orderId)),
      clock,
    });
  }

  /** The demo's own comes last: whoever has configured another wants that one. */
  #allProviders(): Providers {
    const all = this.#testProvider ? [...this.#parts.providers, this.#testProvider] : this.#parts.providers;
    return new Map(all.map((provider) => [provider.name, provider]));
  }

  #openTestProvider(): TestProvider {
    const { gateUrl, clock } = this.#parts;
    return new TestProvider({
      gateUrl,
      secret: randomBytes(32).toString("base64"),
      order: (orderId: OrderId) => this.#checkout.desk.order(orderId),
      notify: (notification): Promise<HttpReply> => {
        const { cashier } = this.#checkout;
        return takeNotification(cashier.providers, notification, (notice) => cashier.settle(notice));
      },
      clock,
    });
  }
}
