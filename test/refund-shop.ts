/** A shop that owes refunds: processes over one store, Stripe as a real server, a clock that is moved by hand. */
import type { OrderId } from "../src/core/ids.ts";
import type { Clock } from "../src/core/time.ts";
import type { StoredEvent } from "../src/events/stored-event.ts";
import type { Payment } from "../src/ledger/ledger.ts";
import type { PaymentEvent } from "../src/payment/payment-event.ts";
import type { Fetch, PaymentProvider } from "../src/payment/provider.ts";
import type { RefundState } from "../src/payment/refund-schedule.ts";
import type { RefundParts, Refunds } from "../src/payment/refunds.ts";
import { StripeProvider } from "../src/payment/stripe-provider.ts";
import { FakeStripe } from "./fake-stripe.ts";

export const START = 1_800_000_000_000;
export const ORDER = "O-1" as OrderId;
export const SECRET = `whsec_${Buffer.from("a secret of thirty-two characters").toString("base64")}`;
export const payment = (paymentId: string, provider = "stripe"): Payment => ({ provider, paymentId, amountCents: 9_990, currency: "eur" });

/** A process: what it has in memory ends with it, the store stays. */
export interface RefundProcess {
  readonly refunds: Refunds;
  request(...payments: readonly Payment[]): Promise<void>;
  /** In a change that is not committed. */
  requestInVain(payment: Payment): Promise<void>;
  /** Nothing that is still on its way is made durable any more. */
  die(): void;
}

export interface RefundsUnderTest {
  open(parts: Omit<RefundParts, "book">): RefundProcess;
  /** By whichever process, oldest first. */
  told(): Promise<readonly PaymentEvent[]>;
  close(): void;
}

/** What an outbox tells of refunds. */
export const toldIn = (events: readonly StoredEvent[]): readonly PaymentEvent[] =>
  events.map(({ text }) => {
    const { type, timestamp, data } = JSON.parse(text) as { type: PaymentEvent["type"]; timestamp: string; data: ToldData };
    const { provider, paymentID, amount, currency } = data.payment;
    const told = { provider, paymentId: paymentID, amountCents: Math.round(amount * 100), currency };
    return { type, at: Date.parse(timestamp), orderId: data.orderID, payment: told, detail: data.detail };
  });

interface ToldData {
  readonly orderID: OrderId;
  readonly payment: { readonly provider: string; readonly paymentID: string; readonly amount: number; readonly currency: string };
  readonly detail: string;
}

export const opened: (() => void)[] = [];

export class Shop {
  readonly stripe = new FakeStripe();
  readonly clock: Clock & { at: number } = { at: START, now: () => this.clock.at, monotonicUs: () => 0 };
  readonly store: RefundsUnderTest;
  providers: PaymentProvider[];

  constructor(store: RefundsUnderTest, fetch: Fetch) {
    this.store = store;
    const settings = { secretKey: "sk_test_secret", webhookSecrets: [SECRET], baseUrl: this.stripe.url };
    this.providers = [new StripeProvider(settings, fetch, this.clock)];
    opened.push(() => {
      this.stripe.stop();
      this.store.close();
    });
  }

  open(): RefundProcess & { count(state: RefundState): Promise<number> } {
    const providers = new Map(this.providers.map((provider) => [provider.name, provider]));
    const process = this.store.open({ providers, clock: this.clock, chance: () => 0.5 });
    return { ...process, count: async (state) => (await process.refunds.list(state, 0, 10_000)).length };
  }

  get times(): Record<string, number> {
    return Object.fromEntries(this.stripe.refunded);
  }

  async told(): Promise<string[]> {
    return (await this.store.told()).map(({ type, payment: { paymentId } }) => `${type} ${paymentId}`);
  }
}
