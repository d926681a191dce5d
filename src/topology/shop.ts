/**
 * What stands around the purchase in one process: sales as the public sees them, orders and their payment, events and webhooks. It is put together
 * here, has its timers, and ends with the process.
 */
import { randomBytes } from "node:crypto";
import type { HttpReply, Route } from "../core/endpoint.ts";
import type { OrderId } from "../core/ids.ts";
import type { Throttle } from "../core/throttle.ts";
import type { Clock } from "../core/time.ts";
import { traceIds } from "../core/trace-id.ts";
import { chance } from "../edge/chance.ts";
import { timers } from "../edge/timers.ts";
import { sendWebhook } from "../edge/webhook-sender.ts";
import type { Post } from "../events/courier.ts";
import { withTraceparent } from "../events/delivery-trace.ts";
import type { EventSource } from "../events/event-source.ts";
import { EventStreams } from "../events/event-streams.ts";
import { eventRoutes, webhookRoutes } from "../events/routes.ts";
import type { WebhookBook } from "../events/webhook-book.ts";
import type { Identity } from "../identity/identity.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { EVENT_STREAM_TICK_MS } from "../limits.ts";
import { Cashier } from "../orders/cashier.ts";
import type { Checkout } from "../orders/checkout.ts";
import { type KeyClaims, KeyedRequests } from "../orders/keyed-requests.ts";
import { OrderDesk } from "../orders/order-desk.ts";
import { orderRoutes } from "../orders/routes.ts";
import { takeNotification } from "../payment/notifications.ts";
import type { PaymentProvider, Providers } from "../payment/provider.ts";
import type { NewRefund, RefundBook } from "../payment/refund-book.ts";
import { refundRoutes } from "../payment/refund-routes.ts";
import { Refunds } from "../payment/refunds.ts";
import { payPageRoutes, TestProvider } from "../payment/test-provider.ts";
import { SaleBoard } from "../sales/board.ts";
import type { SaleBook } from "../sales/sale-book.ts";
import { ShopperDoor, type ShopperDoorParts, shopperRoutes } from "../services/gate-keeper/shopper-door.ts";
import type { PolicyController } from "../services/policy-controller/service.ts";
import type { Settings } from "../settings/table.ts";

export interface ShopParts {
  readonly settings: Settings;
  readonly ledger: Ledger;
  readonly sales: Pick<SaleBook, "boughtUnder" | "sale" | "all">;
  readonly policies: Pick<PolicyController, "limitOf">;
  readonly events: EventSource;
  readonly webhooks: WebhookBook;
  readonly refundBook: RefundBook;
  /** Makes it durable that a payment goes back. */
  readonly saveRefund: (refund: NewRefund) => Promise<void>;
  readonly identity: Identity;
  readonly providers: readonly PaymentProvider[];
  /** Signs the demo's pay pages: the same for every process that may show one. */
  readonly demoSecret: string;
  readonly keysInFlight: Set<string>;
  /** `null`: no other process takes shoppers' requests. */
  readonly keyClaims: KeyClaims | null;
  /** The gate's. */
  readonly throttle: Throttle;
  /** The gate's address as this machine's browsers reach it. */
  readonly gateUrl: string;
  readonly clock: Clock;
  readonly onBug: (error: unknown) => void;
}

export class Shop {
  readonly refunds: Refunds;
  readonly board: SaleBoard;
  readonly #streams: EventStreams;
  readonly #parts: ShopParts;
  readonly #checkout: Checkout;
  readonly #keyed: KeyedRequests;
  readonly #testProvider: TestProvider | null;
  readonly #stopTicking: () => void;

  constructor(parts: ShopParts) {
    this.#parts = parts;
    const { settings, ledger, sales, events, clock, onBug } = parts;
    this.board = new SaleBoard({ book: sales, ledger, clock, availability: settings.shop.saleAvailability });
    this.#testProvider = settings.demo ? this.#openTestProvider() : null;
    const providers = this.#allProviders();
    this.refunds = new Refunds({ book: parts.refundBook, providers, clock, chance });
    this.#streams = new EventStreams(events, clock);
    // Ids that count up lie side by side in the store, which makes an order cheaper than ids by chance would.
    const newId = traceIds(randomBytes(16).toString("hex"));
    this.#keyed = new KeyedRequests({ replies: ledger, claims: parts.keyClaims, keysInFlight: parts.keysInFlight, newId, clock });
    this.#checkout = { desk: this.#openDesk(), cashier: this.#openCashier(providers) };
    this.#stopTicking = timers.every(
      EVENT_STREAM_TICK_MS,
      guarded(() => this.#streams.tick(), onBug),
    );
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
      ...eventRoutes(this.#parts.events, this.#streams),
      ...webhookRoutes(this.#parts.webhooks),
    ];
  }

  /** Begins to end: the event streams, which would keep their server from closing, and what calls others. */
  endStreams(): void {
    this.#streams.close();
    // No refund begins any more; those under way end while the servers close.
    void this.refunds.close();
  }

  /** After the servers have closed, before the store does. */
  async close(): Promise<void> {
    this.#stopTicking();
    await this.refunds.close();
  }

  #openDesk(): OrderDesk {
    const { settings, ledger, sales, clock } = this.#parts;
    const boughtUnder = sales.boughtUnder.bind(sales);
    return new OrderDesk({ ledger, boughtUnder, paymentWindowMs: settings.shop.paymentWindowMs, clock });
  }

  #openCashier(providers: Providers): Cashier {
    const { settings, ledger, sales, policies, refundBook, saveRefund, clock } = this.#parts;
    return new Cashier({
      ledger,
      providers,
      currency: settings.shop.currency,
      limitOf: (sku, { userLevel, placedAt }) => policies.limitOf(sku, userLevel, sales.boughtUnder(sku, placedAt)),
      isGoingBack: (payment) => refundBook.has(payment),
      requestRefund: (payment, orderId) => saveRefund(this.refunds.requested(payment, orderId)),
      clock,
    });
  }

  /** The demo's own comes last: whoever has configured another wants that one. */
  #allProviders(): Providers {
    const all = this.#testProvider ? [...this.#parts.providers, this.#testProvider] : this.#parts.providers;
    return new Map(all.map((provider) => [provider.name, provider]));
  }

  #openTestProvider(): TestProvider {
    const { gateUrl, demoSecret, clock } = this.#parts;
    return new TestProvider({
      gateUrl,
      secret: demoSecret,
      order: (orderId: OrderId) => this.#checkout.desk.order(orderId),
      notify: (notification): Promise<HttpReply> => {
        const { cashier } = this.#checkout;
        return takeNotification(cashier.providers, notification, (notice) => cashier.settle(notice));
      },
      clock,
    });
  }
}

/** A timer's work: a bug in it is told, and does not end the process. */
export const guarded =
  (tick: () => void, onBug: (error: unknown) => void): (() => void) =>
  () => {
    try {
      tick();
    } catch (error) {
      onBug(error);
    }
  };

/** Sends what webhooks are told, with the trace of the purchase that it came from, where purchases are traced. */
export const sender =
  ({ tracing }: Settings) =>
  (post: Post): ReturnType<typeof sendWebhook> =>
    sendWebhook(withTraceparent(post, tracing?.share ?? null));
