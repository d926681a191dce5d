/** Access records in real Redis Streams: each at most once, shared by a group of readers, and in nobody's way when Redis is not there. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { AccessStreamReader, type ReadEntry } from "../../test/access-stream-reader.ts";
import { type Recorder, recorderOf } from "../../test/recorder.ts";
import { hasRedis, NEEDS_REDIS, type RedisServer, startRedis, startRedisCluster } from "../../test/servers/redis.ts";
import { waitFor } from "../../test/wait.ts";
import { ACCESS_STREAM_KEYS } from "../core/access-stream.ts";
import { ACCESS_STREAM_BUFFER_BYTES_MAX, ACCESS_STREAM_CLOSE_MS_MAX } from "../limits/records.ts";
import { AccessStream } from "./access-stream.ts";
import { RECORD_PAGE_BYTES } from "./record-pages.ts";
import { systemClock } from "./system-clock.ts";

const troubles: string[] = [];
const closing: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  troubles.length = 0;
});

function openStream(urls: string, ...entriesMax: number[]): Recorder<AccessStream> {
  const stream = recorderOf(new AccessStream(urls.split(","), systemClock, (message) => troubles.push(message), ...entriesMax));
  closing.push(() => stream.close());
  return stream;
}
async function openReader(urls: string, group: string, consumer = "one"): Promise<AccessStreamReader> {
  const reader = await AccessStreamReader.open(urls, group, consumer);
  closing.push(() => reader.close());
  return reader;
}

/** About 300 bytes, each another, not all of them ASCII. */
const lineOf = (index: number): string => `{"index":${index},"text":"${"品🛒é".repeat(25)}"}\n`;
const indicesOf = (entries: readonly ReadEntry[]): number[] =>
  entries.flatMap(({ records }) => records.map((record) => (JSON.parse(record) as { index: number }).index));
const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index);
const ascending = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);
/** More than the buffer has room for. */
const TOO_MANY = Math.ceil((2 * ACCESS_STREAM_BUFFER_BYTES_MAX) / Buffer.byteLength(lineOf(0)));

