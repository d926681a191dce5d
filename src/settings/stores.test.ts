import { describe, expect, test } from "bun:test";
import { readSettings, type SettingSources } from "./read.ts";

const nothing: SettingSources = { flags: {}, environment: {}, configFileText: null };
const SECRET = "hunter2hunter2";

const read = (flags: SettingSources["flags"]) => readSettings({ ...nothing, flags });

describe("the URL of a store", () => {
  test.each([
    ["postgres", `postgres://shop:${SECRET}@db.example:5433/shop`],
    ["postgres", "postgresql://db/shop?sslmode=require"],
    ["redis", `redis://:${SECRET}@10.0.0.1:6379`],
    ["redis", "rediss://cache.example, redis://[::1]:7000"],
  ])("%s takes %s", (name, url) => {
    expect(read({ [name]: url })).toHaveProperty("settings");
  });

  test("several of Redis are several nodes", () => {
    const settings = read({ redis: "redis://a:1,redis://b:2" });
    expect("settings" in settings && settings.settings.redis).toEqual(["redis://a:1", "redis://b:2"]);
  });

  test.each([
    ["postgres", `mysql://shop:${SECRET}@db/shop`, "is no URL of a Postgres database"],
    ["postgres", `postgres://shop:${SECRET}@db`, "names no database"],
    ["postgres", `postgres://shop:${SECRET}@db/?sslmode=require`, "names no database"],
    ["postgres", `shop:${SECRET}@db/shop`, "names no database"],
    ["redis", `http://:${SECRET}@cache:6379`, "is no URL of a Redis server"],
    ["redis", `redis://:${SECRET}@a,b`, "is no URL of a Redis server"],
    ["redis", "", "is no URL of a Redis server"],
  ])("%s refuses %s, and shows nothing of it", (name, url, fault) => {
    const refused = read({ [name]: url });
    expect(refused).toEqual({ error: expect.stringContaining(`--${name}: what was given ${fault}; give ${name}://`) });
    expect(JSON.stringify(refused)).not.toContain(SECRET);
  });
});
