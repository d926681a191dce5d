/** The demo over real stores: what a newcomer finds in it, at the first start and at later ones. */
import { expect, test } from "bun:test";
import { idOf, item, plan, SaleDesk, skuOf } from "../../test/sale-desk.ts";
import type { SessionId, Sku, UserId } from "../core/ids.ts";
import { Throttle } from "../core/throttle.ts";
import { EmbeddedLedger } from "../ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../ledger/embedded/memory-journal.ts";
import type { Goods } from "../ledger/ledger.ts";
import { SALES_MAX } from "../limits.ts";
import { type Sale, statusOf } from "../sales/sale.ts";
import { embeddedPolicies, POLICIES_SCHEMA } from "../services/policy-controller/policy-store.ts";
import { PolicyController } from "../services/policy-controller/service.ts";
import { stockDemo } from "./demo.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const [OPEN, DROP] = [skuOf("SKU0001"), skuOf("DROP0001")];

class DemoShop extends SaleDesk {
  readonly ledger = new EmbeddedLedger(new MemoryJournal());
  readonly policies: PolicyController;

  constructor() {
    super();
    this.db.run(POLICIES_SCHEMA);
    const throttle = new Throttle({ ratePerSecond: null, burst: 1 }, this.clock);
    this.policies = new PolicyController(embeddedPolicies(this.db, this.turns), this.ledger, throttle, this.clock, this.book);
  }

  start(): Promise<Sale | null> {
    return stockDemo({ ledger: this.ledger, policies: this.policies, sales: this.book }, this.now);
  }

  async goods(sku: Sku): Promise<Goods | null> {
    return (await this.ledger.goods([sku], this.now))[0] ?? null;
  }

  async stock(sku: Sku): Promise<void> {
    await this.ledger.stock([{ verb: "stock", mode: "put", sku, onHand: 7, priceCents: 1 }], this.now);
  }
}

test("the first start has goods that anybody can buy at once, and a sale that begins in a minute and lasts an hour", async () => {
  const shop = new DemoShop();
  const sale = await shop.start();
  expect(sale).toMatchObject({ id: idOf("demo"), name: "Demo drop", startsAt: shop.now + MINUTE, endsAt: shop.now + MINUTE + HOUR });
  expect([await shop.goods(OPEN), await shop.goods(DROP)]).toMatchObject([
    { onHand: 500, priceCents: 9_990 },
    { onHand: 100, priceCents: 9_990 },
  ]);
  expect(shop.policies.tiersOf(OPEN)).toEqual([
    { userLevel: 1, quantityLimit: 1 },
    { userLevel: 5, quantityLimit: 5 },
  ]);
  expect(shop.book.termsOf(OPEN, shop.now)).toBeNull();
  expect(shop.book.termsOf(DROP, shop.now)).toMatchObject({ priceCents: 4_990, quantityLimit: 1 });
});

test("a start while the sale is on or to come finds it as it is, sold and paused as it may be", async () => {
  const shop = new DemoShop();
  await shop.start();
  await shop.book.setPaused(idOf("demo"), true);
  await shop.stock(DROP);
  shop.now += HOUR;
  const found = await shop.start();
  expect([found?.id, found && statusOf(found, shop.now)]).toEqual([idOf("demo"), "paused"]);
  expect([shop.book.size, (await shop.goods(DROP))?.onHand]).toEqual([1, 7]);
});

test("a start after its end makes another sale of a hundred, and leaves to the others what they have frozen", async () => {
  const shop = new DemoShop();
  await shop.start();
  shop.now += MINUTE + HOUR;
  const terms = { userId: "ann" as UserId, quantity: 3, limit: 0, opensAt: 0, closesAt: 0, frozenForMs: MINUTE };
  await shop.ledger.hold([{ verb: "hold", sku: DROP, ...terms, sessionId: "s" as SessionId, key: null }], shop.now);
  expect((await shop.start())?.id).toBe(idOf("demo-2"));
  expect(await shop.goods(DROP)).toMatchObject({ onHand: 103, frozen: 3 });
  for (const id of ["demo-3", "demo-4"]) {
    shop.now += MINUTE + HOUR;
    expect(await shop.start()).toMatchObject({ id: idOf(id), startsAt: shop.now + MINUTE });
  }
});

test("a start that died before the goods were there is made again", async () => {
  const shop = new DemoShop();
  await shop.open("demo", { items: [item("DROP0001", 4_990, 1)] });
  expect((await shop.start())?.id).toBe(idOf("demo"));
  expect([(await shop.goods(OPEN))?.onHand, (await shop.goods(DROP))?.onHand]).toEqual([500, 100]);
});

test("a store with goods of its own stays as it is", async () => {
  const shop = new DemoShop();
  await shop.stock(skuOf("MINE"));
  expect(await shop.start()).toBeNull();
  expect([shop.book.size, shop.policies.policies, (await shop.ledger.listGoods(null, 10, shop.now)).length]).toEqual([0, 0, 1]);
});

test("where no sale can be made, because its goods are in another or there is no room, the start goes on without one", async () => {
  const taken = new DemoShop();
  await taken.open("mine", { startsAt: taken.now, endsAt: taken.now + HOUR, items: [item("DROP0001")] });
  expect(await taken.start()).toBeNull();
  expect([await taken.goods(OPEN), await taken.goods(DROP)]).toMatchObject([{ onHand: 500 }, null]);

  const full = new DemoShop();
  await full.start();
  const { startsAt, endsAt } = plan();
  full.db.run(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${SALES_MAX}) insert into sales select 'S' || i, 'x', ${startsAt}, ${endsAt}, null, null, 0, 'nothing' from n`,
  );
  full.restart();
  full.now += 2 * HOUR;
  expect(await full.start()).toBeNull();
});
