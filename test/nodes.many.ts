/**
 * Two nodes over one Redis and one Postgres, and a crowd that buys through both: one that is killed takes nothing with it but its connections, and
 * what the crowd was told is what is in the stores.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Crowd, type Doors } from "./crowd.ts";
import { type RunningProcess, startProcess } from "./process.ts";
import { hasPostgres, NEEDS_POSTGRES } from "./servers/postgres.ts";
import { hasRedis, NEEDS_REDIS } from "./servers/redis.ts";
import { freshStores, type Stores } from "./services.ts";
import { freePortOffset, freshDataDir, getJson, postJson } from "./system.ts";
import { waitFor } from "./wait.ts";

setDefaultTimeout(120_000);
const NEEDS = [hasRedis ? "" : NEEDS_REDIS, hasPostgres ? "" : NEEDS_POSTGRES].join(" ").trim();
const MAIN = join(import.meta.dir, "..", "src", "main.ts");
const START_ATTEMPTS_MAX = 5;
/** By then a node that is there again is asked again. */
const RECOVERED_MS_MAX = 10_000;

type Which = 0 | 1;
let stores: Stores;
const folder = freshDataDir();
const offsets: [number, number] = [0, 0];
const nodes: RunningProcess[] = [];
const url = (port: number, which: Which): string => `http://127.0.0.1:${port + offsets[which]}`;
/** Operators ask the first: it is the one that lives. */
const doors = (): Doors => ({ gate: url(8080, 0), inventory: url(8083, 0), cart: url(8084, 0), gates: [url(8080, 0), url(8080, 1)] });

async function begin(which: Which): Promise<void> {
  const { redisUrl, postgresUrl } = stores;
  const place = ["--data", `${folder}/${which}`, "--port-offset", String(offsets[which])];
  // The second registers at the first.
  const registry = which === 0 ? [] : ["--registry", url(8761, 0)];
  nodes[which] = await startProcess([...place, "--redis", redisUrl, "--postgres", postgresUrl, ...registry]);
}

/** On ports that nobody else has taken between our look and the node's own bind. */
async function beginSomewhere(which: Which): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    offsets[which] = freePortOffset();
    try {
      return await begin(which);
    } catch (error) {
      if (!/\bport \d/i.test(String(error)) || attempt === START_ATTEMPTS_MAX) throw error;
    }
  }
}

async function audit(): Promise<{ readonly code: number; readonly output: string }> {
  const { redisUrl, postgresUrl } = stores;
  const child = Bun.spawn([process.execPath, MAIN, "audit", "--redis", redisUrl, "--postgres", postgresUrl], {
    stdin: "ignore",
    stdout: "pipe",
  });
  const [output, code] = await Promise.all([child.stdout.text(), child.exited]);
  return { code, output };
}

describe.skipIf(!hasRedis || !hasPostgres)(`two nodes ${NEEDS}`, () => {
  beforeAll(async () => {
    stores = await freshStores();
    await beginSomewhere(0);
    await beginSomewhere(1);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    await stores?.redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("one finds the services of the other where it has the registry", async () => {
    const { text } = await getJson(`${url(8761, 0)}/eureka/apps`, { accept: "application/json" });
    for (const which of [0, 1] as const)
      for (const port of [8080, 8081, 8082, 8083, 8084]) expect(text).toContain(`${port + offsets[which]}`);
  });

  test("what an operator changes at one counts at the other", async () => {
    expect((await postJson(`${url(8083, 0)}/add`, { goodsSKU: "few", goodsQuantity: 1, goodsPrice: 1 })).status).toBe(200);
    expect((await postJson(`${url(8081, 0)}/badguy/add`, { userID: "mallory", isBadGuy: true })).status).toBe(200);
    const buy = async (userID: string) =>
      (await postJson(`${url(8080, 1)}/buy`, { clientIP: "10.0.0.7", userID, userLevel: 1, goodsSKU: "few", goodsQuantity: 1 })).body;
    const isBad = async () => ((await getJson(`${url(8081, 1)}/badguy/userid/mallory`)).body as { isBadGuy: boolean }).isBadGuy;
    await waitFor(isBad, "the other knows of it");
    expect(await buy("mallory")).toMatchObject({ repResult: false, reason: "blacklisted" });
    expect(await buy("ann")).toMatchObject({ repResult: true });
    expect(await buy("bob")).toMatchObject({ repResult: false, reason: "sold-out" });
    expect((await getJson(`${url(8083, 0)}/sku/few`)).body).toMatchObject({ availableQuantity: 0 });
  });

  test.each([1, 2, 3])("when one is killed under load the other sells on, and nothing is oversold or lost (%d)", async (round) => {
    const crowd = await Crowd.come(doors(), `SKU${round}`, 1_000_000, `buyer-${round}`);
    await crowd.more(1_000);
    await (nodes[1] as RunningProcess).kill();
    await crowd.calm(500);
    await begin(1);
    await waitFor(async () => (await getJson(`${url(8080, 1)}/health`)).status === 200, "it sells again", RECOVERED_MS_MAX);
    await crowd.more(500);
    await crowd.leave();
    await crowd.expectTrue();
    expect(await audit()).toMatchObject({ code: 0 });
  });
});
