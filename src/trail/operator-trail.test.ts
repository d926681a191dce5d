/** The audit trail over a real Postgres, on the real routes of goods and webhooks. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { declaredEndpoints } from "../../test/declared-endpoints.ts";
import { hasPostgres, NEEDS_POSTGRES, PATIENT, type PostgresServer, startPostgres } from "../../test/servers/postgres.ts";
import { callRoute } from "../../test/webhook-desk.ts";
import { type HttpReply, json, type Route } from "../core/endpoint.ts";
import { Failure } from "../core/failure.ts";
import type { SqlDatabase } from "../core/sql.ts";
import { Throttle } from "../core/throttle.ts";
import { Postgres } from "../edge/postgres.ts";
import { systemClock } from "../edge/system-clock.ts";
import { PostgresOutbox } from "../events/postgres-outbox.ts";
import { PostgresWebhooks } from "../events/postgres-webhooks.ts";
import { webhookRoutes } from "../events/routes.ts";
import { EmbeddedLedger } from "../ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../ledger/embedded/memory-journal.ts";
import { SWEEP_ROWS_PER_TURN, TRAIL_KEPT_MS, TRAIL_TEXT_CHARS_MAX } from "../limits.ts";
import { MIGRATIONS } from "../migrations/all.ts";
import { migrate } from "../migrations/migrate.ts";
import { InventoryManager, routes as inventoryRoutes } from "../services/inventory-manager/service.ts";
import { OperatorTrail } from "./operator-trail.ts";
import { TRAILED, trailedRoutes } from "./trailed-routes.ts";

// The bound is only there to end a broken run: a server that starts on a busy machine takes its time.
setDefaultTimeout(60_000);

test("every change that needs the admin key is in the trail, but for orders, of which events tell", async () => {
  const changes = (await declaredEndpoints()).filter(({ method, needsAdminKey }) => needsAdminKey && method !== "GET");
  const names = new Set(changes.map(({ name }) => name));
  for (const name of ["placeOrder", "cancelOrder"]) expect(names.delete(name)).toBe(true);
  expect([...TRAILED.keys()].toSorted()).toEqual([...names].toSorted());
});

describe.skipIf(!hasPostgres)(`the audit trail ${hasPostgres ? "" : NEEDS_POSTGRES}`, () => {
  let server: PostgresServer;
  let db: Postgres;
  beforeAll(async () => {
    server = await startPostgres();
    db = new Postgres(server.url, PATIENT);
    await migrate(db, MIGRATIONS, systemClock, () => undefined);
  });
  afterAll(async () => {
    await db?.close();
    await server?.stop();
  });

  interface Row {
    readonly who: string;
    readonly operation: string;
    readonly asked: string;
    readonly before: string | null;
    readonly status: number | null;
    readonly after: string | null;
  }
  const rows = (): Promise<readonly Row[]> =>
    db.read<Row>`select who, operation, asked, before, status, after from operator_changes order by id`;
  const reported: string[] = [];
  const openTrail = async (over: SqlDatabase = db): Promise<OperatorTrail> => {
    await db.transaction((tx) => tx.script("truncate operator_changes restart identity"));
    return new OperatorTrail({ db: over, clock: { now: () => 1_000, monotonicUs: () => 0 }, report: (message) => reported.push(message) });
  };
  const routeOf = (routes: readonly Route[], name: string): Route => routes.find(({ endpoint }) => endpoint.name === name) as Route;
  /** A route of that name that does as it is told. */
  const told = (name: string, handle: Route["handle"]): Route => ({
    ...routeOf(webhookRoutes({} as never), "updateWebhook"),
    handle,
    ...named(name),
  });
  const named = (name: string) => ({ endpoint: { ...routeOf(webhookRoutes({} as never), "updateWebhook").endpoint, name } });

  test("has who changed what, and how it was before and after, without secrets", async () => {
    const webhooks = new PostgresWebhooks({ db, outbox: new PostgresOutbox(db, "eur"), clock: systemClock, randomBytes });
    const routes = trailedRoutes("ShoppingCart", webhookRoutes(webhooks), await openTrail());
    const { body } = await callRoute(routes, "addWebhook", { url: "https://a.example/" }, "");
    expect(body.secrets?.[0]).toStartWith("whsec_");
    await callRoute(routes, "updateWebhook", { url: "https://b.example/", secrets: body.secrets }, body.id);
    await callRoute(routes, "removeWebhook", {}, body.id);
    await callRoute(routes, "removeWebhook", {}, body.id);
    await callRoute(routes, "findAllWebhooks", {}, "");
    const kept = await rows();
    expect(kept.map(({ operation, status, before }) => [operation, status, before && (JSON.parse(before) as { url: string }).url])).toEqual(
      [
        ["addWebhook", 201, null],
        ["updateWebhook", 200, "https://a.example/"],
        ["removeWebhook", 200, "https://b.example/"],
        ["removeWebhook", 404, null],
      ],
    );
    expect(JSON.parse(kept[1]?.after ?? "")).toMatchObject({ id: body.id, url: "https://b.example/" });
    expect(JSON.parse(kept[1]?.asked ?? "")).toMatchObject({ id: body.id, url: "https://b.example/", secrets: "[not kept]" });
    expect(JSON.stringify(kept)).not.toContain("whsec_");
  });

  test("has of goods what they were before each change, whatever names them", async () => {
    const inventory = new InventoryManager(
      new EmbeddedLedger(new MemoryJournal()),
      new Throttle({ ratePerSecond: null, burst: 1 }, systemClock),
      systemClock,
    );
    const routes = trailedRoutes("InventoryManager", inventoryRoutes(inventory), await openTrail());
    const ask = (name: string, body: object, params: object): Promise<HttpReply> =>
      Promise.resolve(
        routeOf(routes, name).handle({
          params: { ...params },
          query: {},
          body: body as never,
          headers: { get: () => null },
          peer: () => "::1",
        }),
      );
    await ask("addGoods", { goodsSKU: "A", goodsQuantity: 5, goodsPrice: 1.5 }, {});
    await ask("updateGoods", { goodsSKU: "A", goodsQuantity: 7, goodsPrice: 1.5 }, {});
    await ask("removeGoods", {}, { sku: "A" });
    const quantity = (text: string | null): unknown => text && (JSON.parse(text) as { goodsQuantity: number }).goodsQuantity;
    expect((await rows()).map(({ who, operation, before, after }) => [who, operation, quantity(before), quantity(after)])).toEqual([
      ["::1", "addGoods", null, 5],
      ["::1", "updateGoods", 5, 7],
      ["::1", "removeGoods", 7, 0],
    ]);
  });

  test("keeps a change from being made that cannot be put down", async () => {
    const away: SqlDatabase = { read: db.read, transaction: () => Promise.reject(new Failure("store-unavailable", "away", true)) };
    let made = 0;
    const change = told("addGoods", () => {
      made += 1;
      return json({});
    });
    const [route] = trailedRoutes("InventoryManager", [change], await openTrail(away));
    await expect(callRoute([route as Route], "addGoods", {}, "")).rejects.toThrow("away");
    expect(made).toBe(0);
  });

  test("says of a change that failed what is known of it", async () => {
    const trail = await openTrail();
    for (const outcomeKnown of [true, false]) {
      const routes = trailedRoutes(
        "InventoryManager",
        [told("addGoods", () => Promise.reject(new Failure("store-unavailable", "Redis is away", outcomeKnown)))],
        trail,
      );
      await expect(callRoute(routes, "addGoods", {}, "")).rejects.toThrow("Redis is away");
    }
    expect((await rows()).map(({ status, after }) => [status, after])).toEqual([
      [503, '"Redis is away"'],
      [null, null],
    ]);
  });

  test("cuts what is too long, and takes any text", async () => {
    const trail = await openTrail();
    const id = await trail.begin({ who: "::1", service: "s", operation: "o", asked: "x".repeat(TRAIL_TEXT_CHARS_MAX), before: "\u0000" });
    await trail.end(id, 200, null);
    const [row] = await rows();
    expect(row?.asked.length).toBeLessThan(TRAIL_TEXT_CHARS_MAX + 100);
    expect([row?.before, row?.after]).toEqual(['"\\u0000"', "null"]);
  });

  test("is kept for its time, and then removed a bounded piece at a time", async () => {
    const trail = await openTrail();
    await db.transaction(
      (tx) => tx`
        insert into operator_changes (at_ms, who, service, operation, asked)
        select 1000, '::1', 's', 'o', 'null' from generate_series(1, ${SWEEP_ROWS_PER_TURN + 1}::integer)`,
    );
    expect(await trail.sweep(1_000 + TRAIL_KEPT_MS)).toBe(false);
    expect(await rows()).toHaveLength(SWEEP_ROWS_PER_TURN + 1);
    expect(await trail.sweep(1_001 + TRAIL_KEPT_MS)).toBe(true);
    expect(await trail.sweep(1_001 + TRAIL_KEPT_MS)).toBe(false);
    expect(await rows()).toEqual([]);
  });
});
