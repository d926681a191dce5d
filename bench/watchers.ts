/**
 * `npm run bench:watchers`: 19,000 shoppers who watch the board of one gate over WebSockets and do nothing. How much memory each costs the gate,
 * and how long a change of stock takes until all of them have it, from the moment it is asked for. Exit code 1 when a target is missed.
 *
 * The crowd is a process of its own on the same cores, and its share of the work is in the time. `ulimit -n` must allow as many connections.
 */
import { readFileSync } from "node:fs";
import { median } from "./figures.ts";
import { Child, cleanUp, makeFolder, removeFolder } from "./processes.ts";
import { System } from "./system.ts";

const WATCHERS = 19_000;
const OPENED_AT_ONCE = 200;
/** The gate has grown to its size with these; what the others add is what a watcher costs. */
const FIRST_WATCHERS = 2_000;
const CHANGES = 9;
const BYTES_PER_WATCHER_MAX = 3 * 1024;
const CHANGE_MS_MAX = 500;
const SKU = "SKU0001";
const YEAR_MS = 365 * 24 * 3_600_000;

interface CrowdResult {
  readonly rssBefore: number;
  readonly rssAfter: number;
  readonly changeMs: readonly number[];
}

const rssOf = (pid: number): number => 1_024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

/** The crowd's process: opens the connections, changes the stock, and waits until everybody has heard of it. */
async function crowd(gate: string, inventory: string, pid: number): Promise<CrowdResult> {
  let rssBefore = 0;
  let greeted = 0;
  let heard = 0;
  let wanted = "";
  let all = Promise.withResolvers<void>();
  const open = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`${gate.replace("http", "ws")}/live`);
      socket.addEventListener("error", () => reject(new Error("a connection was refused")));
      socket.addEventListener("message", ({ data }) => {
        greeted += 1;
        resolve();
        if (wanted === "" || !String(data).includes(wanted)) return;
        heard += 1;
        if (heard === WATCHERS) all.resolve();
      });
    });
  for (let opened = 0; opened < WATCHERS; opened += OPENED_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(OPENED_AT_ONCE, WATCHERS - opened) }, open));
    if (opened + OPENED_AT_ONCE === FIRST_WATCHERS) rssBefore = rssOf(pid);
    process.stderr.write(`\r  ${greeted} watch`);
  }
  process.stderr.write("\n");
  const rssAfter = rssOf(pid);
  const changeMs: number[] = [];
  for (let change = 1; change <= CHANGES; change += 1) {
    const units = 10_000 + change;
    heard = 0;
    all = Promise.withResolvers<void>();
    wanted = `"${SKU}":${units}`;
    const beganAt = performance.now();
    const body = JSON.stringify({ goodsSKU: SKU, goodsQuantity: units, goodsPrice: 99.9 });
    await fetch(`${inventory}/add`, { method: "POST", headers: { "content-type": "application/json" }, body });
    await all.promise;
    changeMs.push(performance.now() - beganAt);
  }
  return { rssBefore, rssAfter, changeMs };
}

async function main(): Promise<number> {
  const folder = makeFolder("watchers");
  const system = await System.start(folder, ["--sale-availability", "exact"]);
  await system.putGoods(SKU, 10_000);
  const [startsAt, endsAt] = [Date.now() - 1_000, Date.now() + YEAR_MS].map((at) => new Date(at).toISOString());
  await fetch(`http://127.0.0.1:${system.port + 2}/sales`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id: "watched", name: "Watched", startsAt, endsAt, items: [{ goodsSKU: SKU, salePrice: 49.9 }] }),
  });
  const at = (port: number): string => `http://127.0.0.1:${port}`;
  const child = new Child("the crowd", [import.meta.path, at(system.port), at(system.port + 3), String(system.pid)]);
  const { rssBefore, rssAfter, changeMs } = (await child.result()) as CrowdResult;
  await system.stop();
  removeFolder(folder);
  const bytes = (rssAfter - rssBefore) / (WATCHERS - FIRST_WATCHERS);
  const slowest = Math.max(...changeMs);
  console.log(`memory of the gate for each of ${WATCHERS} watchers: ${bytes.toFixed(0)} bytes (target ${BYTES_PER_WATCHER_MAX})`);
  console.log(
    `a change of stock at all of them: median ${median(changeMs).toFixed(0)} ms, slowest of ${CHANGES} ${slowest.toFixed(0)} ms (target ${CHANGE_MS_MAX})`,
  );
  return bytes <= BYTES_PER_WATCHER_MAX && slowest <= CHANGE_MS_MAX ? 0 : 1;
}

if (import.meta.main) {
  const [gate, inventory, pid] = process.argv.slice(2);
  if (gate && inventory && pid) {
    console.log(JSON.stringify(await crowd(gate, inventory, Number(pid))));
    process.exit(0);
  }
  process.on("exit", cleanUp);
  process.exit(await main());
}
