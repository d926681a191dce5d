/** One traffic, many processes: gates that share a port, and workers that share the records of all gates, over a real Redis. */
import { afterAll, describe, expect, test } from "bun:test";
import type { SessionId, Sku, UserId } from "../src/core/ids.ts";
import { parseIpAddress } from "../src/core/ip-address.ts";
import { AccessStream } from "../src/edge/access-stream.ts";
import { systemClock } from "../src/edge/system-clock.ts";
import type { Purchase } from "../src/purchase.ts";
import { AccessRecords } from "../src/services/gate-keeper/access-record.ts";
import type { Decision } from "../src/services/safe-protector/decision.ts";
import type { TrafficNow } from "../src/traffic/traffic-now.ts";
import { together } from "./drop.ts";
import { type RunningProcess, startProcess } from "./process.ts";
import { type Recorder, recorderOf } from "./recorder.ts";
import { hasRedis, NEEDS_REDIS, type RedisServer, startRedis } from "./servers/redis.ts";
import { freePortOffset, freshDataDir, getJson, postJson, startSystem } from "./system.ts";
import { waitFor } from "./wait.ts";

const AT_A_TIME = 50;
const trafficAt = async (protector: string): Promise<TrafficNow> => (await getJson(`${protector}/traffic/now`)).body as TrafficNow;
const requestsAt = async (protector: string): Promise<number> => (await trafficAt(protector)).windows[3]?.requests ?? 0;
const decisionsAt = async (protector: string): Promise<readonly Decision[]> =>
  ((await getJson(`${protector}/decisions?limit=100`)).body as { decisions: Decision[] }).decisions;

test("of gates that share a port each sees a part of an attacker, who is blocked at all of them", async () => {
  const system = await startSystem({ args: ["--gates", "2"] });
  try {
    const buy = () =>
      postJson(
        `${system.gate}/buy`,
        { clientIP: "203.0.113.5", userID: "spread", userLevel: 5, goodsSKU: "NONE", goodsQuantity: 1 },
        { connection: "close" },
      );
    await Promise.all(Array.from({ length: 150 }, buy));
    await waitFor(async () => (await requestsAt(system.protector)) >= 150, "all were seen");
    await waitFor(async () => ((await buy()).body as { reason: string }).reason === "blacklisted", "they were blocked");
    expect((await decisionsAt(system.protector)).map(({ scope, value }) => [scope, value])).toEqual([["account", "spread"]]);
  } finally {
    await system.stop();
  }
});

