/** Shared tables over a Redis Cluster, one of whose primaries dies. */
import { expect, test } from "bun:test";
import { type Decision, keyOf } from "../src/services/safe-protector/decision.ts";
import type { SharedDecisions } from "../src/services/safe-protector/shared-decisions.ts";
import { newMark, RedisDesk } from "./redis-tables.ts";
import { hasRedis, NEEDS_REDIS, startRedisCluster } from "./servers/redis.ts";
import { waitFor } from "./wait.ts";

test.skipIf(!hasRedis)(
  `a shared table goes on in a cluster when the primary that keeps it dies ${hasRedis ? "" : NEEDS_REDIS}`,
  async () => {
    const cluster = await startRedisCluster();
    const desk = new RedisDesk(() => cluster.urls);
    const store = newMark();
    const offices = await Promise.all([desk.office(store), desk.office(store), desk.office(store)]);
    const tables = await Promise.all(offices.map((office) => office.decisions()));
    const [first, second] = tables as [SharedDecisions, SharedDecisions];
    const decision = (number: number): Decision => ({
      ...{ scope: "account", value: `U${number}`, action: "block", since: 1, until: null, note: "" },
      ...{ scenario: null, origin: "operator", offences: 0, evidence: null },
    });
    const add = ({ table }: SharedDecisions, number: number) =>
      table.change(() => ({ reply: undefined, changes: [{ put: decision(number) }], events: [] }));
    const headKey = `{doorbuster:${store}-decisions}:head`;
    for (let number = 0; number < 20; number += 1) await add(number % 2 === 0 ? first : second, number);
    await waitFor(() => tables.every(({ table }) => table.view.size === 20), "all have what was added");

    // Whoever has asked the keeper for a key without being sent on is the keeper.
    const keeper = cluster.nodes.find(({ port }) =>
      Bun.spawnSync(["redis-cli", "-p", String(port), "get", headKey])
        .stdout.toString()
        .includes("WRONGTYPE"),
    );
    await keeper?.kill();
    expect(keeper).toBeDefined();
    let number = 20;
    for (const table of tables)
      await waitFor(
        () => {
          number += 1;
          return add(table, number).then(
            () => true,
            () => false,
          );
        },
        "every process has found the replica that took over",
        30_000,
      );
    await add(first, 1_000);
    const last = keyOf(decision(1_000));
    await waitFor(() => tables.every(({ table }) => table.isCurrent && table.view.untilOf(last) === null), "all have the last");
    const sizes = new Set(tables.map(({ table }) => table.view.size));
    const listed = (await first.rows("u", "", 1_000)).length;
    expect([...sizes]).toEqual([listed]);
    await desk.closeAll();
    await cluster.stop();
  },
  90_000,
);
