/** Money goes back once, whatever happens on the way: the queue over a real store, the provider as a real server. */
import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeStripe } from "../../test/fake-stripe.ts";
import { waitFor } from "../../test/system.ts";
import type { OrderId } from "../core/ids.ts";
import { GroupCommit } from "../edge/group-commit.ts";
import type { Payment } from "../ledger/ledger.ts";
import { REFUND_KEPT_MS, REFUND_RETRY_MS_MAX, REFUND_TRIED_FOR_MS, REFUNDS_IN_FLIGHT_MAX, REFUNDS_PER_PROVIDER_MAX } from "../limits.ts";
import { GenericProvider } from "./generic-provider.ts";
import type { PaymentEvent } from "./payment-event.ts";
import type { Fetch, PaymentProvider } from "./provider.ts";
import { REFUNDS_SCHEMA, RefundStore } from "./refund-store.ts";
import { Refunds } from "./refunds.ts";
import { StripeProvider } from "./stripe-provider.ts";

const START = 1_800_000_000_000;
const ORDER = "O-1" as OrderId;
const SECRET = `whsec_${Buffer.from("a secret of thirty-two characters").toString("base64")}`;
const payment = (paymentId: string, provider = "stripe"): Payment => ({ provider, paymentId, amountCents: 9_990, currency: "eur" });

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0).reverse()) close();
});

/** A process: what it has in memory ends with it, the folder stays. */
class Process {
  readonly db: Database;
  readonly commit: GroupCommit;
  readonly refunds: Refunds;
  readonly events: PaymentEvent[] = [];

  constructor(shop: Shop) {
    this.db = new Database(join(shop.folder, "db"));
    this.commit = new GroupCommit(this.db, (failure) => {
      throw failure;
    });
    opened.push(() => this.db.close());
    this.refunds = new Refunds({
      store: new RefundStore(this.db),
      turns: this.commit,
      providers: new Map(shop.providers.map((provider) => [provider.name, provider])),
      emit: (event) => {
        expect(this.db.inTransaction).toBe(true);
        this.events.push(event);
      },
      clock: shop.clock,
      chance: () => 0.5,
    });
  }

  request(...payments: Payment[]): Promise<void> {
    return this.commit.turn(() => {
      for (const one of payments) this.refunds.request(one, ORDER);
    });
  }

  /** Nothing that is still on its way is made durable any more. */
  die(): void {
    this.commit.close();
  }

  get told(): string[] {
    return this.events.map(({ type, payment: { paymentId } }) => `${type} ${paymentId}`);
  }
}

class Shop {
  readonly folder = mkdtempSync(join(tmpdir(), "doorbuster-refunds-"));
  readonly stripe = new FakeStripe();
  readonly clock = { at: START, now: () => this.clock.at, monotonicUs: () => 0 };
  providers: PaymentProvider[];

  constructor(fetch: Fetch = globalThis.fetch) {
    const settings = { secretKey: "sk_test_secret", webhookSecrets: [SECRET], baseUrl: this.stripe.url };
    this.providers = [new StripeProvider(settings, fetch, this.clock)];
    const db = new Database(join(this.folder, "db"));
    db.run("pragma journal_mode = wal");
    db.run(REFUNDS_SCHEMA);
    db.close();
    opened.push(() => {
      this.stripe.stop();
      rmSync(this.folder, { recursive: true });
    });
  }

  get times(): Record<string, number> {
    return Object.fromEntries(this.stripe.refunded);
  }
}

/** Says no at once, as often as it is asked. */
const broken: PaymentProvider = {
  name: "broken",
  canRefund: true,
  start: () => Promise.reject(new Error("not asked for")),
  readNotification: () => ({ kind: "other" }),
  refund: () => Promise.reject(new Error("the till is locked")),
};

