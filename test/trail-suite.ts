/** The audit trail, on the real routes of goods and webhooks: what every store of it promises. */
import { describe, expect, test } from "bun:test";
import { type HttpReply, json, type Route } from "../src/core/endpoint.ts";
import { Failure } from "../src/core/failure.ts";
import { Throttle } from "../src/core/throttle.ts";
import { systemClock } from "../src/edge/system-clock.ts";
import { webhookRoutes } from "../src/events/routes.ts";
import { EmbeddedLedger } from "../src/ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../src/ledger/embedded/memory-journal.ts";
import { TRAIL_KEPT_MS, TRAIL_LOOKED_AT_PER_PAGE, TRAIL_TEXT_CHARS_MAX } from "../src/limits/operators.ts";
import { SWEEP_ROWS_PER_TURN } from "../src/limits.ts";
import { InventoryManager, routes as inventoryRoutes } from "../src/services/inventory-manager/service.ts";
import type { OperatorTrail, TrailEntry } from "../src/trail/operator-trail.ts";
import { trailedRoutes } from "../src/trail/trailed-routes.ts";
import { WebhookDesk } from "./webhook-desk.ts";

export interface TrailUnderTest {
  readonly trail: OperatorTrail;
  /** The trail's clock. */
  nowMs: number;
  /** While it is so, the store takes nothing. */
  isAway: boolean;
  readonly reported: readonly string[];
  /** Puts down that many changes of the operation "filled" at once, all at that time. */
  fill(count: number, atMs: number): Promise<void>;
}

export const AWAY = new Failure("store-unavailable", "the store is away", true);

const routeOf = (routes: readonly Route[], name: string): Route => {
  const route = routes.find(({ endpoint }) => endpoint.name === name);
  if (!route) throw new Error(`there is no ${name}`);
  return route;
};
const ANN = { peer: "10.0.0.7", operator: "Ann" };

interface Asked {
  readonly body?: object;
  readonly params?: object;
  readonly peer?: string;
  /** As the header has it. */
  readonly operator?: string | null;
}
async function ask(
  routes: readonly Route[],
  name: string,
  { body = {}, params = {}, peer = "::1", operator = null }: Asked,
): Promise<HttpReply> {
  const get = (header: string): string | null => (header.toLowerCase() === "x-doorbuster-operator" ? operator : null);
  return routeOf(routes, name).handle({ params: { ...params }, query: {}, body: body as never, headers: { get }, peer: () => peer });
}
const goods = (goodsQuantity: number, goodsSKU = "A") => ({ goodsSKU, goodsQuantity, goodsPrice: 1.5 });

/** The routes of goods, with what they change in the trail. */
function goodsRoutes(trail: OperatorTrail): Route[] {
  const throttle = new Throttle({ ratePerSecond: null, burst: 1 }, systemClock);
  const inventory = new InventoryManager(new EmbeddedLedger(new MemoryJournal()), throttle, systemClock);
  return trailedRoutes("InventoryManager", inventoryRoutes(inventory), trail);
}
/** The route of `addGoods`, doing as it is told. */
const told = (trail: OperatorTrail, handle: Route["handle"]): Route[] =>
  trailedRoutes("InventoryManager", [{ ...routeOf(goodsRoutes(trail), "addGoods"), handle }], trail);
const all = async (trail: OperatorTrail): Promise<readonly TrailEntry[]> => (await trail.page({}, null, 200)).changes;
const quantityIn = (shown: unknown): unknown => (shown as { goodsQuantity?: number } | null)?.goodsQuantity;

