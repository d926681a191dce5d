/** PolicyController over every store and a ledger in memory: the order of its verdicts, what counts against a limit, and what survives. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type OpenStore, overEveryStore, type Store } from "../../../test/table-stores.ts";
import type { OrderId, SaleId, SessionId, Sku, UserId } from "../../core/ids.ts";
import { Throttle } from "../../core/throttle.ts";
import { EmbeddedLedger } from "../../ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../../ledger/embedded/memory-journal.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { TIERS_PER_SKU_MAX } from "../../limits.ts";
import type { SaleTerms } from "../../sales/sale.ts";
import { type PolicyCheck, PolicyController } from "./service.ts";

const SKU = "SKU1" as Sku;
const OPEN = "SKU2" as Sku;
const NOW = 1_000;
const FROZEN_FOR_MS = 60_000;

class Office {
  readonly ledger = new EmbeddedLedger(new MemoryJournal());
  /** The terms of the SKUs that are in a sale. */
  readonly terms = new Map<Sku, SaleTerms>();
  readonly sales = { termsOf: (sku: Sku) => this.terms.get(sku) ?? null };
  now = NOW;

  private constructor(
    readonly store: Store,
    readonly burst: number | null,
    public controller: PolicyController,
  ) {}

  static async open(open: OpenStore, burst: number | null = null): Promise<Office> {
    const office = new Office(await open(), burst, null as never);
    await office.restart();
    return office;
  }

  /** Another life over the same store. */
  async restart(): Promise<PolicyController> {
    const clock = { now: () => this.now, monotonicUs: () => 0 };
    const throttle = new Throttle({ ratePerSecond: this.burst === null ? null : 1, burst: this.burst ?? 1 }, clock);
    this.controller = new PolicyController(await this.store.policies(), this.ledger, throttle, clock, this.sales);
    return this.controller;
  }

  async allow(userLevel: number, quantityLimit: number, sku = SKU): Promise<void> {
    await this.controller.put(sku, { userLevel, quantityLimit }, "add");
  }

  async hold(userId: string, quantity: number, sku = SKU): Promise<void> {
    await this.ledger.stock([{ verb: "stock", mode: "put", sku, onHand: 1_000, priceCents: 1 }], NOW);
    const command = { sku, userId: userId as UserId, quantity, limit: 0, frozenForMs: FROZEN_FOR_MS, sessionId: "s" as SessionId };
    await this.ledger.hold([{ verb: "hold", ...command, opensAt: 0, closesAt: 0, key: null }], NOW);
  }
}

const check = (userId: string, userLevel: number, quantity: number, sku = SKU): PolicyCheck => ({
  sessionId: "s" as SessionId,
  ...{ userId: userId as UserId, userLevel, sku, quantity },
});

