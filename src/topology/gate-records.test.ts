/** Where a gate's records go: always to its own disk, and to Redis where there is one and nobody says otherwise. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AccessStreamReader } from "../../test/access-stream-reader.ts";
import { hasRedis, NEEDS_REDIS, type RedisServer, startRedis } from "../../test/servers/redis.ts";
import { waitFor } from "../../test/wait.ts";
import { ServiceMetrics } from "../edge/metrics.ts";
import { readSettings } from "../settings/read.ts";
import { type GateRecords, openGateRecords } from "./gate-records.ts";
import { Place } from "./place.ts";

const root = mkdtempSync(join(tmpdir(), "doorbuster-gate-records-"));
afterAll(() => rmSync(root, { recursive: true }));
let records: GateRecords | null = null;
afterEach(async () => {
  await records?.close();
  records = null;
});

async function open(folder: string, flags: Readonly<Record<string, unknown>>): Promise<GateRecords> {
  const read = readSettings({ flags: { data: join(root, folder), ...flags }, environment: {}, configFileText: null });
  if ("error" in read) throw new Error(read.error);
  records = await openGateRecords(read.settings, new Place(read.settings));
  return records;
}
const LINE = '{"traceId":"1"}\n';
/** What is on the disk after closing. */
async function logged(folder: string, ...under: readonly string[]): Promise<string> {
  await records?.close();
  records = null;
  const logs = join(root, folder, "access-log", ...under);
  return readdirSync(logs)
    .map((name) => readFileSync(join(logs, name), "utf8"))
    .join("");
}

test("without a Redis a gate's records are on its own disk, of each named gate in a folder of its own", async () => {
  (await open("plain", {})).record(LINE);
  expect(await logged("plain")).toBe(LINE);
  (await open("named", { instance: "gate-2" })).record(LINE);
  expect(await logged("named", "gate-2")).toBe(LINE);
});

test("whoever asks for the stream without a Redis is told", async () => {
  await expect(open("lost", { accessStream: true })).rejects.toThrow("--access-stream: means nothing without a Redis; give --redis too");
  expect((await open("off", { accessStream: false })).trace).toBeNull();
});

describe.skipIf(!hasRedis)(hasRedis ? "with a Redis" : `with a Redis ${NEEDS_REDIS}`, () => {
  let redis: RedisServer;
  let reader: AccessStreamReader;
  beforeAll(async () => {
    redis = await startRedis();
    reader = await AccessStreamReader.open(redis.url, "group", "reader");
  });
  afterAll(async () => {
    reader.close();
    await redis.stop();
  });
  const countedIn = async (of: GateRecords): Promise<string[]> => {
    const metrics = new ServiceMetrics("GateKeeper");
    of.describe(metrics);
    return (await metrics.text()).split("\n").filter((line) => line.startsWith("doorbuster_access_stream"));
  };

  test("they are there too, and both are counted", async () => {
    const gate = await open("both", { redis: redis.url });
    gate.record(LINE);
    const found: string[] = [];
    await waitFor(async () => {
      found.push(...(await reader.readAll()).map(({ text }) => text));
      return found.length > 0;
    }, "the record is in Redis");
    expect(found).toEqual([LINE]);
    await waitFor(
      async () => (await countedIn(gate)).includes('doorbuster_access_stream_records_total{service="GateKeeper"} 1'),
      "it is counted",
    );
    expect(await countedIn(gate)).toContain('doorbuster_access_stream_dropped_total{service="GateKeeper"} 0');
    expect(await logged("both")).toBe(LINE);
  });

  test("they are not, where somebody says so", async () => {
    const gate = await open("no-stream", { redis: redis.url, accessStream: false });
    gate.record(LINE);
    expect(await countedIn(gate)).toEqual([]);
    expect(await logged("no-stream")).toBe(LINE);
    expect(await reader.readAll()).toEqual([]);
  });
});
