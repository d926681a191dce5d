/** The same ledger over a cluster of three primaries and three replicas, also in strict mode and while a primary dies. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { hasStores, type LedgerStores, NEEDS_STORES, SERVERS_MS_MAX, startLedgerStores } from "../../../test/ledger-stores.ts";
import type { RedisCluster } from "../../../test/servers/redis.ts";
import { waitFor } from "../../../test/wait.ts";
import { Failure } from "../../core/failure.ts";
import type { Sku } from "../../core/ids.ts";
import { RedisConnection } from "../../edge/redis.ts";
import { ledgerSuite } from "../ledger-suite.ts";
import { holdCommand, keyOf, START } from "../suite/shop.ts";

const { DOORBUSTER_LEDGER_RUNS = "1", DOORBUSTER_LEDGER_SEED = "20261122" } = process.env;

let stores: LedgerStores;

describe.skipIf(!hasStores)(`the ledger in a Redis Cluster ${NEEDS_STORES}`, () => {
  beforeAll(async () => {
    stores = await startLedgerStores({ isCluster: true });
  }, SERVERS_MS_MAX);
  afterAll(() => stores.stop(), SERVERS_MS_MAX);

  const runs = 6 * Number(DOORBUSTER_LEDGER_RUNS);
  ledgerSuite("cluster", () => stores.open(), { canReopen: true, runs, seed: Number(DOORBUSTER_LEDGER_SEED) + 4 });

  test("in strict mode every hold that was acknowledged outlives the primary that gave it, and its key gets the first reply", async () => {
    const { nodes, urls } = stores.redisServer as RedisCluster;
    await stores.fresh();
    const redis = new RedisConnection(urls, { replicasMin: 1 });
    await redis.open();
    // As many partitions as in earnest, so that every node has some.
    const { ledger, restore } = await stores.process({ redis, partitions: 32 });
    const skus = Array.from({ length: 12 }, (_, n) => `sku ${n}` as Sku);
    await ledger.stock(
      skus.map((sku) => ({ verb: "stock", mode: "put", sku, onHand: 1_000, priceCents: 1 })),
      START,
    );
    const buy = (n: number) => {
      const command = holdCommand(`buyer ${n}`, 1, { sku: skus[n % skus.length] as Sku, key: keyOf(`key ${n}`) });
      return { command, reply: () => ledger.hold([command], START).then(([first]) => first) };
    };
    const acknowledged: ReturnType<typeof buy>[] = [];
    let bought = 0;
    const buySome = async (): Promise<boolean> => {
      const some = Array.from({ length: 24 }, (_, n) => buy(bought + n));
      bought += some.length;
      const replies = await Promise.all(some.map(({ reply }) => reply().catch(onlyFailures)));
      for (const [m, reply] of replies.entries()) if (reply?.kind === "held") acknowledged.push(some[m] as ReturnType<typeof buy>);
      return replies.every((reply) => reply?.kind === "held");
    };
    expect(await buySome()).toBe(true);
    await nodes[0]?.kill();
    const canLook = async (): Promise<boolean> => (await ledger.goods(skus, START).catch(onlyFailures)) !== null;
    await waitFor(canLook, "a replica has taken over");
    // It has no replica itself now, and so acknowledges nothing, until the dead one comes back as one.
    await buySome();
    await nodes[0]?.restart();
    // The replica's partitions decide nothing before somebody has compared them with Postgres.
    const sellsAgain = async (): Promise<boolean> => {
      await restore(START).catch(onlyFailures);
      return buySome();
    };
    await waitFor(sellsAgain, "every shard sells again");
    expect(acknowledged.length).toBeGreaterThan(24);
    for (const { reply } of acknowledged) expect(await reply()).toMatchObject({ kind: "repeated", reply: { reason: null } });
    redis.close();
  }, 60_000);
});

/** While a shard has no primary its holds fail; nothing else may go wrong. */
function onlyFailures(error: unknown): null {
  if (!(error instanceof Failure)) throw error;
  return null;
}
