/**
 * The shop of `compose.yaml` without containers: every service twice, each in a process with the command and the variables that Compose would
 * give it, over a real Redis Cluster and a real Postgres. Only what makes them share one machine is replaced: hosts, ports, data folders.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRole } from "../../src/settings/topology.ts";
import { PORTS } from "../../src/topology/ports.ts";
import { hasPostgres, NEEDS_POSTGRES, startPostgres } from "../servers/postgres.ts";
import { hasRedis, NEEDS_REDIS, startRedisCluster } from "../servers/redis.ts";
import { getJson, postJson } from "../system.ts";
import { waitFor } from "../wait.ts";
import { readCompose, SAMPLE_ENV } from "./compose-file.ts";

setDefaultTimeout(240_000);

const MAIN = join(import.meta.dir, "../../src/main.ts");
/** Until the command line has them, there is nothing to start. */
const hasRoles = isRole("shopping-cart") && isRole("service-registry");
const canRun = hasRedis && hasPostgres && hasRoles;
const NEEDS = [hasRedis ? "" : NEEDS_REDIS, hasPostgres ? "" : NEEDS_POSTGRES, hasRoles ? "" : "(needs `start SERVICE`)"].join(" ").trim();
const STOCK = 500;
const BUYERS = 800;
const services = readCompose(SAMPLE_ENV).services;
const folder = mkdtempSync(join(tmpdir(), "doorbuster-compose-"));
const cleanups: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
afterAll(async () => {
  for (const cleanUp of cleanups.reverse()) await cleanUp();
});

/** Two instances of everything need two sets of ports on one machine. */
function freeOffsets(): readonly [number, number] {
  const first = 20_000 + 200 * Math.floor(Math.random() * 150);
  try {
    for (const offset of [first, first + 100])
      for (const port of Object.values(PORTS))
        Bun.listen({ hostname: "127.0.0.1", port: port + offset, socket: { data: () => undefined } }).stop(true);
    return [first, first + 100];
  } catch {
    return freeOffsets();
  }
}

interface Replaced {
  readonly redis: string;
  readonly postgres: string;
  readonly offset: number;
  readonly offsets: readonly [number, number];
}

function environmentOf(name: string, { redis, postgres, offset, offsets }: Replaced): Record<string, string> {
  const registryAt = (at: number): string => `http://127.0.0.1:${PORTS.ServiceRegistry + at}`;
  const onThisMachine: Readonly<Record<string, string>> = {
    DOORBUSTER_HOST: "127.0.0.1",
    DOORBUSTER_ADVERTISE: "127.0.0.1",
    DOORBUSTER_REDIS: redis,
    DOORBUSTER_POSTGRES: postgres,
    DOORBUSTER_REGISTRY: offsets.map(registryAt).join(","),
    DOORBUSTER_REGISTRY_PEERS: offsets
      .filter((each) => each !== offset)
      .map(registryAt)
      .join(","),
  };
  const given = services[name]?.environment ?? {};
  const own = Object.fromEntries(Object.entries(given).map(([variable, value]) => [variable, onThisMachine[variable] ?? value]));
  // The ports and the identity are of this test; everything else is of compose.yaml.
  const ofTest = name === "migrate" ? {} : { DOORBUSTER_PORT_OFFSET: String(offset), DOORBUSTER_DATA: join(folder, `${name}-${offset}`) };
  const { PATH = "" } = process.env;
  return { PATH, HOME: folder, ...own, ...ofTest, ...(name.startsWith("service-registry") ? {} : { DOORBUSTER_IDENTITY: "trusted" }) };
}

