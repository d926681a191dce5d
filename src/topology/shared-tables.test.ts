/** A process's tables as the topology opens them over a real Redis: what operators see, and where the events of sales go. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { idOf, NO_SALES, plan, saved } from "../../test/sale-desk.ts";
import { hasRedis, NEEDS_REDIS, type RedisServer, startRedis } from "../../test/servers/redis.ts";
import { waitFor } from "../../test/wait.ts";
import { Throttle } from "../core/throttle.ts";
import { ServiceMetrics } from "../edge/metrics.ts";
import { RedisConnection } from "../edge/redis.ts";
import { systemClock } from "../edge/system-clock.ts";
import { EmbeddedLedger } from "../ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../ledger/embedded/memory-journal.ts";
import { SaleBook } from "../sales/sale-book.ts";
import { openSharedSales } from "../sales/shared-sales.ts";
import { PolicyController } from "../services/policy-controller/service.ts";
import { openSharedPolicies } from "../services/policy-controller/shared-policies.ts";
import { openSharedDecisions } from "../services/safe-protector/shared-decisions.ts";
import { describeTables, saleEventRelay, tablesInHealth, tablesOver } from "./shared-tables.ts";

describe.skipIf(!hasRedis)(`the tables of a process ${hasRedis ? "" : NEEDS_REDIS}`, () => {
  let server: RedisServer;
  let redis: RedisConnection;
  beforeAll(async () => {
    server = await startRedis();
    redis = new RedisConnection(server.url);
    await redis.open();
  });
  afterAll(async () => {
    redis.close();
    await server.stop();
  });

  test("tell how far they are, and that they may be out of date when Redis is gone; the services say so too", async () => {
    const io = tablesOver(redis, () => undefined);
    const [decisions, policies] = await Promise.all([openSharedDecisions(io), openSharedPolicies(io)]);
    const throttle = new Throttle({ ratePerSecond: null, burst: 1 }, systemClock);
    const controller = new PolicyController(policies, new EmbeddedLedger(new MemoryJournal()), throttle, systemClock, NO_SALES);
    const metrics = new ServiceMetrics("PolicyController");
    const tables = [policies.table, decisions.table];
    describeTables(metrics, tables);
    await controller.put("SKU1" as never, { userLevel: 1, quantityLimit: 1 }, "add");
    const shown = () => tablesInHealth(tables) as { tables: { name: string; isCurrent: boolean; ageMs: number; position: number }[] };
    await waitFor(() => shown().tables.every(({ isCurrent }) => isCurrent), "they are up to date");
    expect(shown().tables.map(({ name, position }) => [name, position])).toEqual([
      ["policies", 1],
      ["decisions", 0],
    ]);
    const text = await metrics.text();
    for (const [figure, table, value] of [
      ["position", "policies", 1],
      ["position", "decisions", 0],
      ["loads_total", "policies", 1],
    ] as const)
      expect(text).toContain(`doorbuster_table_${figure}{table="${table}",service="PolicyController"} ${value}\n`);
    await server.kill();
    await waitFor(() => !controller.isCurrent, "the service says that it may be out of date");
    const [old] = shown().tables;
    expect([old?.isCurrent, Number.isInteger(old?.ageMs)]).toEqual([false, true]);
    const age = /doorbuster_table_age_seconds\{table="policies",service="PolicyController"\} ([\d.]+)/.exec(await metrics.text());
    expect(Number(age?.[1])).toBeGreaterThan(1);
    await server.restart();
    await waitFor(() => controller.isCurrent, "the service is up to date again");
    await Promise.all(tables.map((table) => table.close()));
  });

  test("hand the events of sales on, each with an id of its own", async () => {
    const sales = await openSharedSales(tablesOver(redis, () => undefined));
    const book = new SaleBook({ sales, clock: { now: () => 1, monotonicUs: () => 0 }, newId: () => idOf("made") });
    const made = saved(await book.create(null, plan()));
    for (const isPaused of [true, false]) saved(await book.setPaused(made.id, isPaused));
    const told: [string, string][] = [];
    await saleEventRelay(redis, async ({ type }, id) => void told.push([type, id])).relay();
    expect(told.map(([type]) => type)).toEqual(["sale.paused", "sale.resumed"]);
    expect(new Set(told.map(([, id]) => id)).size).toBe(2);
    await sales.table.close();
  });
});
