/** Faults that an operator meets: two processes on one folder, a file that is not ours, a damaged one, a full disk. */
import { Database } from "bun:sqlite";
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, statfsSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { HttpLoadClient, type LoadExchange, requestText, runClosedLoop, targetOf } from "../src/edge/http-load-client.ts";
import { freshDataDir, getJson, postJson, type System, startSystem } from "./system.ts";
import { waitFor } from "./wait.ts";

const MAIN = `${import.meta.dir}/../src/main.ts`;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp();
});

function dataDirForTest(): string {
  const dataDir = freshDataDir();
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

const databaseIn = (dataDir: string): string => join(dataDir, "doorbuster.db");
const digestOf = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

/** Runs `start` where it must end by itself. A start that succeeds is ended, and its exit code is then that of a success. */
async function refusedStart(dataDir: string): Promise<{ exitCode: number; lines: readonly string[] }> {
  const command = [process.execPath, MAIN, "start", "--data", dataDir, "--port-offset", "19000"];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  let stdout = "";
  const readStdout = async (): Promise<void> => {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      stdout += chunk;
      if (/^ready /m.test(stdout)) child.kill("SIGTERM");
    }
  };
  const [stderr, exitCode] = await Promise.all([child.stderr.text(), child.exited, readStdout()]);
  return { exitCode, lines: stderr.trimEnd().split("\n") };
}

async function expectRefused(dataDir: string, line: RegExp): Promise<void> {
  const { exitCode, lines } = await refusedStart(dataDir);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(line);
  expect(exitCode).toBe(1);
}

const buyRequest = (userID: string, goodsSKU: string): string =>
  requestText(
    "POST",
    "/buy",
    { clientIP: "10.1.2.3", userID, userLevel: 5, goodsSKU, goodsQuantity: 1 },
    { "idempotency-key": `key-${userID}` },
  );

interface Told {
  readonly userId: string;
  readonly body: string;
}

const isHeld = (exchange: LoadExchange): boolean =>
  exchange.kind === "reply" && exchange.status === 200 && exchange.body.includes('"repResult":true');

/** Sells to so many buyers and answers with what each of them was told. */
async function sell(system: System, buyers: number, prefix: string): Promise<readonly Told[]> {
  const told: Told[] = [];
  await runClosedLoop({
    target: targetOf(system.gate),
    connections: 50,
    requests: buyers,
    requestAt: (index) => buyRequest(`${prefix}-${index}`, "GOODS"),
    onEnd: (index, exchange) => {
      if (exchange.kind === "reply" && isHeld(exchange)) told.push({ userId: `${prefix}-${index}`, body: exchange.body });
    },
  });
  return told;
}

/** Every acknowledged buyer has exactly one unit, and the same key still gets the same reply. */
async function expectAllThere(system: System, told: readonly Told[]): Promise<void> {
  const wrong: string[] = [];
  const loop = { connections: 50, requests: told.length };
  await runClosedLoop({
    ...loop,
    target: targetOf(system.cart),
    requestAt: (index) => requestText("GET", `/all/userid/${told[index]?.userId}`),
    onEnd: (index, exchange) => {
      const lines = exchange.kind === "reply" && exchange.status === 200 ? (JSON.parse(exchange.body) as { goodsQuantity: number }[]) : [];
      if (lines.length !== 1 || lines[0]?.goodsQuantity !== 1) wrong.push(`${told[index]?.userId} has ${JSON.stringify(lines)}`);
    },
  });
  await runClosedLoop({
    ...loop,
    target: targetOf(system.gate),
    requestAt: (index) => buyRequest(told[index]?.userId ?? "", "GOODS"),
    onEnd: (index, exchange) => {
      if (exchange.kind !== "reply" || exchange.body !== told[index]?.body)
        wrong.push(`${told[index]?.body} became ${JSON.stringify(exchange)}`);
    },
  });
  expect(wrong.slice(0, 5)).toEqual([]);
}

