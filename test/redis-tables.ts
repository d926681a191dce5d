/** Shared tables for tests: each that is opened is another process's, with connections of its own, over one Redis. */
import { randomBytes } from "node:crypto";
import { RedisConnection } from "../src/edge/redis.ts";
import { RedisEvents } from "../src/edge/redis-events.ts";
import { RedisTable } from "../src/edge/redis-table.ts";
import { systemClock } from "../src/edge/system-clock.ts";
import type { SaleEvent } from "../src/sales/sale.ts";
import { openSharedSales, type SharedSales } from "../src/sales/shared-sales.ts";
import { openSharedPolicies, type SharedPolicies } from "../src/services/policy-controller/shared-policies.ts";
import { openSharedDecisions, type SharedDecisions } from "../src/services/safe-protector/shared-decisions.ts";
import { EventRelay } from "../src/tables/event-relay.ts";
import type { SharedTableIo } from "../src/tables/shared-table.ts";

/** One process's way to the tables of one store. */
export interface Office {
  readonly redis: RedisConnection;
  readonly io: SharedTableIo;
  /** What the operator was told. */
  readonly reports: readonly string[];
  decisions(): Promise<SharedDecisions>;
  policies(): Promise<SharedPolicies>;
  sales(): Promise<SharedSales>;
}

export interface OfficeOptions {
  /** A log so short that processes miss something. */
  readonly logEntriesMax?: number;
}

export class RedisDesk {
  readonly #url: () => string;
  readonly #connections: RedisConnection[] = [];
  readonly #tables: { close(): Promise<void> }[] = [];

  /** @param url asked for with each connection: servers start after suites are described */
  constructor(url: () => string) {
    this.#url = url;
  }

  /** @param store a name for the tables; processes that give the same have the same tables */
  async office(store: string, options: OfficeOptions = {}): Promise<Office> {
    const redis = new RedisConnection(this.#url());
    this.#connections.push(redis);
    await redis.open();
    const reports: string[] = [];
    const io: SharedTableIo = {
      openLog: (name, logEntriesMax) => new RedisTable(redis, `${store}-${name}`, options.logEntriesMax ?? logEntriesMax),
      clock: systemClock,
      wait: (delay) => Bun.sleep(delay),
      newMark,
      report: (message) => reports.push(message),
    };
    const kept = async <T extends { table: { close(): Promise<void> } }>(opening: Promise<T>): Promise<T> => {
      const opened = await opening;
      this.#tables.push(opened.table);
      return opened;
    };
    return {
      ...{ redis, io, reports },
      decisions: () => kept(openSharedDecisions(io)),
      policies: () => kept(openSharedPolicies(io)),
      sales: () => kept(openSharedSales(io)),
    };
  }

  async openStore() {
    const name = newMark();
    const office = await this.office(name);
    const events: SaleEvent[] = [];
    const waiting = new RedisEvents(office.redis, `${name}-sales`);
    const relay = new EventRelay<SaleEvent>({ waiting, emit: (event) => void events.push(event), name: "the test" });
    return {
      decisions: office.decisions,
      policies: office.policies,
      sales: office.sales,
      told: async () => {
        while (await relay.relay());
        return events;
      },
    };
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#tables.splice(0).map((table) => table.close()));
    for (const redis of this.#connections.splice(0)) redis.close();
  }
}

export const newMark = (): string => randomBytes(8).toString("hex");