describe("a refund", () => {
  test("is asked of its provider and told: requested, then refunded", async () => {
    const shop = new Shop();
    const process = new Process(shop);
    await process.request(payment("pi_1"));
    expect(shop.times).toEqual({});
    await process.refunds.work();
    expect(shop.times).toEqual({ pi_1: 1 });
    expect(process.events).toEqual([
      { type: "payment.refund-requested", at: START, orderId: ORDER, payment: payment("pi_1"), detail: expect.any(String) },
      { type: "payment.refunded", at: START, orderId: ORDER, payment: payment("pi_1"), detail: expect.any(String) },
    ]);
    expect(process.refunds.list(null, 0, 10)).toMatchObject([{ state: "done", payment: payment("pi_1"), orderId: ORDER }]);
  });

  test("of one payment is made once, however often it is requested, before and after it was made", async () => {
    const shop = new Shop();
    const process = new Process(shop);
    await process.request(payment("pi_1"), payment("pi_1"));
    await process.request(payment("pi_1"));
    await Promise.all([process.refunds.work(), process.refunds.work()]);
    await process.request(payment("pi_1"));
    await process.refunds.work();
    expect(shop.stripe.requests).toHaveLength(1);
    expect(process.told).toEqual(["payment.refund-requested pi_1", "payment.refunded pi_1"]);
  });

  test("that fails is not asked for again before its time, and is made when the provider can", async () => {
    const shop = new Shop();
    shop.stripe.failures = [500, 500];
    const process = new Process(shop);
    await process.request(payment("pi_1"));
    await process.refunds.work();
    await process.refunds.work();
    const [waiting] = process.refunds.list("due", 0, 10);
    expect(waiting).toMatchObject({ attempts: 1, lastError: expect.stringContaining("went wrong on our side") });
    expect(waiting?.nextAt).toBeGreaterThan(START);
    shop.clock.at = (waiting?.nextAt ?? 0) - 1;
    await process.refunds.work();
    expect(shop.times).toEqual({});
    shop.clock.at += 1;
    await process.refunds.work();
    expect(shop.times).toEqual({ pi_1: 1 });
    expect(process.told).toEqual(["payment.refund-requested pi_1", "payment.refunded pi_1"]);
  });

  test("that failed while the clock was a day ahead does not wait for that day", async () => {
    const shop = new Shop();
    shop.stripe.failures = [500, 500];
    const process = new Process(shop);
    await process.request(payment("pi_1"));
    shop.clock.at = START + 24 * 3_600_000;
    await process.refunds.work();
    shop.clock.at = START + 1_000;
    await process.refunds.work();
    expect(shop.times).toEqual({ pi_1: 1 });
  });

  test("that fails for 72 hours is given up, once, and the operator is told why", async () => {
    const shop = new Shop();
    shop.providers = [broken];
    const process = new Process(shop);
    await process.request(payment("P-1", "broken"));
    for (; shop.clock.at <= START + REFUND_TRIED_FOR_MS + REFUND_RETRY_MS_MAX; shop.clock.at += REFUND_RETRY_MS_MAX / 2)
      await process.refunds.work();
    expect(process.told).toEqual(["payment.refund-requested P-1", "payment.refund-failed P-1"]);
    expect(process.events[1]?.detail).toContain("the till is locked");
    expect(process.events[1]?.at).toBeGreaterThanOrEqual(START + REFUND_TRIED_FOR_MS);
    expect(process.refunds.list("given-up", 0, 10)).toMatchObject([{ nextAt: null }]);
  });

  test("that was given up is made when the operator lets the system try again", async () => {
    const shop = new Shop();
    const process = new Process(shop);
    shop.stripe.failures = [500, 500];
    shop.clock.at = START - REFUND_TRIED_FOR_MS;
    await process.request(payment("pi_1"));
    shop.clock.at = START;
    await process.refunds.work();
    expect(process.refunds.count("given-up")).toBe(1);
    const [given] = process.refunds.list("given-up", 0, 1);
    expect(await process.refunds.tryAgain(given?.id ?? 0)).toMatchObject({ state: "due", nextAt: START });
    await process.refunds.work();
    expect(shop.times).toEqual({ pi_1: 1 });
    expect(await process.refunds.tryAgain(given?.id ?? 0)).toMatchObject({ state: "done" });
    expect(await process.refunds.tryAgain(99)).toBeNull();
  });

  test("of a provider without a refund address stays due and the operator is told at once; marked as done, it is done", async () => {
    const shop = new Shop();
    const template = "https://pay.example/{orderID}";
    shop.providers = [
      new GenericProvider(
        { name: "shop-pay", redirectTemplate: template, secrets: [SECRET], refundUrl: null },
        globalThis.fetch,
        shop.clock,
      ),
    ];
    const process = new Process(shop);
    await process.request(payment("P-1", "shop-pay"));
    await process.refunds.work();
    expect(process.told).toEqual(["payment.refund-requested P-1", "payment.refund-failed P-1"]);
    const [due] = process.refunds.list("due", 0, 10);
    expect(due).toMatchObject({ attempts: 0, nextAt: null });
    expect(await process.refunds.markDone(due?.id ?? 0)).toMatchObject({ state: "done" });
    expect(await process.refunds.markDone(due?.id ?? 0)).toMatchObject({ state: "done" });
    expect(process.told.slice(2)).toEqual(["payment.refunded P-1"]);
  });

  test("of a provider that is not configured any more waits until it is again", async () => {
    const shop = new Shop();
    const [stripe] = shop.providers;
    shop.providers = [];
    const process = new Process(shop);
    await process.request(payment("pi_1"));
    await process.refunds.work();
    expect(process.refunds.list("due", 0, 1)).toMatchObject([{ lastError: expect.stringContaining("stripe") }]);
    process.die();
    shop.providers = stripe ? [stripe] : [];
    shop.clock.at += REFUND_RETRY_MS_MAX;
    await new Process(shop).refunds.work();
    expect(shop.times).toEqual({ pi_1: 1 });
  });
});

