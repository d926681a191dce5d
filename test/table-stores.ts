/** Every store that keeps decisions, policies and sales, for suites that all of them must pass. */
import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, describe } from "bun:test";
import { GroupCommit } from "../src/edge/group-commit.ts";
import type { SaleEvent } from "../src/sales/sale.ts";
import { embeddedSales, SALES_SCHEMA } from "../src/sales/sale-store.ts";
import type { SaleTable } from "../src/sales/sale-table.ts";
import { embeddedPolicies, POLICIES_SCHEMA } from "../src/services/policy-controller/policy-store.ts";
import type { PolicyTable } from "../src/services/policy-controller/policy-table.ts";
import { DECISIONS_SCHEMA, embeddedDecisions } from "../src/services/safe-protector/decision-store.ts";
import type { Decisions } from "../src/services/safe-protector/decisions.ts";
import { RedisDesk } from "./redis-tables.ts";
import { hasRedis, NEEDS_REDIS, type RedisServer, startRedis } from "./servers/redis.ts";

/** An empty store. Each table that is asked for is another process's: it has in memory what the store says. */
export interface Store {
  decisions(): Promise<Decisions>;
  policies(): Promise<PolicyTable>;
  sales(): Promise<SaleTable>;
  /** What was told of sales so far, in order. */
  told(): Promise<readonly SaleEvent[]>;
}

export type OpenStore = () => Promise<Store>;

/** How many of so many histories are worth their time over a store. */
export type SomeOf = (histories: number) => number;

/** Runs a suite over each store. */
export function overEveryStore(suite: (open: OpenStore, someOf: SomeOf) => void): void {
  describe("over the embedded store,", () => suite(openEmbedded, (histories) => histories));
  describe.skipIf(!hasRedis)(`over Redis, ${hasRedis ? "" : NEEDS_REDIS}`, () => {
    let server: RedisServer;
    const desk = new RedisDesk(() => server.url);
    beforeAll(async () => {
      server = await startRedis();
    });
    afterEach(() => desk.closeAll());
    afterAll(() => server.stop());
    suite(
      () => desk.openStore(),
      (histories) => Math.ceil(histories / 10),
    );
  });
}

async function openEmbedded(): Promise<Store> {
  const db = new Database(":memory:");
  db.run(DECISIONS_SCHEMA + POLICIES_SCHEMA + SALES_SCHEMA);
  const turns = new GroupCommit(db, (failure) => {
    throw failure;
  });
  const told: SaleEvent[] = [];
  const emit = (event: SaleEvent): void => {
    if (!db.inTransaction) throw new Error("an event was told outside the turn whose commit saves it");
    told.push(event);
  };
  return {
    decisions: async () => embeddedDecisions(db, turns),
    policies: async () => embeddedPolicies(db, turns),
    sales: async () => embeddedSales(db, turns, emit),
    told: async () => told,
  };
}
