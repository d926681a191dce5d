/**
 * A system under real load is killed, again and again on the same data, at moments that are random in terms of what it has done. After every
 * restart: what was acknowledged is there, exactly; what was cut off is settled by asking again with the same key; and then the goods count
 * exactly what the buyers have, no unit more or less.
 */
import { afterAll, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { HttpLoadClient, type LoadExchange, requestText, runClosedLoop, targetOf } from "../src/edge/http-load-client.ts";
import { seededRandom } from "../src/stampede/arrivals.ts";
import { freshDataDir, getJson, postJson, type System, startSystem } from "./system.ts";

const MAIN = `${import.meta.dir}/../src/main.ts`;
const KILLS = 12;
const CONNECTIONS = 200;
const ACKNOWLEDGEMENTS_PER_ROUND_MAX = 1_200;
/** Kept replies of earlier rounds that are asked for again after each restart. */
const REPLAYED_PER_ROUND = 300;
const SEED = 20_261_122;

/** Scarce goods sell out in the first rounds, so that every later purchase of them is a chance to oversell. */
const STOCK: Readonly<Record<string, number>> = { SCARCE: 400, TIGHT: 1_500, PLENTY: 1_000_000, LIMITED: 1_000_000 };
const LIMIT = 2;
const LIMITED_USERS = 40;

const dataDirs: string[] = [];
const systems: System[] = [];
afterAll(async () => {
  // Those that a failed test has left running; the others are gone, and killing them again is nothing.
  for (const system of systems) await system.kill();
  for (const dataDir of dataDirs) rmSync(dataDir, { recursive: true, force: true });
});

interface Purchase {
  readonly index: number;
  readonly userId: string;
  readonly sku: string;
  readonly request: string;
}

interface Told {
  readonly purchase: Purchase;
  readonly body: string;
  readonly isHeld: boolean;
}

/** Everything that buyers and operators were told, over all rounds. */
class Memory {
  readonly told: Told[] = [];
  /** Cut off before the answer: the outcome is unknown until the same key has been asked again. */
  open: Purchase[] = [];
  readonly blacklisted: string[] = [];
  readonly #random = seededRandom(SEED);
  #made = 0;

  draw(below: number): number {
    return Math.floor(this.#random() * below);
  }

  newPurchase(): Purchase {
    const index = this.#made;
    this.#made += 1;
    const sku = Object.keys(STOCK)[this.draw(4)] as string;
    const userId = sku === "LIMITED" ? `regular-${this.draw(LIMITED_USERS)}` : `buyer-${index}`;
    const body = { clientIP: `10.0.${this.draw(256)}.${this.draw(256)}`, userID: userId, userLevel: 5, goodsSKU: sku, goodsQuantity: 1 };
    return { index, userId, sku, request: requestText("POST", "/buy", body, { "idempotency-key": `key-${index}` }) };
  }

  hear(purchase: Purchase, exchange: LoadExchange): void {
    if (exchange.kind === "reply" && exchange.status === 200) {
      this.told.push({ purchase, body: exchange.body, isHeld: (JSON.parse(exchange.body) as { repResult: boolean }).repResult });
    } else if (exchange.kind === "reply" && exchange.status !== 503) {
      throw new Error(`a purchase was answered with ${exchange.status}: ${exchange.body}`);
    } else this.open.push(purchase);
  }

  /** By user and SKU, the units that were acknowledged. */
  acknowledged(): Map<string, number> {
    const units = new Map<string, number>();
    for (const { purchase, isHeld } of this.told) {
      if (!isHeld) continue;
      const line = `${purchase.userId} ${purchase.sku}`;
      units.set(line, (units.get(line) ?? 0) + 1);
    }
    return units;
  }
}

/** Buyers come over many connections until `end` has ended the system. Answers when every exchange has an end. */
async function load(system: System, memory: Memory, acknowledgements: number, end: () => Promise<unknown>): Promise<void> {
  const client = await HttpLoadClient.open(targetOf(system.gate), { connections: CONNECTIONS, waitingMax: 1, replySecondsMax: 30 });
  const ended = Promise.withResolvers<unknown>();
  let heard = 0;
  let underWay = 0;
  let isEnding = false;
  await new Promise<void>((resolve, reject) => {
    const buy = (): void => {
      const purchase = memory.newPurchase();
      underWay += 1;
      client.send(purchase.request, (exchange) => {
        underWay -= 1;
        heard += 1;
        try {
          memory.hear(purchase, exchange);
        } catch (error) {
          reject(error);
        }
        if (heard === acknowledgements) {
          isEnding = true;
          end().then(ended.resolve, ended.reject);
        }
        if (!isEnding) buy();
        else if (underWay === 0) resolve();
      });
    };
    for (let i = 0; i < CONNECTIONS; i += 1) buy();
  });
  await ended.promise;
  client.close();
}

/** An operator blacklists users one after the other until the system is gone. */
async function blacklistMeanwhile(system: System, memory: Memory, round: number): Promise<void> {
  for (let i = 0; ; i += 1) {
    const userID = `bad-${round}-${i}`;
    const reply = await postJson(`${system.protector}/badguy/add`, { userID, isBadGuy: true }).catch(() => null);
    if (reply?.status !== 200) return;
    memory.blacklisted.push(userID);
  }
}

async function ask(url: string, requests: readonly string[], onEnd: (index: number, exchange: LoadExchange) => void): Promise<void> {
  const loop = {
    target: targetOf(url),
    connections: 64,
    requests: requests.length,
    requestAt: (index: number) => requests[index] as string,
  };
  expect((await runClosedLoop({ ...loop, onEnd })).byStatus).toEqual(requests.length === 0 ? new Map() : new Map([[200, requests.length]]));
}

/** What was told before is told again; what was cut off is told now. */
async function settle(system: System, memory: Memory, sinceIndex: number): Promise<void> {
  const earlier = Array.from({ length: Math.min(REPLAYED_PER_ROUND, sinceIndex) }, () => memory.told[memory.draw(sinceIndex)] as Told);
  // Each key once: two requests with the same key at the same time are a conflict.
  const replayed = [...new Set(earlier), ...memory.told.slice(sinceIndex)];
  const changed: string[] = [];
  await ask(
    system.gate,
    replayed.map(({ purchase }) => purchase.request),
    (index, exchange) => {
      const { body } = replayed[index] as Told;
      if (exchange.kind === "reply" && exchange.body !== body) changed.push(`${body} became ${exchange.body}`);
    },
  );
  expect(changed.slice(0, 5)).toEqual([]);
  const open = memory.open;
  memory.open = [];
  await ask(
    system.gate,
    open.map((purchase) => purchase.request),
    (index, exchange) => memory.hear(open[index] as Purchase, exchange),
  );
}

async function expectCartsAsTold(system: System, memory: Memory): Promise<void> {
  const acknowledged = memory.acknowledged();
  const users = [...new Set(memory.told.map(({ purchase }) => purchase.userId))];
  const inCarts = new Map<string, number>();
  await ask(
    system.cart,
    users.map((user) => requestText("GET", `/all/userid/${user}`)),
    (index, exchange) => {
      if (exchange.kind !== "reply") return;
      for (const { goodsSKU, goodsQuantity } of JSON.parse(exchange.body) as { goodsSKU: string; goodsQuantity: number }[])
        inCarts.set(`${users[index]} ${goodsSKU}`, goodsQuantity);
    },
  );
  const wrong = [...new Set([...acknowledged.keys(), ...inCarts.keys()])]
    .filter((line) => acknowledged.get(line) !== inCarts.get(line))
    .map((line) => `${line}: ${acknowledged.get(line) ?? 0} acknowledged, ${inCarts.get(line) ?? 0} in the cart`);
  expect(wrong.slice(0, 5)).toEqual([]);
}

async function expectGoodsAsTold(system: System, memory: Memory): Promise<void> {
  for (const [sku, onHand] of Object.entries(STOCK)) {
    const held = memory.told.filter(({ purchase, isHeld }) => isHeld && purchase.sku === sku).length;
    expect(held).toBeLessThanOrEqual(sku === "LIMITED" ? LIMIT * LIMITED_USERS : onHand);
    const goods = (await getJson(`${system.inventory}/sku/${sku}`)).body;
    expect(goods).toMatchObject({ goodsQuantity: onHand, frozenQuantity: held, availableQuantity: onHand - held });
  }
}

async function expectBlacklisted(system: System, memory: Memory): Promise<void> {
  const forgotten: string[] = [];
  await ask(
    system.protector,
    memory.blacklisted.map((user) => requestText("GET", `/badguy/userid/${user}`)),
    (index, exchange) => {
      if (exchange.kind === "reply" && !exchange.body.includes('"isBadGuy":true')) forgotten.push(memory.blacklisted[index] as string);
    },
  );
  expect(forgotten).toEqual([]);
}

async function expectEverythingAsTold(system: System, memory: Memory, sinceIndex: number): Promise<void> {
  await settle(system, memory, sinceIndex);
  await expectCartsAsTold(system, memory);
  await expectGoodsAsTold(system, memory);
  await expectBlacklisted(system, memory);
}

async function expectAuditPasses(dataDir: string): Promise<void> {
  const audit = Bun.spawn([process.execPath, MAIN, "audit", "--data", dataDir], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([audit.stdout.text(), audit.stderr.text(), audit.exited]);
  expect({ exitCode, stderr, stdout: exitCode === 0 ? "" : stdout }).toEqual({ exitCode: 0, stderr: "", stdout: "" });
}

async function start(dataDir: string): Promise<System> {
  // Forty users who buy all the time, each from everywhere, are just what the analysis is there to stop.
  const system = await startSystem({ dataDir, args: ["--frozen-for", "24h", "--traffic", "off"] });
  systems.push(system);
  return system;
}

async function startWithGoods(): Promise<{ readonly system: System; readonly dataDir: string }> {
  const dataDir = freshDataDir();
  dataDirs.push(dataDir);
  const system = await start(dataDir);
  for (const [goodsSKU, goodsQuantity] of Object.entries(STOCK)) {
    await postJson(`${system.inventory}/add`, { goodsSKU, goodsQuantity, goodsPrice: 5 });
  }
  await postJson(`${system.policy}/policy/add`, { goodsSKU: "LIMITED", userLevel: 1, quantityLimit: LIMIT });
  return { system, dataDir };
}

test(`killed ${KILLS} times under load, it keeps every promise it made and makes none twice`, async () => {
  const memory = new Memory();
  const first = await startWithGoods();
  let system = first.system;
  for (let round = 1; round <= KILLS; round += 1) {
    const sinceIndex = memory.told.length;
    const running = system;
    const operator = blacklistMeanwhile(running, memory, round);
    await load(running, memory, 1 + memory.draw(ACKNOWLEDGEMENTS_PER_ROUND_MAX), () => running.kill());
    await operator;
    await expectAuditPasses(first.dataDir);
    system = await start(first.dataDir);
    await expectEverythingAsTold(system, memory, sinceIndex);
  }
  // The test has tested something: there were purchases in the air, sold-out goods, reached limits, and an operator at work.
  const reasons = new Set(memory.told.filter(({ isHeld }) => !isHeld).map(({ body }) => (JSON.parse(body) as { reason: string }).reason));
  expect(reasons).toEqual(new Set(["sold-out", "limit-reached"]));
  expect(memory.blacklisted.length).toBeGreaterThan(KILLS);
  expect(await system.stop()).toBe(0);
  await expectAuditPasses(first.dataDir);
}, 170_000);

test("killed between a restart and its first purchase, it starts again with everything", async () => {
  const memory = new Memory();
  const { system, dataDir } = await startWithGoods();
  await load(system, memory, 500, () => system.kill());
  await (await start(dataDir)).kill();
  await (await start(dataDir)).kill();
  const last = await start(dataDir);
  await expectEverythingAsTold(last, memory, 0);
  expect(await last.stop()).toBe(0);
}, 60_000);

test("asked to stop under load, it ends with exit code 0 and has kept everything it acknowledged", async () => {
  const memory = new Memory();
  const { system, dataDir } = await startWithGoods();
  let exitCode = -1;
  await load(system, memory, 1_000, async () => {
    exitCode = await system.stop();
  });
  expect(exitCode).toBe(0);
  await expectAuditPasses(dataDir);
  const restarted = await start(dataDir);
  await expectEverythingAsTold(restarted, memory, 0);
  expect(await restarted.stop()).toBe(0);
}, 60_000);