export function trailSuite(kept: string, open: (options?: { entriesMax?: number }) => Promise<TrailUnderTest>): void {
  describe(`the audit trail in ${kept}`, () => {
    test("has who changed what, when, and how it was before and after, newest first", async () => {
      const store = await open();
      const { trail } = store;
      const routes = goodsRoutes(trail);
      store.nowMs = 1_000;
      await ask(routes, "addGoods", { body: goods(5), ...ANN });
      store.nowMs = 2_000;
      await ask(routes, "updateGoods", { body: goods(7) });
      await ask(routes, "removeGoods", { params: { sku: "A" } });
      await ask(routes, "removeGoods", { params: { sku: "A" } });
      await ask(routes, "getGoods", { params: { sku: "A" } });
      const changes = await all(trail);
      expect(changes.map(({ at, who, operator, service, operation }) => [at, who, operator, service, operation])).toEqual([
        [2_000, "::1", null, "InventoryManager", "removeGoods"],
        [2_000, "::1", null, "InventoryManager", "removeGoods"],
        [2_000, "::1", null, "InventoryManager", "updateGoods"],
        [1_000, "10.0.0.7", "Ann", "InventoryManager", "addGoods"],
      ]);
      expect(changes.map(({ before, status, after }) => [quantityIn(before), status, quantityIn(after)])).toEqual([
        [undefined, 200, 0],
        [7, 200, 0],
        [5, 200, 7],
        [undefined, 200, 5],
      ]);
      expect(changes[2]?.asked).toEqual(goods(7));
      expect(changes[1]?.asked).toEqual({ sku: "A" });
    });

    test("keeps no secrets", async () => {
      const { trail } = await open();
      const routes = trailedRoutes("ShoppingCart", webhookRoutes(new WebhookDesk().webhooks), trail);
      const { body } = await ask(routes, "addWebhook", { body: { url: "https://a.example/" } });
      const { id, secrets } = JSON.parse(body as string) as { id: string; secrets: string[] };
      expect(secrets[0]).toStartWith("whsec_");
      await ask(routes, "updateWebhook", { params: { id }, body: { url: "https://b.example/", secrets } });
      const changes = await all(trail);
      expect(changes[0]).toMatchObject({
        asked: { id, url: "https://b.example/", secrets: "[not kept]" },
        before: { id, url: "https://a.example/" },
        after: { id, url: "https://b.example/" },
      });
      expect(JSON.stringify(changes)).not.toContain("whsec_");
    });

    test.each([
      ["Wang Fang", "Wang Fang"],
      ["%E7%8E%8B%E8%8A%B3", "王芳"],
      ["100%25", "100%"],
      ["x".repeat(128), "x".repeat(128)],
    ])("has the operator's name that the header gives as %s", async (operator, name) => {
      const { trail } = await open();
      await ask(goodsRoutes(trail), "addGoods", { body: goods(5), operator });
      expect((await all(trail)).map((change) => change.operator)).toEqual([name]);
    });

    test.each(["", "x".repeat(129), "a%0Ab", "100%", "%ff", "ç\u008e\u008b"])("refuses a change in the name of %j", async (operator) => {
      const { trail } = await open();
      const routes = goodsRoutes(trail);
      const reply = await ask(routes, "addGoods", { body: goods(5), operator });
      expect(reply.status).toBe(400);
      expect(JSON.parse(reply.body as string)).toMatchObject({ errors: [{ pointer: "#/header/X-Doorbuster-Operator" }] });
      expect(await all(trail)).toEqual([]);
      expect((await ask(routes, "getGoods", { params: { sku: "A" } })).status).toBe(404);
    });

    test("keeps a change from being made that cannot be put down", async () => {
      const store = await open();
      store.isAway = true;
      let made = 0;
      const routes = told(store.trail, () => {
        made += 1;
        return json({});
      });
      await expect(ask(routes, "addGoods", { body: goods(5) })).rejects.toThrow("away");
      expect(made).toBe(0);
    });

    test("answers a change as it was made, and reports it, when its end cannot be put down", async () => {
      const store = await open();
      const routes = told(store.trail, () => {
        store.isAway = true;
        return json({ made: true });
      });
      expect((await ask(routes, "addGoods", { body: goods(5) })).body).toBe('{"made":true}');
      expect(store.reported).toHaveLength(1);
      expect(store.reported[0]).toContain("not in the audit trail");
      store.isAway = false;
      expect((await all(store.trail)).map(({ status, after }) => [status, after])).toEqual([[null, null]]);
    });

    test("says of a change that failed what is known of it", async () => {
      const { trail } = await open();
      for (const outcomeKnown of [true, false]) {
        const failing = told(trail, () => Promise.reject(new Failure("store-unavailable", "Redis is away", outcomeKnown)));
        await expect(ask(failing, "addGoods", { body: goods(5) })).rejects.toThrow("Redis is away");
      }
      expect((await all(trail)).map(({ status, after }) => [status, after])).toEqual([
        [null, null],
        [503, "Redis is away"],
      ]);
    });

    test("cuts what is too long, and takes any text", async () => {
      const { trail } = await open();
      const asked = "x".repeat(TRAIL_TEXT_CHARS_MAX);
      const id = await trail.begin({ who: "::1", operator: null, service: "s", operation: "o", asked, before: "\u0000\ud800'" });
      await trail.end(id, 200, null);
      const [change] = await all(trail);
      expect(change?.asked).toEqual({ cut: `"${asked.slice(1)}` });
      expect([change?.before, change?.after]).toEqual(["\u0000\ud800'", null]);
    });

    test("is read a page at a time, each change once", async () => {
      const { trail } = await open();
      const routes = goodsRoutes(trail);
      for (let n = 1; n <= 5; n += 1) await ask(routes, "addGoods", { body: goods(n) });
      const pages: unknown[][] = [];
      for (let next: number | null = null; pages.length === 0 || next !== null; ) {
        const page = await trail.page({}, next, 2);
        pages.push(page.changes.map(({ asked }) => quantityIn(asked)));
        next = page.next;
      }
      expect(pages.filter((page) => page.length > 0)).toEqual([[5, 4], [3, 2], [1]]);
    });

    test.each([
      [{ operation: "addGoods" }, [2, 1]],
      [{ service: "InventoryManager" }, [4, 2, 1]],
      [{ service: "Other" }, []],
      [{ who: "10.0.0.7" }, [1]],
      [{ who: "Ann" }, [1]],
      [{ who: "::1" }, [4, 2]],
      [{ since: 2_000 }, [4, 2]],
      [{ until: 2_000 }, [1]],
      [{ since: 2_000, until: 4_000 }, [2]],
      [{ since: 1_000, who: "::1", operation: "updateGoods" }, [4]],
    ])("of which %j shows %j", async (filter, quantities) => {
      const store = await open();
      const routes = goodsRoutes(store.trail);
      store.nowMs = 1_000;
      await ask(routes, "addGoods", { body: goods(1), ...ANN });
      store.nowMs = 2_000;
      await ask(routes, "addGoods", { body: goods(2) });
      store.nowMs = 4_000;
      await ask(routes, "updateGoods", { body: goods(4) });
      const { changes, next } = await store.trail.page(filter, null, 10);
      expect({ shown: changes.map(({ asked }) => quantityIn(asked)), next }).toEqual({ shown: quantities, next: null });
    });

    test("looks at a bounded number of changes for a page, and says where to ask on", async () => {
      const store = await open();
      await ask(goodsRoutes(store.trail), "addGoods", { body: goods(1) });
      await store.fill(TRAIL_LOOKED_AT_PER_PAGE, 1_000);
      const first = await store.trail.page({ operation: "addGoods" }, null, 10);
      expect(first.changes).toEqual([]);
      expect(first.next).not.toBeNull();
      const second = await store.trail.page({ operation: "addGoods" }, first.next, 10);
      expect(second.changes.map(({ operation }) => operation)).toEqual(["addGoods"]);
      expect(second.next).toBeNull();
    });

    test("is kept for its time, and then removed a bounded piece at a time", async () => {
      const store = await open();
      await store.fill(SWEEP_ROWS_PER_TURN + 1, 1_000);
      await store.fill(1, 2_000);
      expect(await store.trail.sweep(1_000 + TRAIL_KEPT_MS)).toBe(false);
      expect(await all(store.trail)).toHaveLength(200);
      expect(await store.trail.sweep(1_001 + TRAIL_KEPT_MS)).toBe(true);
      expect(await store.trail.sweep(1_001 + TRAIL_KEPT_MS)).toBe(false);
      expect((await all(store.trail)).map(({ at }) => at)).toEqual([2_000]);
    });

    test("is kept up to its bound, and then the oldest go", async () => {
      const store = await open({ entriesMax: 3 });
      const routes = goodsRoutes(store.trail);
      for (let n = 1; n <= 5; n += 1) await ask(routes, "addGoods", { body: goods(n) });
      expect(await store.trail.sweep(1_000)).toBe(false);
      expect((await all(store.trail)).map(({ asked }) => quantityIn(asked))).toEqual([5, 4, 3]);
    });

    test("never gives an id again", async () => {
      const store = await open();
      await store.fill(1, 1_000);
      const [first] = await all(store.trail);
      await store.trail.sweep(1_001 + TRAIL_KEPT_MS);
      expect(await all(store.trail)).toEqual([]);
      await store.fill(1, 1_000);
      expect((await all(store.trail))[0]?.id).toBeGreaterThan(first?.id as number);
    });
  });
}
