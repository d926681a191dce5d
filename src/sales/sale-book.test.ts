/** The book of sales over every store: what it refuses, what a SKU's terms are, what it announces, and what survives a restart. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AnySaleDesk, END, idOf, item, NOON, plan, START, saved, skuOf, textOf } from "../../test/sale-desk.ts";
import { type OpenStore, overEveryStore, type Store } from "../../test/table-stores.ts";
import { SALES_MAX } from "../limits.ts";
import { statusOf } from "./sale.ts";
import type { SaleBook } from "./sale-book.ts";

const SKU = skuOf("SKU1");

class Desk extends AnySaleDesk {
  private constructor(
    readonly store: Store,
    public book: SaleBook,
  ) {
    super();
  }

  static async over(open: OpenStore): Promise<Desk> {
    const desk = new Desk(await open(), null as never);
    await desk.restart();
    return desk;
  }

  /** Another life over the same store. */
  async restart(): Promise<SaleBook> {
    this.book = this.bookOf(await this.store.sales());
    return this.book;
  }

  /** The type and the sale of every event so far. */
  async told(): Promise<string[]> {
    return (await this.store.told()).map(textOf);
  }
}

overEveryStore((openStore, someOf) => {
  describe("a sale", () => {
    test("is the same after a restart, item for item in their order", async () => {
      const desk = await Desk.over(openStore);
      const items = [item("b", 1, 5), item("a", 999), item("é", 0, 1)];
      const made = await desk.open("S1", { name: "双十一", items, frozenForMs: 600_000, paymentWindowMs: 300_000 });
      saved(await desk.book.setPaused(made.id, true));
      expect((await desk.restart()).sale(made.id)).toEqual({ ...made, isPaused: true });
      expect(desk.book.termsOf(skuOf("b"), NOON)).toEqual({
        ...{ saleId: made.id, opensAt: START, closesAt: END, priceCents: 1, quantityLimit: 5 },
        ...{ frozenForMs: 600_000, paymentWindowMs: 300_000, isPaused: true },
      });
    });

    test("gets an id when it has none, and no id twice", async () => {
      const desk = await Desk.over(openStore);
      expect(saved(await desk.book.create(null, plan())).id).toBe(idOf("made-1"));
      expect(await desk.book.create(idOf("made-1"), plan({ items: [item("other")] }))).toEqual({ kind: "refused", reason: "id-taken" });
    });

    test("is listed in the order of the ids' bytes, in pages that neither repeat nor leave one out", async () => {
      const desk = await Desk.over(openStore);
      const ids = ["b", "a", "é", "🛒", "\uffee"];
      for (const [index, id] of ids.entries()) await desk.open(id, { items: [item(`SKU${index}`)] });
      const listed = (await desk.book.list(null, 100)).map(({ id }) => id as string);
      expect(listed).toEqual(["a", "b", "é", "\uffee", "🛒"]);
      expect([...(await desk.book.list(null, 3)), ...(await desk.book.list(idOf("é"), 3))].map(({ id }) => id as string)).toEqual(listed);
    });

    test("finds no room beside so many others, until one of them is removed", async () => {
      const desk = await Desk.over(openStore);
      const full = Array.from({ length: SALES_MAX }, (_, index) => {
        const sale = { ...plan({ items: [] }), id: idOf(`S${index}`), isPaused: false };
        return { put: { sale, announced: "nothing" as const } };
      });
      const { table } = await desk.store.sales();
      await table.change(() => ({ reply: undefined, changes: full, events: [] }));
      await desk.restart();
      expect(await desk.book.create(null, plan())).toEqual({ kind: "refused", reason: "no-room" });
      await desk.book.remove(idOf("S7"));
      expect((await desk.book.create(null, plan())).kind).toBe("saved");
    });
  });

  describe("two sales of one SKU", () => {
    test("never overlap: the second is refused, and told which SKU and which sale; one may begin when the other ends", async () => {
      const desk = await Desk.over(openStore);
      await desk.open("S1", { items: [item("a"), item("b")] });
      const overlapping = plan({ startsAt: END - 1, endsAt: END + 10, items: [item("c"), item("b")] });
      expect(await desk.book.create(idOf("S2"), overlapping)).toEqual({
        ...{ kind: "refused", reason: "overlap", sku: skuOf("b"), saleId: idOf("S1") },
      });
      expect([desk.book.sale(idOf("S2")), desk.book.termsOf(skuOf("c"), NOON)]).toEqual([null, null]);
      await desk.open("S2", { startsAt: END, endsAt: END + 10, items: [item("b", 1), item("c")] });
      const refused = await desk.book.replace(idOf("S2"), overlapping);
      expect(refused).toMatchObject({ reason: "overlap", saleId: idOf("S1") });
      expect(desk.book.sale(idOf("S2"))?.startsAt).toBe(END);
    });

    test("never overlap when they are made in the same turn, either", async () => {
      const desk = await Desk.over(openStore);
      const replies = await Promise.all(["S1", "S2", "S3"].map((id) => desk.book.create(idOf(id), plan())));
      expect(replies.map(({ kind }) => kind)).toEqual(["saved", "refused", "refused"]);
    });

    test("never overlap, whatever is asked; and memory is what the store says", async () => {
      const anyPlan = fc.record({
        startsAt: fc.integer({ min: NOON - 4, max: NOON + 8 }),
        length: fc.integer({ min: 1, max: 6 }),
        skus: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 }),
      });
      const anyStep = fc.record({
        what: fc.constantFrom("create", "replace", "remove", "pause", "tick"),
        id: fc.constantFrom("S1", "S2", "S3", "S4"),
        sale: anyPlan,
      });
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
          const desk = await Desk.over(openStore);
          for (const { what, id, sale } of steps) {
            const wanted = plan({ startsAt: sale.startsAt, endsAt: sale.startsAt + sale.length, items: sale.skus.map((sku) => item(sku)) });
            if (what === "create") await desk.book.create(idOf(id), wanted);
            if (what === "replace") await desk.book.replace(idOf(id), wanted);
            if (what === "remove") await desk.book.remove(idOf(id));
            if (what === "pause") await desk.book.setPaused(idOf(id), true);
            if (what === "tick") desk.now += 1;
          }
          const sales = [...desk.book.all()];
          for (const sku of ["a", "b", "c"].map(skuOf))
            for (let now = NOON - 5; now < NOON + 20; now += 1) {
              const open = sales.filter(
                ({ items, startsAt, endsAt }) => startsAt <= now && now < endsAt && items.some((one) => one.sku === sku),
              );
              expect(open.length).toBeLessThanOrEqual(1);
              const found = desk.book.termsOf(sku, now);
              if (open[0]) expect(found?.saleId).toBe(open[0].id);
            }
          const before = [sales.map(({ id }) => id).sort(), desk.book.nextChangeAt, desk.book.termsOf(skuOf("a"), desk.now)];
          await desk.restart();
          expect([
            [...desk.book.all()].map(({ id }) => id).sort(),
            desk.book.nextChangeAt,
            desk.book.termsOf(skuOf("a"), desk.now),
          ]).toEqual(before);
          // However it went: a sale starts and ends once at most, and never ends before it starts.
          for (const type of ["sale.started", "sale.ended"] as const) {
            const lives = (await desk.store.told()).filter((event) => event.type === type);
            const removed = steps.filter(({ what }) => what === "remove").length;
            for (const id of ["S1", "S2", "S3", "S4"])
              expect(lives.filter(({ saleId }) => saleId === idOf(id)).length).toBeLessThanOrEqual(1 + removed);
          }
        }),
        { numRuns: someOf(150), seed: 1 },
      );
    });
  });

  describe("a SKU", () => {
    test("in no sale has no terms and no price of a sale", async () => {
      const desk = await Desk.over(openStore);
      expect([desk.book.termsOf(SKU, NOON), desk.book.boughtUnder(SKU, NOON)]).toEqual([null, null]);
    });

    test("has one shared object of terms, however often it is asked for", async () => {
      const desk = await Desk.over(openStore);
      await desk.open("S1");
      expect(desk.book.termsOf(SKU, NOON)).toBe(desk.book.termsOf(SKU, END + 1));
    });

    test("costs its own price before the sale, the sale's in it, and still after it, for what was put into a cart in time", async () => {
      const desk = await Desk.over(openStore);
      await desk.open("S1");
      expect([START - 1, START, END - 1, END, END + 86_400_000].map((now) => desk.book.boughtUnder(SKU, now)?.priceCents ?? null)).toEqual([
        null,
        990,
        990,
        990,
        990,
      ]);
    });

    test("is open again, at its own price, when its sale is removed, or goes on without it", async () => {
      const desk = await Desk.over(openStore);
      await desk.open("S1");
      await desk.open("S2", { items: [item("SKU2"), item("SKU3")] });
      await desk.book.remove(idOf("S1"));
      saved(await desk.book.replace(idOf("S2"), plan({ items: [item("SKU3")] })));
      for (const book of [desk.book, await desk.restart()])
        expect(["SKU1", "SKU2", "SKU3"].map((sku) => book.termsOf(skuOf(sku), NOON)?.saleId ?? null)).toEqual([null, null, idOf("S2")]);
    });
  });

  describe("a pause", () => {
    test("is in the terms at once, survives a restart and a replacement, and ends when the sale is resumed", async () => {
      const desk = await Desk.over(openStore);
      await desk.open("S1");
      desk.now = START;
      saved(await desk.book.setPaused(idOf("S1"), true));
      expect([desk.book.termsOf(SKU, START)?.isPaused, (await desk.restart()).termsOf(SKU, START)?.isPaused]).toEqual([true, true]);
      saved(await desk.book.replace(idOf("S1"), plan({ name: "another name" })));
      expect(desk.book.termsOf(SKU, START)?.isPaused).toBe(true);
      saved(await desk.book.setPaused(idOf("S1"), false));
      expect([desk.book.termsOf(SKU, START)?.isPaused, (await desk.restart()).termsOf(SKU, START)?.isPaused]).toEqual([false, false]);
    });

    test("of a scheduled sale lets it begin paused; of an ended or unknown one is refused", async () => {
      const desk = await Desk.over(openStore);
      await desk.open("S1");
      const paused = saved(await desk.book.setPaused(idOf("S1"), true));
      expect([statusOf(paused, START - 1), statusOf(paused, START)]).toEqual(["scheduled", "paused"]);
      desk.now = END;
      expect(await desk.book.setPaused(idOf("S1"), false)).toEqual({ kind: "refused", reason: "has-ended" });
      expect(await desk.book.setPaused(idOf("S9"), true)).toEqual({ kind: "refused", reason: "unknown-sale" });
    });

    test("asked for twice is told once", async () => {
      const desk = await Desk.over(openStore);
      await desk.open("S1");
      desk.now = START;
      for (const isPaused of [false, true, true, false, false]) await desk.book.setPaused(idOf("S1"), isPaused);
      expect(await desk.told()).toEqual(["sale.started S1", "sale.paused S1", "sale.resumed S1"]);
    });
  });

  describe("removing", () => {
    test("is refused while the sale is on, paused or not, and done before and after", async () => {
      const desk = await Desk.over(openStore);
      await desk.open("S1");
      expect(await desk.book.remove(idOf("S1"))).toBe("removed");
      await desk.open("S1");
      desk.now = START;
      expect(await desk.book.remove(idOf("S1"))).toBe("is-live");
      await desk.book.setPaused(idOf("S1"), true);
      desk.now = END - 1;
      expect(await desk.book.remove(idOf("S1"))).toBe("is-live");
      desk.now = END;
      expect(await desk.book.remove(idOf("S1"))).toBe("removed");
      expect(await desk.book.remove(idOf("S1"))).toBe("removed");
      expect([desk.book.size, (await desk.restart()).size]).toEqual([0, 0]);
    });
  });

  describe("the start and the end", () => {
    test("are announced when they are there and not a millisecond before, once each, with what is sold", async () => {
      const desk = await Desk.over(openStore);
      await desk.open("S1", { items: [item("a"), item("b")] });
      const announceAt = (now: number) => {
        desk.now = now;
        return desk.book.announce(now);
      };
      await announceAt(START - 1);
      expect([await desk.store.told(), desk.book.nextChangeAt]).toEqual([[], START]);
      for (const now of [START, START, START + 1, END - 1]) await announceAt(now);
      expect(await desk.store.told()).toEqual([
        { type: "sale.started", at: START, saleId: idOf("S1"), name: "Singles' Day", skus: [skuOf("a"), skuOf("b")] },
      ]);
      expect(desk.book.nextChangeAt).toBe(END);
      for (const now of [END, END, END + 5]) await announceAt(now);
      expect(await desk.told()).toEqual(["sale.started S1", "sale.ended S1"]);
      expect([(await desk.store.told())[1]?.at, desk.book.nextChangeAt]).toEqual([END, Infinity]);
    });

    test("are not announced again after a restart, and what was missed is caught up, in the order in which it happened", async () => {
      const desk = await Desk.over(openStore);
      // The one that follows stands first in the store: the order is the clock's, and an end comes before a start of the same millisecond.
      await desk.open("S0", { startsAt: END, endsAt: END + 10 });
      await desk.open("S1");
      await desk.open("S3", { startsAt: START + 5, endsAt: END + 1_000, items: [item("b")] });
      desk.now = START;
      await desk.book.announce(desk.now);
      await desk.restart();
      desk.now = END + 20;
      await desk.book.announce(desk.now);
      await desk.restart();
      await desk.book.announce(desk.now);
      expect(await desk.told()).toEqual(["sale.started S1", "sale.started S3", "sale.ended S1", "sale.started S0", "sale.ended S0"]);
    });

    test("are announced when the clock was set back in between, but no second time", async () => {
      const desk = await Desk.over(openStore);
      await desk.open("S1");
      desk.now = START;
      await desk.book.announce(START);
      desk.now = NOON;
      await desk.book.announce(NOON);
      saved(await desk.book.replace(idOf("S1"), plan({ startsAt: START + 5 })));
      desk.now = START + 10;
      await desk.book.announce(desk.now);
      expect(await desk.told()).toEqual(["sale.started S1"]);
    });

    test("of a sale that is made after its start, or removed before anybody looked, are announced with that change", async () => {
      const desk = await Desk.over(openStore);
      desk.now = START + 1;
      await desk.open("S1");
      expect(await desk.told()).toEqual(["sale.started S1"]);
      desk.now = END + 1;
      await desk.book.remove(idOf("S1"));
      expect(await desk.told()).toEqual(["sale.started S1", "sale.ended S1"]);
    });

    test("follow an end that was moved", async () => {
      const desk = await Desk.over(openStore);
      await desk.open("S1");
      desk.now = START;
      saved(await desk.book.replace(idOf("S1"), plan({ endsAt: START + 2 })));
      expect(desk.book.nextChangeAt).toBe(START + 2);
      desk.now = START + 2;
      await desk.book.announce(desk.now);
      expect(await desk.told()).toEqual(["sale.started S1", "sale.ended S1"]);
    });
  });
});
