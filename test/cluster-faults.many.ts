/** A Redis cluster of three primaries and three replicas under a crowd: one primary is killed, and a replica takes over. */
import { afterEach, describe, setDefaultTimeout, test } from "bun:test";
import { Crowd } from "./crowd.ts";
import { Pairs } from "./pairs.ts";
import { hasPostgres, NEEDS_POSTGRES } from "./servers/postgres.ts";
import { hasRedis, NEEDS_REDIS, startRedisCluster } from "./servers/redis.ts";
import { migrated, sharedPostgres } from "./services.ts";
import { waitFor } from "./wait.ts";

setDefaultTimeout(120_000);
const canRun = hasRedis && hasPostgres;
const NEEDS = [hasRedis ? "" : NEEDS_REDIS, hasPostgres ? "" : NEEDS_POSTGRES].join(" ").trim();

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp();
});

const isPrimary = (port: number): boolean =>
  Bun.spawnSync(["redis-cli", "-p", String(port), "info", "replication"])
    .stdout.toString()
    .includes("role:master");

describe.skipIf(!canRun)(`in strict mode ${NEEDS}`, () => {
  test("every hold that was acknowledged survives the death of any primary", async () => {
    const cluster = await startRedisCluster();
    cleanups.push(() => cluster.stop());
    const postgres = await (await sharedPostgres()).freshDatabase();
    await migrated(postgres);
    const pairs = await Pairs.start({ redis: cluster.urls, postgres, args: ["--redis-replicas", "1"] });
    cleanups.push(() => pairs.kill());
    // So many SKUs that each primary has some.
    const crowds = await Promise.all(["A", "B", "C", "D"].map((name) => Crowd.come(pairs, `SKU-${name}`, 1_000_000, `buyer-${name}`)));
    await Promise.all(crowds.map((crowd) => crowd.more(100)));
    const [first] = cluster.nodes;
    await first?.kill();
    const hasTakenOver = (): boolean => cluster.nodes.slice(3).some(({ port }) => isPrimary(port));
    await waitFor(hasTakenOver, "a replica has taken over");
    // Strict mode sells nothing of a shard that has no replica; the dead node comes back as one.
    await first?.restart();
    await Promise.all(crowds.map((crowd) => crowd.calm(100)));
    for (const crowd of crowds) await crowd.leave();
    for (const crowd of crowds) await crowd.expectTrue();
  });
});
