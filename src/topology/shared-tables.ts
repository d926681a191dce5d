/** How a process of many has its tables: over which Redis, with whose clock, and who tells what happened to sales. */
import { randomBytes } from "node:crypto";
import type { Answer } from "../core/answer.ts";
import type { ServiceMetrics } from "../edge/metrics.ts";
import type { RedisConnection } from "../edge/redis.ts";
import { RedisEvents } from "../edge/redis-events.ts";
import { RedisTable } from "../edge/redis-table.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import type { SaleEvent } from "../sales/sale.ts";
import { SALES_TABLE } from "../sales/shared-sales.ts";
import { EventRelay } from "../tables/event-relay.ts";
import type { SharedTableIo, TableFigures } from "../tables/shared-table.ts";

const byChance = (): string => randomBytes(8).toString("hex");

/** What `openSharedDecisions`, `openSharedPolicies` and `openSharedSales` take. @param report takes a sentence for the operator */
export const tablesOver = (redis: RedisConnection, report: (message: string) => void): SharedTableIo => ({
  openLog: (name, logEntriesMax) => new RedisTable(redis, name, logEntriesMax),
  clock: systemClock,
  wait: (delayMs) => new Promise((resolve) => timers.after(delayMs, resolve)),
  newMark: byChance,
  report,
});

/** Any number of processes may relay: one at a time does. @param emit keeps an event for good, unless it has one of that id already */
export const saleEventRelay = (redis: RedisConnection, emit: (event: SaleEvent, id: string) => Answer<void>): EventRelay<SaleEvent> =>
  new EventRelay({ waiting: new RedisEvents(redis, SALES_TABLE), emit, name: byChance() });

/** What operators see of a table. */
export interface WatchedTable {
  readonly name: string;
  readonly figures: TableFigures;
}

/** For the details of `/health`. A copy that is not current does not make a service DOWN: without Redis that would be all of them, and they can answer. */
export const tablesInHealth = (tables: readonly WatchedTable[]): { readonly tables: readonly object[] } => ({
  tables: tables.map(({ name, figures: { isCurrent, ageMs, position } }) => ({ name, isCurrent, ageMs: Math.round(ageMs), position })),
});

export function describeTables(metrics: ServiceMetrics, tables: readonly WatchedTable[]): void {
  const of = (read: (figures: TableFigures) => number) => () => tables.map(({ name, figures }) => [name, read(figures)] as const);
  metrics.labelled(
    "gauge",
    "doorbuster_table_age_seconds",
    "How long ago it was certain that this process's copy has every change.",
    "table",
    of(({ ageMs }) => ageMs / 1_000),
  );
  metrics.labelled(
    "gauge",
    "doorbuster_table_position",
    "Changes of the table that this process knows.",
    "table",
    of(({ position }) => position),
  );
  metrics.labelled(
    "counter",
    "doorbuster_table_loads_total",
    "How often all rows were read.",
    "table",
    of(({ loads }) => loads),
  );
}
