/** Money goes back once, whatever happens on the way: what every queue of refunds promises, with the provider as a real server. */
import { afterEach, describe, expect, test } from "bun:test";
import {
  REFUND_KEPT_MS,
  REFUND_RETRY_MS_MAX,
  REFUND_TRIED_FOR_MS,
  REFUNDS_IN_FLIGHT_MAX,
  REFUNDS_PER_PROVIDER_MAX,
} from "../src/limits.ts";
import { GenericProvider } from "../src/payment/generic-provider.ts";
import type { Fetch, PaymentProvider } from "../src/payment/provider.ts";
import { ORDER, opened, payment, type RefundProcess, type RefundsUnderTest, SECRET, Shop, START } from "./refund-shop.ts";
import { waitFor } from "./wait.ts";

/** Says no at once, as often as it is asked. */
const broken: PaymentProvider = {
  name: "broken",
  canRefund: true,
  start: () => Promise.reject(new Error("not asked for")),
  readNotification: () => ({ kind: "other" }),
  refund: () => Promise.reject(new Error("the till is locked")),
};

export function refundSuite(kept: string, openStore: () => Promise<RefundsUnderTest>): void {
  const openShop = async (fetch: Fetch = globalThis.fetch): Promise<Shop> => new Shop(await openStore(), fetch);
  afterEach(() => {
    for (const close of opened.splice(0).reverse()) close();
  });

  describe(`a refund, kept in ${kept},`, () => {
    test("is asked of its provider and told: requested, then refunded", async () => {
      const shop = await openShop();
      const process = shop.open();
      await process.request(payment("pi_1"));
      expect(shop.times).toEqual({});
      await process.refunds.work();
      expect(shop.times).toEqual({ pi_1: 1 });
      expect(await shop.store.told()).toEqual([
        { type: "payment.refund-requested", at: START, orderId: ORDER, payment: payment("pi_1"), detail: expect.any(String) },
        { type: "payment.refunded", at: START, orderId: ORDER, payment: payment("pi_1"), detail: expect.any(String) },
      ]);
      expect(await process.refunds.list(null, 0, 10)).toMatchObject([{ state: "done", payment: payment("pi_1"), orderId: ORDER }]);
    });

    test("of one payment is made once, however often it is requested, before and after it was made", async () => {
      const shop = await openShop();
      const process = shop.open();
      await process.request(payment("pi_1"), payment("pi_1"));
      await process.request(payment("pi_1"));
      await Promise.all([process.refunds.work(), process.refunds.work()]);
      await process.request(payment("pi_1"));
      await process.refunds.work();
      expect(shop.stripe.requests).toHaveLength(1);
      expect(await shop.told()).toEqual(["payment.refund-requested pi_1", "payment.refunded pi_1"]);
    });

    test("that fails is not asked for again before its time, and is made when the provider can", async () => {
      const shop = await openShop();
      shop.stripe.failures = [500, 500];
      const process = shop.open();
      await process.request(payment("pi_1"));
      await process.refunds.work();
      await process.refunds.work();
      const [waiting] = await process.refunds.list("due", 0, 10);
      expect(waiting).toMatchObject({ attempts: 1, lastError: expect.stringContaining("went wrong on our side") });
      expect(waiting?.nextAt).toBeGreaterThan(START);
      shop.clock.at = (waiting?.nextAt ?? 0) - 1;
      await process.refunds.work();
      expect(shop.times).toEqual({});
      shop.clock.at += 1;
      await process.refunds.work();
      expect(shop.times).toEqual({ pi_1: 1 });
      expect(await shop.told()).toEqual(["payment.refund-requested pi_1", "payment.refunded pi_1"]);
    });

    test("that failed while the clock was a day ahead does not wait for that day", async () => {
      const shop = await openShop();
      shop.stripe.failures = [500, 500];
      const process = shop.open();
      await process.request(payment("pi_1"));
      shop.clock.at = START + 24 * 3_600_000;
      await process.refunds.work();
      shop.clock.at = START + 1_000;
      await process.refunds.work();
      expect(shop.times).toEqual({ pi_1: 1 });
    });

    test("that fails for 72 hours is given up, once, and the operator is told why", async () => {
      const shop = await openShop();
      shop.providers = [broken];
      const process = shop.open();
      await process.request(payment("P-1", "broken"));
      for (; shop.clock.at <= START + REFUND_TRIED_FOR_MS + REFUND_RETRY_MS_MAX; shop.clock.at += REFUND_RETRY_MS_MAX / 2)
        await process.refunds.work();
      expect(await shop.told()).toEqual(["payment.refund-requested P-1", "payment.refund-failed P-1"]);
      expect((await shop.store.told())[1]?.detail).toContain("the till is locked");
      expect((await shop.store.told())[1]?.at).toBeGreaterThanOrEqual(START + REFUND_TRIED_FOR_MS);
      expect(await process.refunds.list("given-up", 0, 10)).toMatchObject([{ nextAt: null }]);
    });

    test("that was given up is made when the operator lets the system try again", async () => {
      const shop = await openShop();
      const process = shop.open();
      shop.stripe.failures = [500, 500];
      shop.clock.at = START - REFUND_TRIED_FOR_MS;
      await process.request(payment("pi_1"));
      shop.clock.at = START;
      await process.refunds.work();
      expect(await process.count("given-up")).toBe(1);
      const [given] = await process.refunds.list("given-up", 0, 1);
      expect(await process.refunds.tryAgain(given?.id ?? 0)).toMatchObject({ state: "due", nextAt: START });
      await process.refunds.work();
      expect(shop.times).toEqual({ pi_1: 1 });
      expect(await process.refunds.tryAgain(given?.id ?? 0)).toMatchObject({ state: "done" });
      expect(await process.refunds.tryAgain(99)).toBeNull();
    });

    test("of a provider without a refund address stays due and the operator is told at once; marked as done, it is done", async () => {
      const shop = await openShop();
      const template = "https://pay.example/{orderID}";
      shop.providers = [
        new GenericProvider(
          { name: "shop-pay", redirectTemplate: template, secrets: [SECRET], refundUrl: null },
          globalThis.fetch,
          shop.clock,
        ),
      ];
      const process = shop.open();
      await process.request(payment("P-1", "shop-pay"));
      await process.refunds.work();
      expect(await shop.told()).toEqual(["payment.refund-requested P-1", "payment.refund-failed P-1"]);
      const [due] = await process.refunds.list("due", 0, 10);
      expect(due).toMatchObject({ attempts: 0, nextAt: null });
      expect(await process.refunds.markDone(due?.id ?? 0)).toMatchObject({ state: "done" });
      expect(await process.refunds.markDone(due?.id ?? 0)).toMatchObject({ state: "done" });
      expect((await shop.told()).slice(2)).toEqual(["payment.refunded P-1"]);
    });

    test("of a provider that is not configured any more waits until it is again", async () => {
      const shop = await openShop();
      const [stripe] = shop.providers;
      shop.providers = [];
      const process = shop.open();
      await process.request(payment("pi_1"));
      await process.refunds.work();
      expect(await process.refunds.list("due", 0, 1)).toMatchObject([{ lastError: expect.stringContaining("stripe") }]);
      process.die();
      shop.providers = stripe ? [stripe] : [];
      shop.clock.at += REFUND_RETRY_MS_MAX;
      await shop.open().refunds.work();
      expect(shop.times).toEqual({ pi_1: 1 });
    });
  });

  describe(`many refunds, kept in ${kept},`, () => {
    test("are asked for a few at a time, and one look is enough for all that are due", async () => {
      let inFlight = 0;
      let inFlightMax = 0;
      const shop = await openShop(async (url, init) => {
        inFlight += 1;
        inFlightMax = Math.max(inFlightMax, inFlight);
        const response = await fetch(url, init);
        inFlight -= 1;
        return response;
      });
      const process = shop.open();
      const ids = Array.from({ length: 3 * REFUNDS_PER_PROVIDER_MAX }, (_, i) => `pi_${i}`);
      await process.request(...ids.map((id) => payment(id)));
      await Promise.all([process.refunds.work(), process.refunds.work()]);
      expect([await process.count("due"), inFlightMax]).toEqual([0, REFUNDS_PER_PROVIDER_MAX]);
      expect(shop.times).toEqual(Object.fromEntries(ids.map((id) => [id, 1])));
    });

    test("are all made although other providers do not answer, and hold what they may", async () => {
      const shop = await openShop();
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
      const process = shop.open();
      const ids = Array.from({ length: 2 * REFUNDS_PER_PROVIDER_MAX }, (_, i) => `pi_${i}`);
      for (const provider of ["hangs-1", "hangs-2", "stripe"]) await process.request(...ids.map((id) => payment(id, provider)));
      const working = process.refunds.work();
      await waitFor(async () => (await process.count("done")) === ids.length, "all of the provider that answers are made");
      await waitFor(() => asked === 2 * REFUNDS_PER_PROVIDER_MAX, "the others have what they may");
      // Those under way are due later now than the rest, and count all the same.
      shop.clock.at += 1;
      const underWay = (await process.refunds.list("due", 0, 2 * ids.length)).filter(
        (_, index) => index % ids.length < REFUNDS_PER_PROVIDER_MAX,
      );
      for (const { id } of underWay) await process.refunds.tryAgain(id);
      await process.refunds.work();
      expect(asked).toBe(2 * REFUNDS_PER_PROVIDER_MAX);
      answer.resolve();
      await working;
      expect([await process.count("due"), asked]).toEqual([0, 4 * REFUNDS_PER_PROVIDER_MAX]);
    });

    test("are bounded together, however many providers there are", async () => {
      const shop = await openShop();
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
      const process = shop.open();
      for (const name of names) await process.request(payment("P-1", name), payment("P-2", name));
      const working = process.refunds.work();
      await waitFor(() => inFlight === REFUNDS_IN_FLIGHT_MAX, "as many as may be are under way");
      answer.resolve();
      await working;
      expect(inFlightMax).toBe(REFUNDS_IN_FLIGHT_MAX);
    });

    test("are not asked for again and again when the store has stopped, which cannot note that they were made", async () => {
      const shop = await openShop();
      const process = shop.open();
      await process.request(payment("pi_1"));
      process.die();
      await process.refunds.work();
      expect(shop.stripe.requests).toHaveLength(1);
    });

    test("are listed by state, page by page", async () => {
      const process = (await openShop()).open();
      await process.request(payment("pi_1"), payment("pi_2"), payment("pi_3"));
      await process.refunds.markDone(2);
      const idsOf = (refunds: readonly { readonly id: number }[]): number[] => refunds.map(({ id }) => id);
      expect(idsOf(await process.refunds.list(null, 0, 2))).toEqual([1, 2]);
      expect(idsOf(await process.refunds.list(null, 2, 2))).toEqual([3]);
      expect(idsOf(await process.refunds.list("due", 1, 2))).toEqual([3]);
      expect(idsOf(await process.refunds.list("done", 0, 2))).toEqual([2]);
    });

    test("that were made are forgotten after their time; those that were not made never are", async () => {
      const shop = await openShop();
      const process = shop.open();
      await process.request(payment("pi_1"), payment("pi_2", "broken"));
      await process.refunds.work();
      shop.clock.at += REFUND_KEPT_MS;
      await process.refunds.work();
      expect((await process.refunds.list(null, 0, 10)).map(({ state }) => state)).toEqual(["done", "given-up"]);
      shop.clock.at += REFUND_KEPT_MS;
      await process.refunds.work();
      expect((await process.refunds.list(null, 0, 10)).map(({ state }) => state)).toEqual(["given-up"]);
    });
  });

  describe(`a process that dies, kept in ${kept},`, () => {
    test("before it has asked leaves the refund to the next one", async () => {
      const shop = await openShop();
      const first = shop.open();
      await first.request(payment("pi_1"));
      first.die();
      const second = shop.open();
      await second.refunds.work();
      expect(shop.times).toEqual({ pi_1: 1 });
      expect(await shop.told()).toEqual(["payment.refund-requested pi_1", "payment.refunded pi_1"]);
    });

    test("between the provider's answer and its own note of it asks again with the same key: the money goes back once", async () => {
      let dying: RefundProcess | null = null;
      const shop = await openShop(async (url, init) => {
        const response = await fetch(url, init);
        dying?.die();
        return response;
      });
      dying = shop.open();
      await dying.request(payment("pi_1"));
      await dying.refunds.work();
      expect(await shop.told()).toEqual(["payment.refund-requested pi_1"]);
      dying = null;
      const second = shop.open();
      expect(await second.refunds.list("due", 0, 10)).toHaveLength(1);
      await second.refunds.work();
      expect(shop.stripe.requests.map(({ key }) => key)).toEqual(["refund-pi_1", "refund-pi_1"]);
      expect(shop.times).toEqual({ pi_1: 1 });
      expect(await shop.told()).toEqual(["payment.refund-requested pi_1", "payment.refunded pi_1"]);
    });

    test("in the turn that requested a refund has neither requested it nor told so", async () => {
      const shop = await openShop();
      await shop.open().requestInVain(payment("pi_1"));
      const second = shop.open();
      expect([await second.refunds.list(null, 0, 10), await shop.told()]).toEqual([[], []]);
    });

    test("on purpose waits for what is in flight and starts nothing more", async () => {
      const asked = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<void>();
      const shop = await openShop(async (url, init) => {
        asked.resolve();
        await answer.promise;
        return fetch(url, init);
      });
      const process = shop.open();
      await process.request(payment("pi_1"));
      const working = process.refunds.work();
      await asked.promise;
      const closing = process.refunds.close();
      await process.request(payment("pi_2"));
      await process.refunds.work();
      answer.resolve();
      await Promise.all([working, closing]);
      expect((await process.refunds.list(null, 0, 10)).map(({ state }) => state)).toEqual(["done", "due"]);
      expect(shop.times).toEqual({ pi_1: 1 });
    });
  });
}