describe.skipIf(!hasRedis)(`workers over one Redis${hasRedis ? "" : ` ${NEEDS_REDIS}`}`, () => {
  let redis: RedisServer;
  const running: RunningProcess[] = [];
  const gates: Recorder<AccessStream>[] = [];
  afterAll(async () => {
    for (const gate of gates) await gate.close();
    for (const one of running) if (one.isRunning()) await one.kill();
    await redis.stop();
  });

  async function startWorker(): Promise<{ readonly process: RunningProcess; readonly protector: string }> {
    const offset = freePortOffset();
    const process = await startProcess(["safe-protector", "--redis", redis.url, "--data", freshDataDir(), "--port-offset", String(offset)]);
    running.push(process);
    return { process, protector: `http://127.0.0.1:${8081 + offset}` };
  }

  function openGate(name: string): (userId: string, clientIp: string) => void {
    const stream = recorderOf(new AccessStream([redis.url], systemClock, () => undefined));
    gates.push(stream);
    const records = new AccessRecords(name);
    let count = 0;
    return (userId, clientIp) => {
      count += 1;
      const purchase = {
        sessionId: count.toString(16).padStart(32, "0") as SessionId,
        clientIp: parseIpAddress(clientIp),
        userId: userId as UserId,
      };
      const whole = { ...purchase, sku: "SKU0001" as Sku, quantity: 1 } as Purchase;
      const course = {
        atUs: 0,
        steps: ["throttle", "protect", "policy", "inventory"],
        beganUs: [0, 0, 0, 0],
        stepUs: [1, 1, 1, 1],
      } as const;
      stream.add(records.line(new Date().toISOString(), whole, { kind: "refused", step: "inventory", reason: "sold-out" }, course, 900));
    };
  }

  test("each has the whole picture, one attacker over two gates is one, and one that is killed takes nothing along", async () => {
    redis = await startRedis();
    const [first, second] = [await startWorker(), await startWorker()];
    const [gateA, gateB] = [openGate("gate-a"), openGate("gate-b")];
    let sent = 0;
    const crowd = (people: number): void => {
      for (let i = 0; i < people; i += 1) (i % 2 === 0 ? gateA : gateB)(`user-${sent + i}`, `192.0.2.${i % 250}`);
      sent += people;
    };
    crowd(500);
    for (const { protector } of [first, second])
      await waitFor(async () => (await requestsAt(protector)) === 500, "each of them had seen everything");

    // A hundred within ten seconds, half of them over each gate.
    for (let i = 0; i < 120; i += 1) (i % 2 === 0 ? gateA : gateB)("spread", "203.0.113.5");
    sent += 120;
    for (const { protector } of [first, second]) {
      await waitFor(async () => (await decisionsAt(protector)).length > 0, "the attacker was caught");
      expect((await decisionsAt(protector)).map(({ scope, value, offences }) => [scope, value, offences])).toEqual([
        ["account", "spread", 1],
      ]);
    }

    // One dies while records are on their way to it; what it had not told of is read by the other one.
    crowd(400);
    await first.process.kill();
    crowd(400);
    await waitFor(async () => (await requestsAt(second.protector)) >= sent, "the other one had seen everything");
    // What the dead one had told and not acknowledged is counted twice: no more than its last slices.
    expect(await requestsAt(second.protector)).toBeLessThanOrEqual(sent + 400);
    const third = await startWorker();
    crowd(300);
    await waitFor(async () => (await requestsAt(third.protector)) >= sent, "a new one had seen what all have seen, before it came too");
  });
});

describe("against the real gate", () => {
  interface Attack {
    readonly scenario: string;
    readonly key: readonly [scope: string, value: string];
    /** From which request on the line is surely crossed. */
    readonly line: number;
    readonly requests: number;
    readonly who: (request: number) => { readonly userID: string; readonly clientIP: string };
  }
  const attacks: readonly Attack[] = [
    {
      ...{ scenario: "request-flood-address", key: ["address", "203.0.113.10"], line: 300, requests: 1_000 },
      who: (request) => ({ userID: `flood-${request % 12}`, clientIP: "203.0.113.10" }),
    },
    {
      ...{ scenario: "many-accounts-address", key: ["address", "203.0.114.10"], line: 3_700, requests: 5_000 },
      who: (request) => ({ userID: `fake-${request}`, clientIP: "203.0.114.10" }),
    },
    {
      ...{ scenario: "many-addresses-account", key: ["account", "rotator"], line: 13, requests: 35 },
      who: (request) => ({ userID: "rotator", clientIP: `198.51.${request}.7` }),
    },
  ];

  test.each(attacks)("$scenario: in force within a second of crossing the line", async ({ scenario, key, line, requests, who }) => {
    const system = await startSystem();
    try {
      const times: number[] = [];
      await together(
        Array.from({ length: requests }, (_, request) => request),
        AT_A_TIME,
        async (request) => {
          await postJson(`${system.gate}/buy`, { ...who(request), userLevel: 5, goodsSKU: "NONE", goodsQuantity: 1 });
          times.push(Date.now());
        },
      );
      await waitFor(async () => (await decisionsAt(system.protector)).some((found) => found.scenario === scenario), "somebody was caught");
      const decisions = await decisionsAt(system.protector);
      expect(decisions.map((found) => [found.scenario, found.scope, found.value])).toContainEqual([scenario, ...key]);
      // The neighbours of an address have done nothing.
      expect(decisions.filter(({ scope }) => scope === "network")).toEqual([]);
      expect(
        (decisions.find((found) => found.scenario === scenario)?.since ?? Number.POSITIVE_INFINITY) - (times[line - 1] ?? 0),
      ).toBeLessThan(1_000);
      const refused = (await postJson(`${system.gate}/buy`, { ...who(requests), userLevel: 5, goodsSKU: "NONE", goodsQuantity: 1 })).body;
      expect(refused).toMatchObject({ reason: "blacklisted" });
    } finally {
      await system.stop();
    }
  });
});
