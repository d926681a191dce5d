/** InventoryManager over a ledger in memory: the order of its verdicts, and that what lapses is available at that instant. */
import { describe, expect, test } from "bun:test";
import type { SessionId, Sku, UserId } from "../../core/ids.ts";
import { Throttle } from "../../core/throttle.ts";
import { EmbeddedLedger } from "../../ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../../ledger/embedded/memory-journal.ts";
import { type InventoryCheck, InventoryManager } from "./service.ts";

const SKU = "SKU1" as Sku;
const FROZEN_FOR_MS = 60_000;
const check = (quantity: number, sku = SKU): InventoryCheck => ({ sessionId: "s" as SessionId, sku, quantity });

class Warehouse {
  nowMs = 1_000;
  readonly #clock = { now: () => this.nowMs, monotonicUs: () => 0 };
  readonly #ledger = new EmbeddedLedger(new MemoryJournal());
  readonly inventory: InventoryManager;

  constructor(burst: number | null = null) {
    const throttle = new Throttle({ ratePerSecond: burst === null ? null : 1, burst: burst ?? 1 }, this.#clock);
    this.inventory = new InventoryManager(this.#ledger, throttle, this.#clock);
  }

  async stock(onHand: number): Promise<void> {
    await this.inventory.stock({ verb: "stock", mode: "put", sku: SKU, onHand, priceCents: 1 });
  }

  async hold(quantity: number): Promise<void> {
    const command = { sku: SKU, userId: "A" as UserId, quantity, limit: 0, frozenForMs: FROZEN_FOR_MS, sessionId: "s" as SessionId };
    await this.#ledger.hold([{ verb: "hold", ...command, opensAt: 0, closesAt: 0, key: null }], this.nowMs);
  }
}

describe("the verdict", () => {
  test("has one order: throttled, unknown goods, sold out; the first so many of a batch are served", async () => {
    const { inventory } = new Warehouse(2);
    expect(await inventory.validate([check(1), check(1, "none" as Sku), check(1)])).toEqual([
      { allowed: false, reason: "unknown-goods", totalQuantity: 0 },
      { allowed: false, reason: "unknown-goods", totalQuantity: 0 },
      { allowed: false, reason: "throttled", totalQuantity: 0 },
    ]);
  });

  test("allows what is available and not what is on hand, and names what is on hand", async () => {
    const warehouse = new Warehouse();
    await warehouse.stock(10);
    await warehouse.hold(4);
    expect(await warehouse.inventory.validate([check(6), check(7), check(1, "none" as Sku)])).toEqual([
      { allowed: true, reason: null, totalQuantity: 10 },
      { allowed: false, reason: "sold-out", totalQuantity: 10 },
      { allowed: false, reason: "unknown-goods", totalQuantity: 0 },
    ]);
  });

  test("counts a hold as available at its deadline, and not a millisecond before, without any sweep", async () => {
    const warehouse = new Warehouse();
    await warehouse.stock(5);
    await warehouse.hold(5);
    const isAllowed = async () => (await warehouse.inventory.validate([check(5)]))[0]?.allowed;
    warehouse.nowMs += FROZEN_FOR_MS - 1;
    expect(await isAllowed()).toBe(false);
    warehouse.nowMs += 1;
    expect(await isAllowed()).toBe(true);
    expect(await warehouse.inventory.goodsOf(SKU)).toMatchObject({ onHand: 5, frozen: 0 });
  });

  test("of a throttled request is 429, with the documented body", async () => {
    const { inventory } = new Warehouse(1);
    await inventory.validate([check(1)]);
    const { status, headers, body } = await inventory.reply(check(3));
    expect([status, headers?.["retry-after"]]).toEqual([429, "1"]);
    expect(JSON.parse(body as string)).toEqual({
      ...{ sessionID: "s", goodsSKU: "SKU1", goodsQuantity: 3, totalQuantity: 0 },
      ...{ isAllowed: false, isThrottled: true, version: "1.0", reason: "throttled" },
    });
  });
});
