/** The audit trail in the store of one process. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { AWAY, type TrailUnderTest, trailSuite } from "../../test/trail-suite.ts";
import { Throttle } from "../core/throttle.ts";
import { GroupCommit } from "../edge/group-commit.ts";
import { systemClock } from "../edge/system-clock.ts";
import { EmbeddedLedger } from "../ledger/embedded/embedded-ledger.ts";
import { LEDGER_SCHEMA, SqliteJournal } from "../ledger/embedded/sqlite-journal.ts";
import { inventoryManagerApi } from "../services/inventory-manager/api.ts";
import { InventoryManager, routes as inventoryRoutes } from "../services/inventory-manager/service.ts";
import { EmbeddedTrail, TRAIL_SCHEMA } from "./embedded-trail.ts";
import { trailedRoutes } from "./trailed-routes.ts";

class InOneProcess implements TrailUnderTest {
  readonly #db = new Database(":memory:");
  readonly trail: EmbeddedTrail;
  readonly reported: string[] = [];
  nowMs = 1_000;
  isAway = false;

  constructor(options: { entriesMax?: number }) {
    this.#db.run(TRAIL_SCHEMA);
    const real = new GroupCommit(this.#db, (failure) => expect(failure).toBeUndefined());
    const turns = { turn: <T>(work: () => T) => (this.isAway ? Promise.reject(AWAY) : real.turn(work)) };
    const clock = { now: () => this.nowMs, monotonicUs: () => 0 };
    this.trail = new EmbeddedTrail({ db: this.#db, turns, clock, report: (message) => this.reported.push(message), ...options });
  }

  async fill(count: number, atMs: number): Promise<void> {
    this.#db
      .query(
        `insert into operator_changes (at_ms, who, service, operation, asked)
         with recursive n (i) as (select 1 union all select i + 1 from n limit ?) select ?, '::1', 's', 'filled', 'null' from n`,
      )
      .run(count, atMs);
  }
}

trailSuite("one process", async (options = {}) => new InOneProcess(options));

test("operators' changes of one turn share its commits: they are put down, made and ended together", async () => {
  const db = new Database(":memory:");
  db.run(LEDGER_SCHEMA + TRAIL_SCHEMA);
  let commits = 0;
  const turns = new GroupCommit(db, (failure) => expect(failure).toBeUndefined());
  const ledger = new EmbeddedLedger(new SqliteJournal(db, turns));
  turns.beforeCommit(() => {
    commits += 1;
  });
  const trail = new EmbeddedTrail({ db, turns, clock: systemClock, report: (message) => expect(message).toBe("") });
  const inventory = new InventoryManager(ledger, new Throttle({ ratePerSecond: null, burst: 1 }, systemClock), systemClock);
  const route = trailedRoutes("InventoryManager", inventoryRoutes(inventory), trail).find(
    ({ endpoint }) => endpoint.name === inventoryManagerApi.addGoods.name,
  );
  const input = (n: number) => ({
    ...{ params: {}, query: {}, headers: { get: () => null }, peer: () => "::1" },
    body: { goodsSKU: `SKU-${n}`, goodsQuantity: 1, goodsPrice: 1 } as never,
  });
  await Promise.all(Array.from({ length: 100 }, (_, n) => route?.handle(input(n))));
  expect((await trail.page({}, null, 200)).changes.map(({ status }) => status)).toEqual(Array(100).fill(200));
  expect(commits).toBe(3);
});
