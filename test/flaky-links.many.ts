/** A gate and a ledger with flaky wires between them, and a crowd at the door: nothing oversold, nothing lost, and all goes on by itself. */
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { Crowd } from "./crowd.ts";
import { FlakyProxy } from "./servers/flaky-proxy.ts";
import { freshDataDir, type JsonReply, postJson, type System, startSystem } from "./system.ts";
import { waitFor } from "./wait.ts";

setDefaultTimeout(60_000);
const RECOVERY_MS_MAX = 10_000;
/** Longer than a link's deadline, so that whoever is answered after it was waited for and not told. */
const REPLY_MS_MAX = 8_000;
const BEHIND = {
  "safe-protector": "protector",
  "policy-controller": "policy",
  "inventory-manager": "inventory",
  "shopping-cart": "cart",
} as const;

let ledger: System;
let gate: System;
/** All that a crowd needs: the door of the one, and the other's own ports. */
let system: System;
let dirs: readonly string[] = [];
const wires: FlakyProxy[] = [];
let crowds = 0;

/** @param flags how the gate is to ask what stands behind it */
async function start(...flags: readonly string[]): Promise<void> {
  const [ledgerDir, gateDir] = [freshDataDir(), freshDataDir()];
  dirs = [ledgerDir, gateDir];
  ledger = await startSystem({ args: ["ledger"], dataDir: ledgerDir });
  const urls: string[] = [];
  for (const [service, name] of Object.entries(BEHIND)) {
    const wire = await FlakyProxy.open(ledger[name]);
    wires.push(wire);
    urls.push(`--${service}-url`, wire.url);
  }
  gate = await startSystem({ args: ["gate-keeper", ...urls, ...flags], dataDir: gateDir });
  system = { ...ledger, gate: gate.gate };
}
async function stop(): Promise<void> {
  await gate?.kill();
  await ledger?.kill();
  for (const wire of wires.splice(0)) wire.stop();
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
}
afterEach(() => all("well"));
function all(fault: FlakyProxy["fault"], delayMs = 0): void {
  for (const wire of wires) {
    wire.fault = fault;
    wire.delayMs = delayMs;
  }
}
const come = (stock = 1_000_000): Promise<Crowd> => {
  crowds += 1;
  return Crowd.come(system, `SKU${crowds}`, stock, `buyer-${crowds}`);
};
const buy = (userID: string, goodsQuantity = 1): Promise<JsonReply> =>
  postJson(`${system.gate}/buy`, { clientIP: "10.0.0.1", userID, userLevel: 5, goodsSKU: "OTHER", goodsQuantity });

/** The wires are well again: within its time the crowd is told as before. */
async function expectRecovery(crowd: Crowd): Promise<void> {
  const before = crowd.told.size;
  await waitFor(() => crowd.told.size > before + 100, "a hundred more have been told", RECOVERY_MS_MAX);
  await crowd.leave();
  await crowd.expectTrue();
}

describe.each([
  ["asks a service for each step", []],
  ["sends whole turns to the one process that has all services", ["--whole-turns"]],
])("a gate that %s", (_, flags) => {
  beforeAll(() => start(...flags));
  afterAll(stop);

  test("messages that take their time, and messages that arrive twice, change nothing", async () => {
    const crowd = await come();
    all("well", 20);
    await crowd.more(100);
    all("twice");
    await crowd.more(300);
    await expectRecovery(crowd);
    expect([...crowd.answers.keys()]).toEqual(["200"]);
  });

  test("a purchase without a key that arrives twice freezes once", async () => {
    await postJson(`${system.inventory}/add`, { goodsSKU: "OTHER", goodsQuantity: 10, goodsPrice: 1 });
    all("twice");
    for (let purchase = 1; purchase <= 3; purchase += 1) expect((await buy("alone")).body).toMatchObject({ repResult: true });
    // All that is left, if each has frozen one.
    expect((await buy("alone", 7)).body).toMatchObject({ repResult: true });
  });

  test("connections that are cut again and again cost some a second try, and nobody the truth", async () => {
    const crowd = await come(2_000);
    for (let round = 0; round < 20; round += 1) {
      await crowd.more(20);
      for (const wire of wires) wire.cut();
    }
    await expectRecovery(crowd);
  });

  test("answers that are lost are asked for again with the same key, and nothing is frozen twice", async () => {
    const crowd = await come(2_000);
    const cart = wires.at(-1) as FlakyProxy;
    for (let round = 0; round < 10; round += 1) {
      await crowd.more(20);
      const asked = crowd.answers.get("503") ?? 0;
      cart.fault = "no answers";
      await waitFor(() => (crowd.answers.get("503") ?? 0) > asked, "somebody has got no answer");
      cart.fault = "well";
    }
    await expectRecovery(crowd);
  });

  test("while nothing passes everybody hears so, at once after the first; afterwards all goes on by itself", async () => {
    const crowd = await come();
    await crowd.more(100);
    all("hole");
    const told = crowd.told.size;
    await waitFor(() => (crowd.answers.get("503") ?? 0) > 500, "five hundred have heard that it cannot be done", REPLY_MS_MAX);
    // Those whose answer was on its way when it happened were told; nobody else can have been.
    expect(crowd.told.size).toBeLessThan(told + 200);
    all("well");
    await expectRecovery(crowd);
  });
});