overEveryStore((openStore) => {
  describe("the verdict", () => {
    test("has one order: throttled, level too low, limit reached; each of these breaks the later rules too", async () => {
      const office = await Office.open(openStore, 3);
      await office.allow(2, 5);
      const verdicts = await office.controller.validate([check("A", 1, 6), check("A", 2, 6), check("A", 2, 5), check("A", 1, 6)]);
      expect(verdicts).toEqual([
        { allowed: false, reason: "level-too-low", orderQuantity: 6, quantityLimit: 0, sale: null },
        { allowed: false, reason: "limit-reached", orderQuantity: 6, quantityLimit: 5, sale: null },
        { allowed: true, reason: null, orderQuantity: 5, quantityLimit: 5, sale: null },
        { allowed: false, reason: "throttled", orderQuantity: 6, quantityLimit: 0, sale: null },
      ]);
    });

    test("counts what each user has, also when a policy goes while the ledger is asked", async () => {
      const office = await Office.open(openStore);
      for (const sku of [SKU, OPEN]) await office.allow(1, 5, sku);
      await office.hold("B", 5, OPEN);
      const { ledger, controller } = office;
      // A ledger behind a network would take as long.
      const slowLines = async (...asked: Parameters<Ledger["lines"]>) => {
        await controller.remove(SKU);
        return EmbeddedLedger.prototype.lines.apply(ledger, asked);
      };
      Object.assign(ledger, { lines: slowLines });
      const [, second] = await controller.validate([check("A", 1, 1), check("B", 1, 1, OPEN)]);
      expect(second).toEqual({ allowed: false, reason: "limit-reached", orderQuantity: 6, quantityLimit: 5, sale: null });
    });

    test("counts what is ordered, waits for payment, is frozen and is asked, and nothing else", async () => {
      const office = await Office.open(openStore);
      await office.allow(1, 10);
      await office.controller.record({ verb: "record", mode: "put", userId: "A" as UserId, sku: SKU, userLevel: 1, ordered: 4 });
      await office.hold("A", 2);
      const order = {
        orderId: "O1" as OrderId,
        items: [{ sku: SKU, priceCents: 1 }],
        userId: "A" as UserId,
        userLevel: 1,
        windowMs: FROZEN_FOR_MS,
      };
      await office.ledger.place([{ verb: "place", ...order }], NOW);
      await office.hold("A", 3);
      // Neither another user's goods nor other goods of this user count.
      await office.hold("B", 50);
      await office.hold("A", 50, OPEN);
      const verdicts = await office.controller.validate([check("A", 1, 1), check("A", 1, 2)]);
      expect(verdicts).toEqual([
        { allowed: true, reason: null, orderQuantity: 10, quantityLimit: 10, sale: null },
        { allowed: false, reason: "limit-reached", orderQuantity: 11, quantityLimit: 10, sale: null },
      ]);
    });

    test("on goods without a policy allows everyone everything", async () => {
      const office = await Office.open(openStore);
      await office.allow(5, 1);
      await office.hold("A", 500, OPEN);
      expect(await office.controller.validate([check("A", 0, 1_000_000, OPEN)])).toEqual([
        { allowed: true, reason: null, orderQuantity: 1_000_000, quantityLimit: 0, sale: null },
      ]);
    });

    test("is the same in a batch as alone, whatever the mix of users, levels and goods", async () => {
      const office = await Office.open(openStore);
      await office.allow(1, 3);
      await office.allow(4, 6);
      await office.allow(2, 2, "SKU3" as Sku);
      await office.hold("A", 2);
      await office.hold("B", 1, "SKU3" as Sku);
      await office.hold("B", 4, OPEN);
      const anyCheck = fc
        .tuple(fc.constantFrom("A", "B", "C"), fc.nat({ max: 6 }), fc.integer({ min: 1, max: 7 }), fc.constantFrom("SKU1", "SKU2", "SKU3"))
        .map(([userId, level, quantity, sku]) => check(userId, level, quantity, sku as Sku));
      await fc.assert(
        fc.asyncProperty(fc.array(anyCheck, { maxLength: 12 }), async (checks) => {
          const alone = await Promise.all(checks.map(async (one) => (await office.controller.validate([one]))[0]));
          expect(await office.controller.validate(checks)).toEqual(alone as never);
        }),
        { numRuns: 200, seed: 1 },
      );
    });

    test("of a throttled request is 429, with the documented body", async () => {
      const office = await Office.open(openStore, 1);
      await office.controller.validate([check("A", 1, 1)]);
      const { status, headers, body } = await office.controller.reply(check("A", 1, 2));
      expect([status, headers?.["retry-after"]]).toEqual([429, "1"]);
      expect(JSON.parse(body as string)).toEqual({
        ...{ sessionID: "s", userID: "A", goodsSKU: "SKU1", userLevel: 1, orderQuantity: 2 },
        ...{ isAllowed: false, isThrottled: true, version: "1.0", quantityLimit: 0, reason: "throttled" },
      });
    });
  });

  describe("the verdict on goods in a sale", () => {
    const terms = (changes: Partial<SaleTerms> = {}): SaleTerms => ({
      ...{ saleId: "S1" as SaleId, opensAt: NOW, closesAt: NOW + 10, priceCents: 990, quantityLimit: 0 },
      ...{ frozenForMs: null, paymentWindowMs: null, isPaused: false },
      ...changes,
    });
    const reasonAt = async (office: Office, now: number, one = check("A", 0, 9)) => {
      office.now = now;
      const [verdict] = await office.controller.validate([one]);
      return verdict?.reason;
    };

    test("is exact: refused a millisecond before the start, allowed at it and a millisecond before the end, refused at the end", async () => {
      const office = await Office.open(openStore);
      office.terms.set(SKU, terms());
      const reasons: unknown[] = [];
      for (const now of [NOW - 1, NOW, NOW + 9, NOW + 10]) reasons.push(await reasonAt(office, now));
      expect(reasons).toEqual(["not-started", null, null, "ended"]);
    });

    test("has one order: throttled, ended, not started, paused, level too low, limit reached; each of these breaks the later rules too", async () => {
      const office = await Office.open(openStore, 4);
      await office.allow(2, 5);
      office.terms.set(SKU, terms({ isPaused: true, quantityLimit: 1 }));
      const reasons: unknown[] = [];
      for (const now of [NOW + 10, NOW - 1, NOW]) reasons.push(await reasonAt(office, now));
      office.terms.set(SKU, terms({ quantityLimit: 1 }));
      reasons.push(await reasonAt(office, NOW));
      reasons.push(await reasonAt(office, NOW + 10));
      expect(reasons).toEqual(["ended", "not-started", "paused", "level-too-low", "throttled"]);
      const another = await Office.open(openStore);
      await another.allow(0, 5);
      another.terms.set(SKU, terms({ quantityLimit: 1 }));
      expect(await reasonAt(another, NOW)).toBe("limit-reached");
    });

    test("counts against the smaller of the tier's limit and the sale's, where there is one", async () => {
      const limits = [
        { tier: 5, sale: 3, counts: 3 },
        { tier: 3, sale: 5, counts: 3 },
        { tier: 3, sale: 0, counts: 3 },
        { tier: null, sale: 3, counts: 3 },
        { tier: null, sale: 0, counts: 0 },
      ];
      for (const { tier, sale, counts } of limits) {
        const office = await Office.open(openStore);
        if (tier !== null) await office.allow(0, tier);
        office.terms.set(SKU, terms({ quantityLimit: sale }));
        await office.hold("A", 2);
        const verdicts = await office.controller.validate([check("A", 0, 1), check("A", 0, 2)]);
        const told = verdicts.map(({ allowed, quantityLimit }) => ({ allowed, quantityLimit }));
        expect({ tier, sale, told }).toEqual({
          ...{ tier, sale },
          told: [
            { allowed: true, quantityLimit: counts },
            { allowed: counts === 0, quantityLimit: counts },
          ],
        });
      }
    });

    test("carries the very terms that counted, allowed or refused; goods in no sale carry none", async () => {
      const office = await Office.open(openStore);
      const [open, closed] = [terms(), terms({ opensAt: NOW + 1 })];
      office.terms.set(SKU, open);
      office.terms.set("SKU3" as Sku, closed);
      const checks = [check("A", 0, 1), check("A", 0, 1, "SKU3" as Sku), check("A", 0, 1, OPEN)];
      const verdicts = await office.controller.validate(checks);
      expect(verdicts.map(({ sale }) => sale)).toEqual([open, closed, null]);
      expect(verdicts[0]?.sale).toBe(open);
    });

    test("of goods that nobody can buy now, or that everybody can, asks the ledger nothing", async () => {
      const office = await Office.open(openStore);
      await office.allow(0, 5);
      let looks = 0;
      const lines = office.ledger.lines.bind(office.ledger);
      office.ledger.lines = (of, now) => {
        looks += of.length;
        return lines(of, now);
      };
      office.terms.set(SKU, terms({ opensAt: NOW + 1, quantityLimit: 1 }));
      office.terms.set(OPEN, terms());
      await office.controller.validate([check("A", 0, 1), check("A", 0, 1, OPEN), check("A", 0, 1, "SKU3" as Sku)]);
      expect(looks).toBe(0);
      office.terms.set(OPEN, terms({ quantityLimit: 1 }));
      await office.controller.validate([check("A", 0, 1, OPEN)]);
      expect(looks).toBe(1);
    });

    test("of a sale that has not started says when it opens", async () => {
      const office = await Office.open(openStore);
      office.terms.set(SKU, terms({ opensAt: NOW + 5 }));
      const body = async () => JSON.parse((await office.controller.reply(check("A", 1, 2))).body as string);
      expect(await body()).toEqual({
        ...{ sessionID: "s", userID: "A", goodsSKU: "SKU1", userLevel: 1, orderQuantity: 2, isAllowed: false },
        ...{ isThrottled: false, version: "1.0", quantityLimit: 0, reason: "not-started", opensAt: NOW + 5 },
      });
      office.now = NOW + 10;
      expect(Object.keys(await body())).not.toContain("opensAt");
    });
  });

  describe("a policy", () => {
    test("is the same after a restart, tier for tier, and gone after its removal", async () => {
      const office = await Office.open(openStore);
      for (const [level, limit] of [
        [5, 5],
        [1, 1],
        [3, 3],
        [1, 2],
      ] as const)
        await office.allow(level, limit);
      const tiers = [
        { userLevel: 1, quantityLimit: 2 },
        { userLevel: 3, quantityLimit: 3 },
        { userLevel: 5, quantityLimit: 5 },
      ];
      expect(office.controller.tiersOf(SKU)).toEqual(tiers);
      expect((await office.restart()).tiersOf(SKU)).toEqual(tiers);
      await office.controller.remove(SKU);
      for (const life of [office.controller, await office.restart()]) expect([life.policies, life.tiersOf(SKU)]).toEqual([0, []]);
    });

    test("takes so many tiers of one SKU and no more; one that is there can still be changed", async () => {
      const office = await Office.open(openStore);
      for (let level = 0; level < TIERS_PER_SKU_MAX; level += 1) await office.allow(level, 1);
      expect(await office.controller.put(SKU, { userLevel: TIERS_PER_SKU_MAX, quantityLimit: 1 }, "add")).toBe("full");
      expect(await office.controller.put(SKU, { userLevel: 0, quantityLimit: 7 }, "add")).toBe("done");
      expect(await office.controller.put(OPEN, { userLevel: 0, quantityLimit: 7 }, "add")).toBe("done");
      expect([(await office.restart()).tiersOf(SKU).length, office.controller.tiersOf(SKU)[0]?.quantityLimit]).toEqual([
        TIERS_PER_SKU_MAX,
        7,
      ]);
    });

    test("that is updated must have a tier of that level", async () => {
      const office = await Office.open(openStore);
      await office.allow(1, 1);
      expect(await office.controller.put(SKU, { userLevel: 2, quantityLimit: 9 }, "update")).toBe("missing");
      expect(await office.controller.put(OPEN, { userLevel: 1, quantityLimit: 9 }, "update")).toBe("missing");
      expect(await office.controller.put(SKU, { userLevel: 1, quantityLimit: 9 }, "update")).toBe("done");
      expect((await office.restart()).tiersOf(SKU)).toEqual([{ userLevel: 1, quantityLimit: 9 }]);
    });

    test("is listed in the order of SKU and level, in pages that neither repeat nor leave out a tier", async () => {
      const office = await Office.open(openStore);
      for (const sku of ["b", "a", "é", "🛒", "\uffee"] as Sku[]) for (const level of [10, 9, 0]) await office.allow(level, 1, sku);
      const all = await office.controller.list(null, 100);
      expect(all.map(({ sku, userLevel }) => `${sku}${userLevel}`)).toEqual(
        ["a", "b", "é", "\uffee", "🛒"].flatMap((sku) => [0, 9, 10].map((level) => `${sku}${level}`)),
      );
      let paged: typeof all = [];
      for (let page = await office.controller.list(null, 4); page.length > 0; page = await office.controller.list(paged.at(-1) ?? null, 4))
        paged = [...paged, ...page];
      expect(paged).toEqual(all);
    });
  });
});
