/** The second of the start, through the real door: ten thousand who wait for it, all answered, nobody early, nobody refused after it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { HttpLoadClient, requestText, targetOf } from "../src/edge/http-load-client.ts";
import { getJson, postJson, type System, startSystem } from "./system.ts";

const SKU = "AT-NOON";
const WAITING = 10_000;
const CONNECTIONS = 250;

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

interface Heard {
  readonly sentAt: number;
  readonly body: {
    readonly repResult: boolean;
    readonly reason: string | null;
    readonly opensAt?: number;
    readonly hold?: { readonly expiresAt: number };
  };
}

const eventsOfType = async (type: string): Promise<string[]> => {
  const { body } = await getJson(`${system.cart}/events?type=${type}&limit=10`);
  return (body as { events: { id: string }[] }).events.map(({ id }) => id);
};

test("ten thousand requests around the start are all answered, none bought before it, none was refused that came after it", async () => {
  await postJson(`${system.inventory}/add`, { goodsSKU: SKU, goodsQuantity: 1_000_000, goodsPrice: 10 });
  const frozenForSeconds = 600;
  // Time enough for a first part of the crowd to be early, on any machine.
  const startsAt = Date.now() + 1_500;
  const sale = await postJson(`${system.policy}/sales`, {
    name: "At noon",
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(startsAt + 3_600_000).toISOString(),
    items: [{ goodsSKU: SKU, salePrice: 5 }],
    frozenForSeconds,
  });
  expect(sale.status).toBe(201);
  const client = await HttpLoadClient.open(targetOf(system.gate), {
    connections: CONNECTIONS,
    waitingMax: CONNECTIONS,
    replySecondsMax: 30,
  });
  const heard: Heard[] = [];
  await new Promise<void>((resolve, reject) => {
    let asked = 0;
    let askedSinceStart = 0;
    let asking = CONNECTIONS;
    // Each asks again and again, as a crowd does, until so many have asked since the start.
    const buy = (): void => {
      const sentAt = Date.now();
      if (sentAt >= startsAt && askedSinceStart === WAITING) {
        asking -= 1;
        if (asking === 0) resolve();
        return;
      }
      asked += 1;
      if (sentAt >= startsAt) askedSinceStart += 1;
      const body = { clientIP: "10.0.0.1", userID: `waiting-${asked}`, userLevel: 1, goodsSKU: SKU, goodsQuantity: 1 };
      client.send(requestText("POST", "/buy", body, {}), (exchange) => {
        if (exchange.kind !== "reply" || exchange.status !== 200) return reject(new Error(`not answered: ${JSON.stringify(exchange)}`));
        heard.push({ sentAt, body: JSON.parse(exchange.body) as Heard["body"] });
        buy();
      });
    };
    for (let connection = 0; connection < CONNECTIONS; connection += 1) buy();
  });
  client.close();
  const early = heard.filter(({ body }) => body.reason === "not-started");
  const held = heard.filter(({ body }) => body.repResult);
  expect(early.length + held.length).toBe(heard.length);
  expect(early.length).toBeGreaterThan(0);
  expect(held.length).toBeGreaterThanOrEqual(WAITING);
  for (const { body } of early) expect(body.opensAt).toBe(startsAt);
  // A hold's deadline tells when the ledger decided it.
  expect(Math.min(...held.map(({ body }) => (body.hold?.expiresAt ?? 0) - frozenForSeconds * 1_000))).toBeGreaterThanOrEqual(startsAt);
  // The outbox tells the start before the first hold in it.
  const [started] = await eventsOfType("sale.started");
  const [first] = await eventsOfType("hold.created");
  expect(Number(started)).toBeLessThan(Number(first));
  // Both run on this machine's clock: whoever was sent at the start or later was not early.
  expect(early.filter(({ sentAt }) => sentAt >= startsAt)).toEqual([]);
}, 60_000);