function start(name: string, replaced: Replaced) {
  const env = environmentOf(name, replaced);
  const child = Bun.spawn([process.execPath, MAIN, ...(services[name]?.command ?? [])], { env, stdio: ["ignore", "ignore", "inherit"] });
  const killWithUs = (): void => child.kill("SIGKILL");
  process.on("exit", killWithUs);
  void child.exited.then(() => process.off("exit", killWithUs));
  cleanups.push(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  return child;
}

/** Started again when it ends, as Compose does. `stop` answers with the exit code. */
function keep(name: string, replaced: Replaced): { readonly stop: () => Promise<number> } {
  let isWanted = true;
  let child = start(name, replaced);
  const startAgain = (): void => {
    if (!isWanted) return;
    child = start(name, replaced);
    void child.exited.then(startAgain);
  };
  void child.exited.then(startAgain);
  const stop = (): Promise<number> => {
    isWanted = false;
    child.kill("SIGTERM");
    return child.exited;
  };
  cleanups.push(stop);
  return { stop };
}

describe.skipIf(!canRun)(`the services of compose.yaml ${NEEDS}`, () => {
  test("come up twice each, sell exactly the stock through both gates, and end when they are told", async () => {
    const [cluster, postgres] = await Promise.all([startRedisCluster(), startPostgres()]);
    cleanups.push(
      () => cluster.stop(),
      () => postgres.stop(),
    );
    const offsets = freeOffsets();
    const replaced = (offset: number): Replaced => ({ redis: cluster.urls, postgres: postgres.url, offset, offsets });
    expect(await start("migrate", replaced(offsets[0])).exited).toBe(0);
    const names = ["safe-protector", "policy-controller", "inventory-manager", "shopping-cart", "gate-keeper"];
    const kept = [
      keep("service-registry-1", replaced(offsets[0])),
      keep("service-registry-2", replaced(offsets[1])),
      keep("console", replaced(offsets[0])),
      ...offsets.flatMap((offset) => names.map((name) => keep(name, replaced(offset)))),
    ];
    // There is one console.
    const urls = offsets.flatMap((offset) =>
      Object.values(PORTS)
        .filter((port) => port !== PORTS.Console || offset === offsets[0])
        .map((port) => `http://127.0.0.1:${port + offset}`),
    );
    const isUp = (url: string): Promise<boolean> =>
      fetch(`${url}/health`).then(
        ({ status }) => status === 200,
        () => false,
      );
    await waitFor(async () => (await Promise.all(urls.map(isUp))).every(Boolean), "all instances are up", 120_000);

    const [first] = offsets;
    const operator = { authorization: `Bearer ${SAMPLE_ENV.ADMIN_KEY}` };
    const goods = { goodsSKU: "SKU0001", goodsQuantity: STOCK, goodsPrice: 9.9 };
    expect((await postJson(`http://127.0.0.1:${PORTS.InventoryManager + first}/add`, goods, operator)).status).toBe(200);
    const buy = async (buyer: number): Promise<{ repResult: boolean; reason: string | null }> => {
      const gate = `http://127.0.0.1:${PORTS.GateKeeper + (offsets[buyer % 2] as number)}`;
      const body = { clientIP: "202.100.100.1", userID: `UID${buyer}`, userLevel: 5, goodsSKU: "SKU0001", goodsQuantity: 1 };
      return (await postJson(`${gate}/buy`, body)).body as { repResult: boolean; reason: string | null };
    };
    await waitFor(async () => (await buy(BUYERS)).repResult, "a gate has found all services");
    const replies = await Promise.all(Array.from({ length: BUYERS }, (_, buyer) => buy(buyer)));
    const held = replies.filter(({ repResult }) => repResult).length;
    expect([...new Set(replies.map(({ reason }) => reason))].toSorted()).toEqual([null, "sold-out"].toSorted());
    expect(held).toBe(STOCK - 1);
    const stock = await getJson(`http://127.0.0.1:${PORTS.InventoryManager + first}/sku/SKU0001`);
    expect(stock.body).toMatchObject({ goodsQuantity: STOCK, frozenQuantity: STOCK, availableQuantity: 0 });

    expect(await Promise.all(kept.map(({ stop }) => stop()))).toEqual(kept.map(() => 0));
  });
});