describe.skipIf(!hasRedis)(hasRedis ? "access records in Redis Streams" : `access records in Redis Streams ${NEEDS_REDIS}`, () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  beforeEach(() => {
    expect(Bun.spawnSync(["redis-cli", "-p", String(redis.port), "flushall"]).exitCode).toBe(0);
  });

  test("a group gets every record once, whole, in few entries, and in order within each", async () => {
    const stream = openStream(redis.url);
    for (const index of upTo(5_000)) stream.add(lineOf(index));
    await waitFor(() => stream.recordsWritten === 5_000, "all records are written");
    const entries = await (await openReader(redis.url, "analysis")).readAll();
    expect(ascending(indicesOf(entries))).toEqual(upTo(5_000));
    for (const { text, records } of entries) {
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(RECORD_PAGE_BYTES);
      expect(text).toBe(records.map((record) => `${record}\n`).join(""));
      const [first = 0] = indicesOf([{ key: "", id: "", text, records }]);
      expect(records.join("\n")).toBe(
        upTo(records.length, first)
          .map((index) => lineOf(index).trimEnd())
          .join("\n"),
      );
    }
    expect(entries.length).toBeLessThan(50);
    expect([stream.recordsDropped, troubles]).toEqual([0, []]);
  });

  test("readers of one group share the records; another group gets them all again", async () => {
    const stream = openStream(redis.url);
    const [one, two] = [await openReader(redis.url, "shared", "one"), await openReader(redis.url, "shared", "two")];
    const read: number[] = [];
    for (const index of upTo(3_000)) stream.add(lineOf(index));
    await waitFor(async () => {
      for (const reader of [one, two]) {
        const entries = await reader.read();
        await reader.acknowledge(entries);
        read.push(...indicesOf(entries));
      }
      return read.length >= 3_000;
    }, "both together have read everything");
    expect(ascending(read)).toEqual(upTo(3_000));
    expect(indicesOf(await (await openReader(redis.url, "other")).readAll()).length).toBe(3_000);
  });

  test("what a reader has read and not acknowledged when it dies, another of its group claims", async () => {
    const stream = openStream(redis.url);
    for (const index of upTo(2_000)) stream.add(lineOf(index));
    await waitFor(() => stream.recordsWritten === 2_000, "all records are written");
    const dead = await openReader(redis.url, "heirs", "dead");
    const [acknowledged, ...lost] = await dead.read();
    await dead.acknowledge(acknowledged ? [acknowledged] : []);
    dead.close();
    expect(lost.length).toBeGreaterThan(0);
    const heir = await openReader(redis.url, "heirs", "heir");
    expect(await heir.claim(3_600_000)).toEqual([]);
    const claimed = await heir.claim(0);
    expect(ascending(indicesOf(claimed))).toEqual(ascending(indicesOf(lost)));
    await heir.acknowledge(claimed);
    const rest = await heir.readAll();
    expect(ascending([...indicesOf(acknowledged ? [acknowledged] : []), ...indicesOf(claimed), ...indicesOf(rest)])).toEqual(upTo(2_000));
    expect(await heir.pending()).toBe(0);
  });

  test("all streams get some, and none grows beyond its bound, whether somebody reads or not", async () => {
    const entriesMax = 20;
    const stream = openStream(redis.url, entriesMax);
    const reader = await openReader(redis.url, "nobody-reads");
    let added = 0;
    for (let round = 0; round < 5; round += 1) {
      const index = added;
      // About 60 pages a round, so that each stream gets more than its bound.
      for (; added < index + 12_000; added += 1) stream.add(lineOf(added));
      await waitFor(() => stream.recordsWritten + stream.recordsDropped === added, "the round is written");
    }
    expect(stream.recordsDropped).toBe(0);
    const lengths = await reader.lengths();
    expect(lengths.every((length) => length >= entriesMax && length <= entriesMax + 2)).toBe(true);
  });

  test("what waits is sent before the process ends, and nothing is taken after that", async () => {
    const stream = openStream(redis.url);
    // The first connection may still be on its way.
    await waitFor(() => {
      stream.add(lineOf(0));
      return stream.recordsWritten > 0;
    }, "the first records are written");
    const before = stream.recordsWritten;
    for (const index of upTo(100, 1)) stream.add(lineOf(index));
    await stream.close();
    stream.add(lineOf(999));
    await stream.close();
    expect(stream.recordsDropped).toBe(1);
    const read = indicesOf(await (await openReader(redis.url, "late")).readAll());
    expect(stream.recordsWritten).toBeGreaterThanOrEqual(before + 100);
    expect(ascending(read.filter((index) => index > 0))).toEqual(upTo(100, 1));
  });

  describe("while Redis", () => {
    /** Every record is written or counted as dropped, none is there twice, and the newest arrive. */
    async function expectRecovery(stream: Recorder<AccessStream>, added: number, group: string): Promise<void> {
      await waitFor(() => stream.recordsWritten + stream.recordsDropped === added, "every record is written or counted");
      const writtenBefore = stream.recordsWritten;
      for (const index of upTo(10, added)) stream.add(lineOf(index));
      await waitFor(() => stream.recordsWritten === writtenBefore + 10, "new records are written");
      const read = indicesOf(await (await openReader(redis.url, group)).readAll());
      expect(new Set(read).size).toBe(read.length);
      expect(ascending(read).slice(-10)).toEqual(upTo(10, added));
    }

    test("is paused, adding never waits, what has no room is counted, and the end of the process is near", async () => {
      const stream = openStream(redis.url);
      stream.add(lineOf(0));
      await waitFor(() => stream.recordsWritten === 1, "the first record is written");
      redis.pause();
      try {
        for (const index of upTo(TOO_MANY, 1)) stream.add(lineOf(index));
        expect(stream.recordsDropped).toBeGreaterThan(TOO_MANY / 3);
        await waitFor(() => troubles.length > 0, "the operator is told");
      } finally {
        redis.resume();
      }
      await expectRecovery(stream, TOO_MANY + 1, "paused");
      expect(troubles.length).toBe(1);
      redis.pause();
      try {
        const began = performance.now();
        stream.add(lineOf(0));
        await stream.close();
        expect(performance.now() - began).toBeLessThan(3 * ACCESS_STREAM_CLOSE_MS_MAX);
      } finally {
        redis.resume();
      }
      expect(stream.recordsWritten + stream.recordsDropped).toBe(TOO_MANY + 12);
    }, 30_000);

    test("is killed and comes back with nothing, new records are written without anybody's help", async () => {
      const stream = openStream(redis.url);
      stream.add(lineOf(0));
      await waitFor(() => stream.recordsWritten === 1, "the first record is written");
      await redis.kill();
      for (const index of upTo(TOO_MANY, 1)) stream.add(lineOf(index));
      await waitFor(() => troubles.length > 0, "the operator is told");
      await redis.restart({ isEmpty: true });
      await expectRecovery(stream, TOO_MANY + 1, "killed");
    }, 30_000);

    test("is full, records wait for room as long as they have room here, and none is lost", async () => {
      const stream = openStream(redis.url);
      const client = new Redis(redis.url);
      closing.push(() => client.disconnect());
      await client.config("SET", "maxmemory", "1");
      for (const index of upTo(1_000)) stream.add(lineOf(index));
      await waitFor(() => troubles.length > 0, "the operator is told");
      expect(troubles).toEqual([expect.stringContaining("OOM")]);
      expect([stream.recordsWritten, stream.recordsDropped]).toEqual([0, 0]);
      await client.config("SET", "maxmemory", "0");
      await waitFor(() => stream.recordsWritten === 1_000, "all records are written");
      expect(ascending(indicesOf(await (await openReader(redis.url, "full")).readAll()))).toEqual(upTo(1_000));
    });

    test("is not there at the start, records wait for it, and it is found when it comes", async () => {
      const late = await startRedis();
      closing.push(() => late.stop());
      await late.kill();
      const stream = openStream(late.url);
      for (const index of upTo(1_000)) stream.add(lineOf(index));
      await waitFor(() => troubles.length > 0, "the operator is told");
      expect(stream.recordsDropped).toBe(0);
      await late.restart();
      await waitFor(() => stream.recordsWritten === 1_000, "all records are written");
    });
  });
});

