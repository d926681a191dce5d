/** What an operator reads when a store cannot be used: the cause, and what to do next; never a password. */
import { expect, test } from "bun:test";
import { hasPostgres, NEEDS_POSTGRES, startPostgres } from "../../test/servers/postgres.ts";
import { hasRedis, NEEDS_REDIS, startRedis } from "../../test/servers/redis.ts";
import { Postgres } from "../edge/postgres.ts";
import { RedisConnection } from "../edge/redis.ts";
import { whyNot } from "./shared-stores.ts";

const SECRET = "the password";
const NOBODY = "redis://ann:the%20password@127.0.0.1:1";

async function troubleWithRedis(...urls: string[]): Promise<string> {
  const redis = new RedisConnection(urls.join(","));
  try {
    await redis.open();
    await redis.mayEvict();
    return "none";
  } catch (error) {
    return await whyNot("Redis", urls, error as Error);
  } finally {
    redis.close();
  }
}
async function troubleWithPostgres(url: string): Promise<string> {
  const db = new Postgres(url);
  try {
    await db.read`select 1`;
    return "none";
  } catch (error) {
    return await whyNot("Postgres", [url], error as Error);
  } finally {
    await db.close();
  }
}

test("where nobody listens", async () => {
  const said = await troubleWithRedis(NOBODY);
  expect(said).toBe("nobody listens at 127.0.0.1:1: start Redis there, or say with --redis where it runs");
  expect(said).not.toContain(SECRET);
  expect(await troubleWithRedis(NOBODY, "redis://127.0.0.1:2")).toStartWith("nobody listens at 127.0.0.1:1, 127.0.0.1:2: start Redis");
  expect(await troubleWithPostgres("postgres://ann:secret@127.0.0.1:1/shop")).toBe(
    "nobody listens at 127.0.0.1:1: start Postgres there, or say with --postgres where it runs",
  );
});

test("a name that nobody knows", async () => {
  const said = "the name in no-such-name.invalid:6379 is not known: look for a slip in --redis, and whether the name server knows it";
  expect(await troubleWithRedis("redis://no-such-name.invalid")).toBe(said);
  expect(await troubleWithPostgres("postgres://no-such-name.invalid/shop")).toStartWith(
    "the name in no-such-name.invalid:5432 is not known",
  );
});

test("a server that takes the connection and says nothing", async () => {
  const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const where = `127.0.0.1:${silent.port}`;
  expect(await troubleWithRedis(`redis://${where}`)).toBe(`${where} does not answer: look for a firewall between, and whether Redis hangs`);
  expect(await troubleWithPostgres(`postgres://${where}/shop`)).toStartWith(`${where} does not answer`);
  silent.stop(true);
}, 20_000);

test.skipIf(!hasRedis)(
  `a Redis that wants a password, and one that is no cluster ${hasRedis ? "" : NEEDS_REDIS}`,
  async () => {
    const server = await startRedis();
    expect(await troubleWithRedis(server.url, server.url)).toMatch(/^127\.0\.0\.1:\d+, .* is no cluster: give one URL to --redis$/);
    const redis = new RedisConnection(server.url);
    await redis.open();
    await redis.client.config("SET", "requirepass", SECRET);
    expect(await troubleWithRedis(server.url)).toContain("does not let us in: give user and password in --redis, as in redis://USER");
    const wrong = await troubleWithRedis(server.url.replace("//", "//:wrong@"));
    expect(wrong).toContain("does not let us in");
    expect(wrong).not.toContain("wrong@");
    redis.close();
    await server.stop();
  },
  60_000,
);

test.skipIf(!hasPostgres)(
  `a Postgres that does not know who we are, or our database ${hasPostgres ? "" : NEEDS_POSTGRES}`,
  async () => {
    const server = await startPostgres();
    expect(await troubleWithPostgres(server.url.replace("postgres@", "nobody@"))).toContain(
      "does not let us in: give user and password in --postgres",
    );
    expect(await troubleWithPostgres(server.url.replace(/\/[^/]*$/, "/nowhere"))).toContain(
      "has no such database as --postgres names: create it, and run doorbuster migrate",
    );
    await server.stop();
  },
  60_000,
);
