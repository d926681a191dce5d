/** Gates on every core: they share the port, and whatever dies comes back, while what was acknowledged stays. */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { Crowd } from "./crowd.ts";
import { childrenOf, isRunning } from "./process.ts";
import { deleteJson, freshDataDir, getJson, type JsonReply, postJson, type System, startSystem } from "./system.ts";
import { waitFor } from "./wait.ts";

setDefaultTimeout(120_000);
const MAIN = `${import.meta.dir}/../src/main.ts`;
const GATES = 2;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp();
});

async function startWithGates(): Promise<System> {
  const dataDir = freshDataDir();
  const system = await startSystem({ args: ["--gates", String(GATES)], dataDir });
  cleanups.push(async () => {
    await system.kill();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return system;
}

interface GateHealth {
  readonly pid: number;
  readonly instance: string;
}
const metricsUrl = (system: System, gate: number): string => `http://127.0.0.1:${Number(new URL(system.gate).port) + 100 + gate}`;
const gateHealth = async (system: System, gate: number): Promise<GateHealth | null> =>
  getJson(`${metricsUrl(system, gate)}/health`).then(
    ({ status, body }) => (status === 200 ? (body as GateHealth) : null),
    () => null,
  );
const ledgerPid = async (system: System): Promise<number> => ((await getJson(`${system.cart}/health`)).body as GateHealth).pid;

async function purchasesOf(system: System, gate: number): Promise<number> {
  const { text } = await getJson(`${metricsUrl(system, gate)}/metrics`);
  return Number(/^doorbuster_purchases_total\{reason="success"[^}]*\} (\d+)$/m.exec(text)?.[1] ?? 0);
}
const buy = (system: System, userID: string): Promise<JsonReply> =>
  postJson(`${system.gate}/buy`, { clientIP: "10.0.0.1", userID, userLevel: 5, goodsSKU: "SKU", goodsQuantity: 1 });

/** Stops well, and the store alone says that all is right. */
async function expectSound(system: System): Promise<void> {
  expect(await system.stop()).toBe(0);
  const audit = Bun.spawn([process.execPath, MAIN, "audit", "--data", system.dataDir], { stdout: "pipe", stderr: "pipe" });
  expect({ code: await audit.exited, out: await audit.stdout.text() }).toMatchObject({ code: 0 });
}

test("the gates share the port, each with a health and metrics port of its own, and all are registered", async () => {
  const system = await startWithGates();
  const crowd = await Crowd.come(system, "SKU", 1_000_000);
  for (let gate = 1; gate <= GATES; gate += 1)
    await waitFor(async () => (await purchasesOf(system, gate)) > 100, `gate ${gate} has sold to a hundred`);
  await crowd.leave();
  await crowd.expectTrue();
  const healths = [await gateHealth(system, 1), await gateHealth(system, 2)];
  expect(new Set(healths.map((health) => health?.pid)).size).toBe(2);
  const { body } = await getJson(`${system.registry}/eureka/apps/GATEKEEPER`, { accept: "application/json" });
  const { instance } = (body as { application: { instance: { instanceId: string; port: { $: number } }[] } }).application;
  expect(instance.map(({ instanceId }) => instanceId).toSorted()).toEqual(healths.map((health) => health?.instance ?? "").toSorted());
  expect(instance.map(({ port }) => port.$)).toEqual([system.gate, system.gate].map((url) => Number(new URL(url).port)));
  await expectSound(system);
});

test("a gate that is killed comes back, and costs nobody but its own connections anything", async () => {
  const system = await startWithGates();
  const crowd = await Crowd.come(system, "SKU", 1_000_000);
  for (let round = 0; round < 3; round += 1) {
    await crowd.more(300);
    const victim = (await gateHealth(system, 1))?.pid as number;
    process.kill(victim, "SIGKILL");
    await crowd.more(300);
    await waitFor(async () => ((await gateHealth(system, 1))?.pid ?? victim) !== victim, "the gate has come back");
  }
  await crowd.leave();
  // Its connections were cut, and whoever was on them has asked again; nobody was told that it cannot be done.
  expect([...crowd.answers.keys()].toSorted()).toEqual(["200", "cut"]);
  await crowd.expectTrue();
  await expectSound(system);
});

test("while the ledger is dead everybody hears so at once, and when it is back all goes on; what was acknowledged is there", async () => {
  const system = await startWithGates();
  const crowd = await Crowd.come(system, "SKU", 1_000_000);
  for (let round = 0; round < 3; round += 1) {
    await crowd.more(300);
    const victim = await ledgerPid(system);
    process.kill(victim, "SIGKILL");
    await waitFor(() => !isRunning(victim), "the ledger has gone");
    const reply = await buy(system, "somebody");
    expect([200, 503]).toContain(reply.status);
    await crowd.more(300);
    expect(await ledgerPid(system)).not.toBe(victim);
  }
  await crowd.leave();
  expect(crowd.answers.get("503")).toBeGreaterThan(0);
  await deleteJson(`${system.cart}/delete/userid/somebody/sku/SKU`);
  await crowd.expectTrue();
  await expectSound(system);
});

test("a ledger that hangs is unavailable, not waited for, and goes on when it wakes", async () => {
  const system = await startWithGates();
  const crowd = await Crowd.come(system, "SKU", 1_000_000);
  await crowd.more(100);
  const pid = await ledgerPid(system);
  process.kill(pid, "SIGSTOP");
  await waitFor(async () => (await buy(system, "late")).status === 503, "a purchase is refused at once");
  const health = await getJson(`${system.gate}/health`);
  expect(health.status).toBe(200);
  process.kill(pid, "SIGCONT");
  await crowd.more(300);
  await crowd.leave();
  const late = (await getJson(`${system.cart}/all/userid/late`)).body as unknown[];
  const frozen = ((await getJson(`${system.inventory}/sku/SKU`)).body as { frozenQuantity: number }).frozenQuantity;
  // What nobody was told of was either frozen or not, and ends at its deadline.
  const unheard = late.reduce<number>((sum, line) => sum + (line as { goodsQuantity: number }).goodsQuantity, 0);
  expect(frozen).toBe(crowd.held.length + unheard);
  await expectSound(system);
});

test("when the process above them dies, gates and ledger end by themselves", async () => {
  const system = await startWithGates();
  const children = childrenOf(system.pid);
  expect(children).toHaveLength(GATES + 1);
  process.kill(system.pid, "SIGKILL");
  await waitFor(() => !children.some(isRunning), "its processes have ended");
  const again = await startSystem({ args: ["--gates", "1"], dataDir: system.dataDir });
  cleanups.push(() => again.kill());
  expect(await again.stop()).toBe(0);
});

test("a start that cannot succeed says why and leaves nothing running", async () => {
  const system = await startWithGates();
  const offset = String(Number(new URL(system.gate).port) - 8080 + 1_000);
  const command = [process.execPath, MAIN, "start", "--gates", "2", "--data", system.dataDir, "--port-offset", offset];
  const second = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  expect(await second.exited).toBe(1);
  expect(await second.stderr.text()).toMatch(/in use|another process|already/i);
});

test("told all at once to stop, as a service manager does it, they end well and none of them comes back", async () => {
  const system = await startWithGates();
  const children = childrenOf(system.pid);
  // The ledger first, so that it goes while the gates still stand and nobody has told the process above.
  process.kill(system.pid, "SIGTERM");
  for (const pid of children) process.kill(pid, "SIGTERM");
  expect(await system.stop()).toBe(0);
  expect(children.filter(isRunning)).toEqual([]);
  expect(system.stderr()).not.toContain("started again");
});
