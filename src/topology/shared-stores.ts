/** The stores that the processes of one system share, and what this process has of them in memory. */
import type { ServiceMetrics } from "../edge/metrics.ts";
import { urlsBehind } from "../edge/name-lookup.ts";
import { RedisConnection } from "../edge/redis.ts";
import { openSharedSales, type SharedSales } from "../sales/shared-sales.ts";
import { openSharedPolicies, type SharedPolicies } from "../services/policy-controller/shared-policies.ts";
import { openSharedDecisions, type SharedDecisions } from "../services/safe-protector/shared-decisions.ts";
import type { Settings } from "../settings/table.ts";
import type { SharedTableIo, TableFigures } from "../tables/shared-table.ts";
import { Patience } from "./patience.ts";
import { complain } from "./process.ts";
import { describeTables, tablesInHealth, tablesOver, type WatchedTable } from "./shared-tables.ts";
import { type Store, troubleWith } from "./store-trouble.ts";

interface OpenTable {
  readonly figures: TableFigures;
  close(): Promise<void>;
}

export class SharedStores {
  readonly redis: RedisConnection;
  /** For all that has to be read of a store before the process is ready. */
  readonly patience: Patience;
  readonly #io: SharedTableIo;
  readonly #tables = new Map<string, OpenTable>();
  readonly #opening = new Map<string, Promise<unknown>>();

  private constructor(redis: RedisConnection, patience: Patience) {
    this.redis = redis;
    this.patience = patience;
    this.#io = tablesOver(redis, complain);
  }

  /** @throws Error with one line for the operator when there is no Redis to be had, after a wait */
  static async open({ redis: urls, topology }: Settings, role: string): Promise<SharedStores> {
    if (urls.length === 0) throw new Error(`${role} in a process of its own shares its store with others: give --redis`);
    const patience = new Patience(topology.waitForStoresMs);
    const why = (error: Error) => whyNot("Redis", urls, error);
    try {
      const redis = await patience.until(() => opened(urls, topology.redisReplicasMin), why);
      const mayEvict = await patience.until(() => redis.mayEvict(), why);
      if (!mayEvict) return new SharedStores(redis, patience);
      redis.close();
      throw new Error("when its memory is full it throws away what it keeps: set maxmemory-policy noeviction");
    } catch (error) {
      throw error instanceof Error ? new Error(`Redis cannot be used: ${await why(error)}`) : error;
    }
  }

  decisions(): Promise<SharedDecisions> {
    return this.#opened("decisions", () => openSharedDecisions(this.#io));
  }
  policies(): Promise<SharedPolicies> {
    return this.#opened("policies", () => openSharedPolicies(this.#io));
  }
  sales(): Promise<SharedSales> {
    return this.#opened("sales", () => openSharedSales(this.#io));
  }

  /** For the details of `/health`. */
  inHealth(): object {
    return { ...tablesInHealth(this.#watched()), redis: this.redis.isReady ? "connected" : "away" };
  }

  describe(metrics: ServiceMetrics): void {
    describeTables(metrics, this.#watched());
    metrics.gauge("doorbuster_redis_connected", "Whether this process reaches Redis: 1 or 0.", () => (this.redis.isReady ? 1 : 0));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#tables.values()].map((table) => table.close()));
    this.redis.close();
  }

  #watched(): WatchedTable[] {
    return [...this.#tables].map(([name, { figures }]) => ({ name, figures }));
  }

  /** Services of one process share its copy. */
  #opened<T extends { readonly table: OpenTable }>(name: string, open: () => Promise<T>): Promise<T> {
    const known = this.#opening.get(name) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const opening = this.patience.until(open).then((opened) => {
      this.#tables.set(name, opened.table);
      return opened;
    });
    this.#opening.set(name, opening);
    return opening;
  }
}

/** A connection that has not come about is not used again: another one is tried. */
async function opened(urls: readonly string[], replicasMin: number): Promise<RedisConnection> {
  const redis = new RedisConnection(urls.join(","), { replicasMin });
  try {
    await redis.open();
    return redis;
  } catch (error) {
    redis.close();
    throw error;
  }
}

/** What is wrong with a store, and what to do next. */
export const whyNot = (name: Store["name"], urls: readonly string[], error: Error): Promise<string> =>
  troubleWith({ name, urls }, error, async () => (await urlsBehind(urls)) !== null);