async function stockGoods(system: System): Promise<void> {
  const reply = await postJson(`${system.inventory}/add`, { goodsSKU: "GOODS", goodsQuantity: 1_000_000, goodsPrice: 1 });
  expect(reply.status).toBe(200);
}

describe("a second process on the same data folder", () => {
  test("is refused in one line, and the first one sells on", async () => {
    const system = await startSystem();
    cleanups.push(() => system.stop());
    await stockGoods(system);
    const before = await sell(system, 200, "before");
    await expectRefused(system.dataDir, /is in use by another doorbuster process/);
    const after = await sell(system, 200, "after");
    expect([before.length, after.length]).toEqual([200, 200]);
    await expectAllThere(system, [...before, ...after]);
    expect((await getJson(`${system.inventory}/sku/GOODS`)).body).toMatchObject({ frozenQuantity: 400 });
    expect(system.stderr()).toBe("");
  }, 60_000);
});

describe("a file that is not ours", () => {
  const foreign: readonly [string, (path: string) => void][] = [
    ["a text file", (path) => writeFileSync(path, "Dear diary,\n".repeat(1_000))],
    ["a short text file", (path) => writeFileSync(path, "x")],
    ["random bytes", (path) => writeFileSync(path, Buffer.from(Array.from({ length: 65_536 }, (_, index) => (index * 7_919) % 251)))],
    [
      "another program's database",
      (path) => {
        const db = new Database(path, { create: true });
        db.run("create table holds (id integer primary key, note text)");
        db.run("insert into holds (note) values ('theirs')");
        db.close();
      },
    ],
  ];
  for (const [what, make] of foreign) {
    test(`${what} is refused in one line and stays as it is`, async () => {
      const dataDir = dataDirForTest();
      make(databaseIn(dataDir));
      const digest = digestOf(databaseIn(dataDir));
      await expectRefused(dataDir, /doorbuster\.db is (not a database of doorbuster|another program's database)/);
      expect(digestOf(databaseIn(dataDir))).toBe(digest);
    }, 30_000);
  }
});

describe("a damaged database", () => {
  const PAGE_BYTES = 4_096;
  const damages: readonly [string, (file: number, pages: number) => void][] = [
    // The pages behind the first are the roots of tables; one in the middle of the file may be unused, and then nothing is damaged.
    ["with a page of zeros", (file) => void writeSync(file, Buffer.alloc(PAGE_BYTES), 0, PAGE_BYTES, 2 * PAGE_BYTES)],
    [
      "with pages of noise",
      (file, pages) => {
        const noise = Buffer.from(Array.from({ length: PAGE_BYTES }, (_, index) => (index * 7_919 + 13) % 256));
        for (let page = 2; page < pages; page += 3) writeSync(file, noise, 0, PAGE_BYTES, page * PAGE_BYTES);
      },
    ],
    ["that was cut off", (file, pages) => ftruncateSync(file, Math.floor(pages / 2) * PAGE_BYTES)],
    ["with a broken header", (file) => void writeSync(file, Buffer.alloc(16, 0xff), 0, 16, 0)],
    ["with a broken table of tables", (file) => void writeSync(file, Buffer.alloc(1_000, 0xff), 0, 1_000, 100)],
  ];
  for (const [what, damage] of damages) {
    test(`${what} is refused in one line and stays as it is`, async () => {
      const dataDir = dataDirForTest();
      const system = await startSystem({ dataDir });
      cleanups.push(() => system.kill());
      await stockGoods(system);
      await sell(system, 2_000, "buyer");
      expect(await system.stop()).toBe(0);
      const path = databaseIn(dataDir);
      const file = openSync(path, "r+");
      damage(file, Math.floor(readFileSync(path).length / PAGE_BYTES));
      closeSync(file);
      const digest = digestOf(path);
      await expectRefused(dataDir, /doorbuster\.db is (damaged|not a database of doorbuster)/);
      expect(digestOf(path)).toBe(digest);
    }, 30_000);
  }
});

// --- A full disk -----------------------------------------------------------------------------------------------------------

const MOUNT_BYTES = 48 * 1024 * 1024;
/** Left beside the ballast: enough to start and to sell some thousand times. */
const FREE_BYTES = 6 * 1024 * 1024;

/** A file system of its own, so that it can be filled. `null` where this user may not mount one. */
function mountSmallDisk(): string | null {
  const folder = freshDataDir();
  const { exitCode } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${MOUNT_BYTES}`, "tmpfs", folder], {
    stdout: "ignore",
    stderr: "ignore",
  });
  if (exitCode === 0) return folder;
  rmSync(folder, { recursive: true });
  return null;
}

const smallDisk = mountSmallDisk();
afterAll(() => {
  if (smallDisk === null) return;
  Bun.spawnSync(["umount", "--lazy", smallDisk]);
  rmSync(smallDisk, { recursive: true, force: true });
});

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

interface Crowd {
  readonly told: readonly Told[];
  /** Replies by status; 0 is none. */
  readonly byStatus: ReadonlyMap<number, number>;
}

/** Buyers come until nobody answers any more. */
async function sellUntilTheEnd(system: System): Promise<Crowd> {
  const client = await HttpLoadClient.open(targetOf(system.gate), { connections: 100, waitingMax: 1, replySecondsMax: 30 });
  const told: Told[] = [];
  const byStatus = new Map<number, number>();
  await new Promise<void>((resolve) => {
    let made = 0;
    let underWay = 0;
    const buy = (): void => {
      const userId = `crowd-${made}`;
      made += 1;
      underWay += 1;
      client.send(buyRequest(userId, "GOODS"), (exchange) => {
        underWay -= 1;
        const status = exchange.kind === "reply" ? exchange.status : 0;
        byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
        if (exchange.kind === "reply" && isHeld(exchange)) told.push({ userId, body: exchange.body });
        if (status !== 0) buy();
        else if (underWay === 0) resolve();
      });
    };
    for (let i = 0; i < 100; i += 1) buy();
  });
  client.close();
  return { told, byStatus };
}

describe("a full disk", () => {
  // A file system has to be mounted for this, which only root may do.
  test.skipIf(smallDisk === null)(
    "stops the selling with a reason, answers what is in flight with 503, and costs nothing that was acknowledged",
    async () => {
      const dataDir = smallDisk as string;
      const ballast = join(dataDir, "ballast");
      writeFileSync(ballast, Buffer.alloc(freeBytes(dataDir) - FREE_BYTES));
      const system = await startSystem({ dataDir });
      cleanups.push(() => system.kill());
      await stockGoods(system);
      const { told, byStatus } = await sellUntilTheEnd(system);
      await waitFor(() => !isAlive(system.pid), "the process has ended by itself");
      expect(await system.stop()).toBe(1);
      expect(system.stderr().trimEnd().split("\n").at(-1)).toMatch(/stopped selling: the store could not commit \(.*\b(full|disk|I\/O)\b/);
      expect([...byStatus.keys()].filter((status) => ![0, 200, 503].includes(status))).toEqual([]);
      expect(byStatus.get(503)).toBeGreaterThan(0);
      expect(told.length).toBeGreaterThan(1_000);

      unlinkSync(ballast);
      const audit = Bun.spawnSync([process.execPath, MAIN, "audit", "--data", dataDir]);
      expect({ exitCode: audit.exitCode, stderr: audit.stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
      const restarted = await startSystem({ dataDir });
      cleanups.push(() => restarted.stop());
      await expectAllThere(restarted, told);
      const { frozenQuantity } = (await getJson(`${restarted.inventory}/sku/GOODS`)).body as { frozenQuantity: number };
      // What was made durable but cut off before the answer may be there too; its key gets the true answer.
      expect(frozenQuantity).toBeGreaterThanOrEqual(told.length);
      expect(await sell(restarted, 100, "afterwards")).toHaveLength(100);
    },
    120_000,
  );
});