describe("many refunds", () => {
  test("are asked for a few at a time, and one look is enough for all that are due", async () => {
    let inFlight = 0;
    let inFlightMax = 0;
    const shop = new Shop(async (url, init) => {
      inFlight += 1;
      inFlightMax = Math.max(inFlightMax, inFlight);
      const response = await fetch(url, init);
      inFlight -= 1;
      return response;
    });
    const process = new Process(shop);
    const ids = Array.from({ length: 3 * REFUNDS_PER_PROVIDER_MAX }, (_, i) => `pi_${i}`);
    await process.request(...ids.map((id) => payment(id)));
    await Promise.all([process.refunds.work(), process.refunds.work()]);
    expect([process.refunds.count("due"), inFlightMax]).toEqual([0, REFUNDS_PER_PROVIDER_MAX]);
    expect(shop.times).toEqual(Object.fromEntries(ids.map((id) => [id, 1])));
  });

  test("are all made although other providers do not answer, and hold what they may", async () => {
    const shop = new Shop();
    const answer = Promise.withResolvers<void>();
    let asked = 0;
    const hanging = ["hangs-1", "hangs-2"].map((name) => ({
      ...{ ...broken, name },
      refund: () => {
        asked += 1;
        return answer.promise;
      },
    }));
    shop.providers = [...hanging, ...shop.providers];
    const process = new Process(shop);
    const ids = Array.from({ length: 2 * REFUNDS_PER_PROVIDER_MAX }, (_, i) => `pi_${i}`);
    for (const provider of ["hangs-1", "hangs-2", "stripe"]) await process.request(...ids.map((id) => payment(id, provider)));
    const working = process.refunds.work();
    await waitFor(() => process.refunds.count("done") === ids.length, "all of the provider that answers are made");
    expect(asked).toBe(2 * REFUNDS_PER_PROVIDER_MAX);
    // Those under way are due later now than the rest, and count all the same.
    shop.clock.at += 1;
    const underWay = process.refunds.list("due", 0, 2 * ids.length).filter((_, index) => index % ids.length < REFUNDS_PER_PROVIDER_MAX);
    for (const { id } of underWay) await process.refunds.tryAgain(id);
    await process.refunds.work();
    expect(asked).toBe(2 * REFUNDS_PER_PROVIDER_MAX);
    answer.resolve();
    await working;
    expect([process.refunds.count("due"), asked]).toEqual([0, 4 * REFUNDS_PER_PROVIDER_MAX]);
  });

  test("are bounded together, however many providers there are", async () => {
    const shop = new Shop();
    const answer = Promise.withResolvers<void>();
    let inFlight = 0;
    let inFlightMax = 0;
    const names = Array.from({ length: REFUNDS_IN_FLIGHT_MAX }, (_, i) => `hangs-${i}`);
    shop.providers = names.map((name) => ({
      ...{ ...broken, name },
      refund: async () => {
        inFlight += 1;
        inFlightMax = Math.max(inFlightMax, inFlight);
        await answer.promise;
        inFlight -= 1;
      },
    }));
    const process = new Process(shop);
    for (const name of names) await process.request(payment("P-1", name), payment("P-2", name));
    const working = process.refunds.work();
    answer.resolve();
    await working;
    expect(inFlightMax).toBe(REFUNDS_IN_FLIGHT_MAX);
  });

  test("are not asked for again and again when the store has stopped, which cannot note that they were made", async () => {
    const shop = new Shop();
    const process = new Process(shop);
    await process.request(payment("pi_1"));
    process.die();
    await process.refunds.work();
    expect(shop.stripe.requests).toHaveLength(1);
  });

  test("are listed by state, page by page", async () => {
    const process = new Process(new Shop());
    await process.request(payment("pi_1"), payment("pi_2"), payment("pi_3"));
    await process.refunds.markDone(2);
    const idsOf = (refunds: readonly { readonly id: number }[]): number[] => refunds.map(({ id }) => id);
    expect(idsOf(process.refunds.list(null, 0, 2))).toEqual([1, 2]);
    expect(idsOf(process.refunds.list(null, 2, 2))).toEqual([3]);
    expect(idsOf(process.refunds.list("due", 1, 2))).toEqual([3]);
    expect(idsOf(process.refunds.list("done", 0, 2))).toEqual([2]);
  });

  test("that were made are forgotten after their time; those that were not made never are", async () => {
    const shop = new Shop();
    const process = new Process(shop);
    await process.request(payment("pi_1"), payment("pi_2", "broken"));
    await process.refunds.work();
    shop.clock.at += REFUND_KEPT_MS;
    await process.refunds.work();
    expect(process.refunds.list(null, 0, 10).map(({ state }) => state)).toEqual(["done", "given-up"]);
    shop.clock.at += REFUND_KEPT_MS;
    await process.refunds.work();
    expect(process.refunds.list(null, 0, 10).map(({ state }) => state)).toEqual(["given-up"]);
  });
});

