import { describe, expect, test } from "bun:test";
import { CONSOLE_CALLS_MAX } from "../limits/console.ts";
import { type ServiceAnswer, type ServiceRequest, Services } from "./services.ts";

const answer = (status: number, value: unknown = {}): ServiceAnswer => ({ status, text: JSON.stringify(value), headers: new Headers() });
const [ONE, TWO] = ["http://one:8083", "http://two:8083"] as const;

function desk(ask: (request: ServiceRequest) => Promise<ServiceAnswer | { readonly error: string }>) {
  const asked: ServiceRequest[] = [];
  const services = new Services({
    urlsOf: () => [ONE, TWO],
    ask: (request) => {
      asked.push(request);
      return ask(request);
    },
    adminKey: "the key",
    clock: { now: () => 0, monotonicUs: () => 0 },
    random: () => 0,
  });
  return { services, asked };
}
const get = { method: "GET", path: "/all" } as const;
const put = { method: "PUT", path: "/update", body: "{}", operator: "王芳" } as const;

describe("a call of an operator", () => {
  test("carries the key and the name", async () => {
    const { services, asked } = desk(() => Promise.resolve(answer(200)));
    await services.call("inventory-manager", put);
    expect(asked[0]?.headers).toMatchObject({ authorization: "Bearer the key", "x-doorbuster-operator": encodeURIComponent("王芳") });
  });

  test("that looks is asked of another instance when one is silent", async () => {
    const { services, asked } = desk(({ url }) => Promise.resolve(url.startsWith(ONE) ? { error: "silent" } : answer(200)));
    expect((await services.call("inventory-manager", get)).status).toBe(200);
    expect(asked).toHaveLength(2);
  });

  test("that changes something is asked once, and says that it may have happened", async () => {
    const { services, asked } = desk(() => Promise.resolve({ error: "silent" }));
    const reply = await services.call("inventory-manager", put);
    expect([reply.status, asked.length]).toEqual([503, 1]);
    expect(JSON.parse(reply.body as string)).toMatchObject({ outcomeKnown: false });
  });

  test("that a service refuses for its key does not look like the end of a session", async () => {
    const { services } = desk(() => Promise.resolve(answer(401)));
    expect((await services.call("inventory-manager", get)).status).toBe(503);
  });

  test("waits when many are under way, and is refused when as many wait", async () => {
    const open: (() => void)[] = [];
    const { services, asked } = desk(() => new Promise((tell) => open.push(() => tell(answer(200)))));
    const calls = Array.from({ length: 2 * CONSOLE_CALLS_MAX }, () => services.call("inventory-manager", get));
    expect(asked).toHaveLength(CONSOLE_CALLS_MAX);
    expect((await services.call("inventory-manager", get)).status).toBe(503);
    while (open.length > 0) {
      open.shift()?.();
      await new Promise(setImmediate);
    }
    expect(new Set((await Promise.all(calls)).map(({ status }) => status))).toEqual(new Set([200]));
  });
});