describe.skipIf(!hasRedis)(hasRedis ? "access records in a cluster" : `access records in a cluster ${NEEDS_REDIS}`, () => {
  test("are spread over its nodes; a dead node costs what was under way to it, and its replica takes over", async () => {
    const cluster = await startRedisCluster();
    closing.push(() => cluster.stop());
    const stream = openStream(cluster.urls);
    let added = 0;
    const addSome = (): void => {
      for (const end = added + 200; added < end; added += 1) stream.add(lineOf(added));
    };
    const reader = await openReader(cluster.urls, "cluster");
    await waitFor(async () => {
      addSome();
      return (await reader.lengths()).every((length) => length > 0);
    }, "each stream has records");
    const primaries = cluster.nodes.slice(0, 3);
    for (const { url } of primaries) {
      const client = new Redis(url);
      expect((await client.keys("*")).length).toBeGreaterThan(0);
      client.disconnect();
    }
    await primaries[0]?.kill();
    await waitFor(async () => {
      addSome();
      const lengths = await reader.lengths().catch(() => []);
      return lengths.length === ACCESS_STREAM_KEYS.length;
    }, "the replica has taken over");
    const before = stream.recordsWritten;
    await waitFor(() => {
      addSome();
      return stream.recordsWritten > before + 20_000;
    }, "records are written again");
    await waitFor(() => stream.recordsWritten + stream.recordsDropped === added, "every record is written or counted");
    const read = indicesOf(await reader.readAll());
    expect(new Set(read).size).toBe(read.length);
    expect(stream.recordsDropped).toBeLessThan(added / 2);
  }, 60_000);
});