describe("a process that dies", () => {
  test("before it has asked leaves the refund to the next one", async () => {
    const shop = new Shop();
    const first = new Process(shop);
    await first.request(payment("pi_1"));
    first.die();
    const second = new Process(shop);
    await second.refunds.work();
    expect(shop.times).toEqual({ pi_1: 1 });
    expect(second.told).toEqual(["payment.refunded pi_1"]);
  });

  test("between the provider's answer and its own note of it asks again with the same key: the money goes back once", async () => {
    let dying: Process | null = null;
    const shop = new Shop(async (url, init) => {
      const response = await fetch(url, init);
      dying?.die();
      return response;
    });
    dying = new Process(shop);
    await dying.request(payment("pi_1"));
    await dying.refunds.work();
    expect(dying.told).toEqual(["payment.refund-requested pi_1"]);
    dying = null;
    const second = new Process(shop);
    expect(second.refunds.list("due", 0, 10)).toHaveLength(1);
    await second.refunds.work();
    expect(shop.stripe.requests.map(({ key }) => key)).toEqual(["refund-pi_1", "refund-pi_1"]);
    expect(shop.times).toEqual({ pi_1: 1 });
    expect(second.told).toEqual(["payment.refunded pi_1"]);
  });

  test("in the turn that requested a refund has neither requested it nor told so", async () => {
    const shop = new Shop();
    const first = new Process(shop);
    first.db.run("begin");
    first.refunds.request(payment("pi_1"), ORDER);
    first.db.run("rollback");
    const second = new Process(shop);
    expect(second.refunds.list(null, 0, 10)).toEqual([]);
  });

  test("on purpose waits for what is in flight and starts nothing more", async () => {
    const answer = Promise.withResolvers<void>();
    const shop = new Shop(async (url, init) => {
      await answer.promise;
      return fetch(url, init);
    });
    const process = new Process(shop);
    await process.request(payment("pi_1"));
    const working = process.refunds.work();
    const closing = process.refunds.close();
    await process.request(payment("pi_2"));
    await process.refunds.work();
    answer.resolve();
    await Promise.all([working, closing]);
    expect(process.refunds.list(null, 0, 10).map(({ state }) => state)).toEqual(["done", "due"]);
    expect(shop.times).toEqual({ pi_1: 1 });
  });
});
