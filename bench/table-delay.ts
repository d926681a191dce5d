/**
 * How long a change of a shared table takes to reach other processes: from the call in the process that makes it until it is in the memory of each of
 * three others, in milliseconds. Twice: undisturbed, and while every second all connections to Redis are cut.
 *
 * Usage: `bun bench/table-delay.ts [SECONDS]`. Needs redis-server.
 */
import { randomBytes } from "node:crypto";
import { RedisConnection } from "../src/edge/redis.ts";
import { tableKey } from "../src/edge/redis-table-scripts.ts";
import { SharedTable, type SharedTableFormat } from "../src/tables/shared-table.ts";
import { tablesOver } from "../src/topology/shared-tables.ts";
import { startRedis } from "../test/servers/redis.ts";
import { waitFor } from "../test/wait.ts";

const NAME = "delays";
const READERS = 3;
const CHANGES_PER_SECOND = 100;
const CUT_EVERY_MS = 1_000;
const nowMs = (): number => performance.timeOrigin + performance.now();

interface Row {
  readonly id: string;
  readonly madeAt: number;
}

/** Notes when each row comes. */
class Arrivals {
  readonly delaysMs: number[] = [];
  isNoting = false;
  add({ madeAt }: Row): void {
    if (this.isNoting) this.delaysMs.push(nowMs() - madeAt);
  }
  remove(): void {
    // Nothing is removed.
  }
}

const FORMAT: SharedTableFormat<Arrivals, Row, string> = {
  ...{ name: NAME, logEntriesMax: 10_000, rowsPerLook: 1_000 },
  ...{ idOf: (id) => id, keyOf: (id) => id, keyOfRow: ({ id }) => id, endsAt: () => null },
  textOf: ({ madeAt }) => String(madeAt),
  rowOf: (id, text) => ({ id, madeAt: Number(text) }),
  emptyView: () => new Arrivals(),
};

async function openTable(url: string) {
  const redis = new RedisConnection(url);
  await redis.open();
  return {
    redis,
    table: await SharedTable.open<Arrivals, Row, string>(
      FORMAT,
      tablesOver(redis, () => undefined),
    ),
  };
}

/** A reader tells all its delays when its input ends. */
async function read(url: string): Promise<void> {
  const { redis, table } = await openTable(url);
  table.view.isNoting = true;
  process.stdout.write("ready\n");
  await Bun.stdin.text();
  process.stdout.write(JSON.stringify({ delaysMs: table.view.delaysMs, loads: table.figures.loads }));
  await table.close();
  redis.close();
}

async function round(url: string, seconds: number, cutEveryMs: number | null): Promise<void> {
  const { redis, table } = await openTable(url);
  const readers = Array.from({ length: READERS }, () =>
    Bun.spawn([process.execPath, import.meta.path, "read", url], { stdin: "pipe", stdout: "pipe", stderr: "inherit" }),
  );
  const outputs = readers.map(({ stdout }) => {
    const output = { text: "" };
    const decoder = new TextDecoder();
    const ended = (async () => {
      for await (const chunk of stdout) output.text += decoder.decode(chunk, { stream: true });
    })();
    return { output, ended };
  });
  await waitFor(() => outputs.every(({ output }) => output.text.startsWith("ready")), "the readers are ready");
  const knife = new RedisConnection(url);
  await knife.open();
  const cutting =
    cutEveryMs === null ? null : setInterval(() => void knife.client.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"), cutEveryMs);
  let [made, failed] = [0, 0];
  const endsAt = nowMs() + seconds * 1_000;
  while (nowMs() < endsAt) {
    const row = { id: randomBytes(4).toString("hex"), madeAt: nowMs() };
    const change = table.change(() => ({ reply: undefined, changes: [{ put: row }], events: [] }));
    await change.then(
      () => {
        made += 1;
      },
      () => {
        failed += 1;
      },
    );
    await Bun.sleep(1_000 / CHANGES_PER_SECOND);
  }
  if (cutting) clearInterval(cutting);
  const head = async (): Promise<number> => Number(await knife.client.hget(tableKey(NAME, "head"), "position"));
  const last = await head();
  await waitFor(() => table.figures.position === last, "the last change has come");
  await Bun.sleep(500);
  for (const { stdin } of readers) void stdin.end();
  await Promise.all(outputs.map(({ ended }) => ended));
  const told = outputs.map(({ output }) => JSON.parse(output.text.slice("ready\n".length)) as { delaysMs: number[]; loads: number });
  const delays = told.flatMap(({ delaysMs }) => delaysMs).sort((a, b) => a - b);
  const at = (share: number): string => (delays[Math.min(delays.length - 1, Math.floor(share * delays.length))] ?? Number.NaN).toFixed(2);
  console.log(
    `${cutEveryMs === null ? "undisturbed" : `all connections cut every ${cutEveryMs} ms`}: ${made} changes made, ${failed} failed, ` +
      `${delays.length} arrivals (${READERS} readers, ${told.map(({ loads }) => loads).join("+")} loads); ` +
      `ms p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, max ${at(1)}`,
  );
  knife.close();
  await table.close();
  redis.close();
}

if (import.meta.main) {
  const [what, url] = process.argv.slice(2);
  if (what === "read") await read(url as string);
  else {
    const server = await startRedis();
    for (const cutEveryMs of [null, CUT_EVERY_MS]) await round(server.url, Number(what ?? 20), cutEveryMs);
    await server.stop();
  }
}
