/** The real servers that other tests lean on come up, answer, lose what they should and keep what they should. */
import { expect, test } from "bun:test";
import { SQL } from "bun";
import { Cluster, Redis } from "ioredis";
import { waitFor } from "../wait.ts";
import { hasPostgres, NEEDS_POSTGRES, startPostgres } from "./postgres.ts";
import { hasRedis, NEEDS_REDIS, startRedis, startRedisCluster } from "./redis.ts";

test.skipIf(!hasRedis)(
  `a Redis keeps its data over a crash, unless it is to lose them ${hasRedis ? "" : NEEDS_REDIS}`,
  async () => {
    const server = await startRedis(["--appendfsync", "always"]);
    const redis = new Redis(server.url);
    redis.on("error", () => undefined);
    await redis.set("greeting", "hello");
    await server.kill();
    await server.restart();
    expect(await redis.get("greeting")).toBe("hello");
    await server.kill();
    await server.restart({ isEmpty: true });
    expect(await redis.get("greeting")).toBeNull();
    redis.disconnect();
    await server.stop();
  },
  60_000,
);

test.skipIf(!hasRedis)(
  `a cluster of three primaries replaces one that dies ${hasRedis ? "" : NEEDS_REDIS}`,
  async () => {
    const { nodes, urls, stop } = await startRedisCluster();
    const cluster = new Cluster(urls.split(","), { clusterRetryStrategy: () => 100 });
    cluster.on("error", () => undefined);
    for (const key of ["a", "b", "c", "d"]) await cluster.set(key, key);
    await nodes[0]?.kill();
    const readsAll = async (): Promise<boolean> => {
      const values = await Promise.all(["a", "b", "c", "d"].map((key) => cluster.get(key).catch(() => null)));
      return values.join("") === "abcd";
    };
    await waitFor(readsAll, "a replica has taken over");
    cluster.disconnect();
    await stop();
  },
  60_000,
);

test.skipIf(!hasPostgres)(
  `a Postgres gives each who asks a database of their own ${hasPostgres ? "" : NEEDS_POSTGRES}`,
  async () => {
    const server = await startPostgres();
    const [first, second] = [new SQL(server.url), new SQL(await server.freshDatabase())];
    await first`create table t (n int)`;
    await first`insert into t values (7)`;
    expect(await first`select n from t`).toEqual([{ n: 7 }] as never);
    await expect(second`select n from t`.execute()).rejects.toThrow("does not exist");
    await server.kill();
    await server.restart();
    const kept = async () =>
      first`select n from t`.then(
        (rows) => rows[0].n === 7,
        () => false,
      );
    await waitFor(kept, "what was committed is there again");
    await first.close();
    await second.close();
    await server.stop();
  },
  60_000,
);
