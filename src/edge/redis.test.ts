/** What Redis can do to a command, and what whoever asked is told: that it has not run, or that it may have. */
import { afterEach, expect, test } from "bun:test";
import { hasRedis, NEEDS_REDIS, type RedisServer, startRedis } from "../../test/servers/redis.ts";
import { waitFor } from "../../test/wait.ts";
import { Failure } from "../core/failure.ts";
import type { LuaScript } from "../core/redis.ts";
import { RedisConnection } from "./redis.ts";

const ADD: LuaScript = { name: "add", text: "return redis.call('INCRBY', KEYS[1], ARGV[1])" };
const KEEP: LuaScript = { name: "keep", text: "redis.call('SET', KEYS[1], ARGV[1]) return 1" };
const WRONG: LuaScript = { name: "wrong", text: "return redis.call('INCRBY', KEYS[1], 'a')" };

let server: RedisServer;
let redis: RedisConnection;

async function open(args: readonly string[] = [], replicasMin = 0): Promise<void> {
  server = await startRedis(args);
  redis = new RedisConnection(server.url, { replicasMin });
  await redis.open();
}
afterEach(async () => {
  redis?.close();
  await server?.stop();
});

const failureOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => null,
    (error: unknown) => (error instanceof Failure ? { code: error.code, outcomeKnown: error.outcomeKnown } : error),
  );
const NOT_RUN = { code: "store-unavailable", outcomeKnown: true };
const UNKNOWN = { code: "store-unavailable", outcomeKnown: false };
const name = (sentence: string): string => `${sentence} ${hasRedis ? "" : NEEDS_REDIS}`;

test.skipIf(!hasRedis)(
  name("a script runs, also when Redis has never seen it or has forgotten it"),
  async () => {
    await open();
    expect(await redis.run(ADD, ["n"], ["2"])).toBe(2);
    expect(await redis.run(ADD, ["n"], ["2"])).toBe(4);
    await redis.client.script("FLUSH");
    expect(await redis.run(ADD, ["n"], ["2"])).toBe(6);
  },
  60_000,
);

test.skipIf(!hasRedis)(
  name("without a server nothing has run, and whoever asks hears so at once; when it is back, it is found again"),
  async () => {
    await open(["--appendfsync", "always"]);
    await redis.run(ADD, ["n"], ["1"]);
    await server.kill();
    await waitFor(() => !redis.isReady, "the connection is lost");
    expect(await failureOf(redis.run(ADD, ["n"], ["1"]))).toEqual(NOT_RUN);
    await server.restart();
    await waitFor(() => redis.isReady, "it is found again");
    expect(await redis.run(ADD, ["n"], ["1"])).toBe(2);
  },
  60_000,
);

test.skipIf(!hasRedis)(
  name("a server that does not answer may have run it, and may yet: the outcome is unknown"),
  async () => {
    await open();
    await redis.run(ADD, ["n"], ["1"]);
    server.pause();
    expect(await failureOf(redis.run(ADD, ["n"], ["1"]))).toEqual(UNKNOWN);
    server.resume();
    await waitFor(async () => (await redis.client.get("n").catch(() => null)) === "2", "it has run after all");
  },
  60_000,
);

test.skipIf(!hasRedis)(
  name("a command whose connection is cut is not sent a second time"),
  async () => {
    await open();
    server.pause();
    const attempt = failureOf(redis.run(ADD, ["n"], ["1"]));
    await server.kill();
    expect(await attempt).toEqual(UNKNOWN);
    await server.restart();
    await waitFor(() => redis.isReady, "it is found again");
    expect(await redis.run(ADD, ["n"], ["5"])).toBe(5);
  },
  60_000,
);

test.skipIf(!hasRedis)(
  name("what a full Redis, or a replica, refuses has not run; what makes no sense is a bug"),
  async () => {
    await open();
    await redis.client.config("SET", "maxmemory", "1");
    expect(await failureOf(redis.run(KEEP, ["text"], ["x"]))).toEqual(NOT_RUN);
    await redis.client.config("SET", "maxmemory", "0");
    expect(await redis.client.get("text")).toBeNull();
    await redis.client.replicaof("127.0.0.1", 1);
    expect(await failureOf(redis.run(KEEP, ["text"], ["x"]))).toEqual(NOT_RUN);
    await redis.client.replicaof("NO", "ONE");
    expect(await failureOf(redis.run(WRONG, ["n"], []))).toMatchObject({ name: "ReplyError" });
  },
  60_000,
);

test.skipIf(!hasRedis)(
  name("in strict mode a change that no replica has confirmed is unknown, though it is there; a look needs nobody"),
  async () => {
    await open([], 1);
    expect(await failureOf(redis.run(KEEP, ["text"], ["x"]))).toEqual(UNKNOWN);
    expect(await redis.client.get("text")).toBe("x");
    expect(await redis.run({ ...KEEP, name: "look", text: "return redis.call('GET', KEYS[1])", isUnconfirmed: true }, ["text"], [])).toBe(
      "x",
    );
  },
  60_000,
);
