/** How a process of many has its tables: over which Redis, with whose clock, and who tells what happened to sales. */
import { randomBytes } from "node:crypto";
import type { Answer } from "../core/answer.ts";
import type { RedisConnection } from "../edge/redis.ts";
import { RedisEvents } from "../edge/redis-events.ts";
import { RedisTable } from "../edge/redis-table.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import type { SaleEvent } from "../sales/sale.ts";
import { SALES_TABLE } from "../sales/shared-sales.ts";
import { EventRelay } from "../tables/event-relay.ts";
import type { SharedTableIo } from "../tables/shared-table.ts";

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
