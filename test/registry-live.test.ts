/**
 * Real registries in processes of their own, and a client that is not ours (`eureka-js-client`), over HTTP.
 */
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Eureka } from "eureka-js-client";
import { freePort } from "./servers/free-port.ts";
import { getJson, postJson, putJson, send, startSystem } from "./system.ts";
import { waitFor } from "./wait.ts";

setDefaultTimeout(60_000);

const SCRIPT = new URL("./registry-process.ts", import.meta.url).pathname;

interface RegistryProcess {
  readonly port: number;
  readonly url: string;
  end(signal: "SIGTERM" | "SIGKILL"): Promise<number>;
}

const running = new Set<RegistryProcess>();
afterEach(async () => {
  await Promise.all([...running].map((registry) => registry.end("SIGKILL")));
});

async function startRegistry(port: number, peerPorts: readonly number[] = []): Promise<RegistryProcess> {
  const peers = peerPorts.map((peer) => `http://127.0.0.1:${peer}/eureka`);
  const child = Bun.spawn([process.execPath, SCRIPT, String(port), ...peers], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const killWithUs = (): void => child.kill("SIGKILL");
  process.on("exit", killWithUs);
  void child.exited.then(() => process.off("exit", killWithUs));
  const { value } = await child.stdout.getReader().read();
  if (new TextDecoder().decode(value) !== "ready\n") throw new Error(`the registry on port ${port} did not start`);
  const registry: RegistryProcess = {
    port,
    url: `http://127.0.0.1:${port}/eureka`,
    end: (signal) => {
      child.kill(signal);
      running.delete(registry);
      return child.exited;
    },
  };
  running.add(registry);
  return registry;
}

const JSON_WANTED = { accept: "application/json" };
const silent = { warn: () => undefined, info: () => undefined, debug: () => undefined, error: () => undefined };

/** A client with the library's own ways, but for its patience. */
function clientOf(registry: RegistryProcess, id: string, port = 9000): Eureka {
  return new Eureka({
    shouldUseDelta: false,
    logger: silent,
    instance: {
      ...{ instanceId: id, app: "checkout", hostName: "h1", ipAddr: "127.0.0.1", vipAddress: "checkout" },
      // To the library two instances are one when they have one host and one port.
      port: { $: port, "@enabled": true },
      dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
    },
    eureka: {
      ...{ host: "127.0.0.1", port: registry.port, servicePath: "/eureka/apps/" },
      ...{ heartbeatInterval: 50, registryFetchInterval: 50, maxRetries: 0 },
    },
  });
}

const started = (client: Eureka): Promise<void> =>
  new Promise((resolve, reject) => client.start((error) => (error ? reject(error) : resolve())));
const stopped = (client: Eureka): Promise<void> =>
  new Promise((resolve, reject) => client.stop((error) => (error ? reject(error) : resolve())));
const next = (client: Eureka, event: string): Promise<void> => new Promise((resolve) => client.once(event, resolve));
const idsSeenBy = (client: Eureka): unknown[] =>
  client
    .getInstancesByVipAddress("checkout")
    .map((instance) => instance.instanceId)
    .toSorted();
const isKnown = async (registry: RegistryProcess, id: string): Promise<boolean> =>
  (await getJson(`${registry.url}/apps/CHECKOUT/${id}`, JSON_WANTED)).status === 200;

describe("eureka-js-client", () => {
  test("registers, renews, discovers, and cancels", async () => {
    const registry = await startRegistry(freePort());
    const [one, two] = [clientOf(registry, "one"), clientOf(registry, "two", 9001)];
    await started(one);
    await started(two);
    await waitFor(() => idsSeenBy(one).length === 2, "the first client sees both");
    expect(idsSeenBy(one)).toEqual(["one", "two"]);
    expect(idsSeenBy(two)).toEqual(["one", "two"]);
    expect(one.getInstancesByAppId("checkout")).toMatchObject([{ app: "CHECKOUT", status: "UP", port: { $: 9000 } }, {}]);
    const before = await renewedAt(registry, "one");
    await next(one, "heartbeat");
    await waitFor(async () => (await renewedAt(registry, "one")) > before, "the registry has seen a renewal");
    await stopped(two);
    expect(await isKnown(registry, "two")).toBe(false);
    await waitFor(() => idsSeenBy(one).length === 1, "the first client sees that the second is gone");
    await stopped(one);
    expect(await isKnown(registry, "one")).toBe(false);
  });

  test("registers again after the registry was started again and knows nobody", async () => {
    const registry = await startRegistry(freePort());
    const client = clientOf(registry, "one");
    await started(client);
    await registry.end("SIGKILL");
    const again = await startRegistry(registry.port);
    expect(await isKnown(again, "one")).toBe(false);
    await waitFor(() => isKnown(again, "one"), "the client has registered again");
    await stopped(client);
    expect(await isKnown(again, "one")).toBe(false);
  });
});

async function renewedAt(registry: RegistryProcess, id: string): Promise<number> {
  const { body } = await getJson(`${registry.url}/apps/CHECKOUT/${id}`, JSON_WANTED);
  return (body as { instance: { leaseInfo: { lastRenewalTimestamp: number } } }).instance.leaseInfo.lastRenewalTimestamp;
}

describe("two registries", () => {
  const instance = (id: string, extra: object = {}) => ({
    instance: { instanceId: id, hostName: "h", app: "CHECKOUT", ipAddr: "127.0.0.1", status: "UP", ...extra },
  });
  const statusIn = async (registry: RegistryProcess, id: string): Promise<unknown> => {
    const { body } = await getJson(`${registry.url}/apps/CHECKOUT/${id}`, JSON_WANTED);
    return (body as { instance?: { status: string } } | undefined)?.instance?.status;
  };
  const pair = async (): Promise<[RegistryProcess, RegistryProcess]> => {
    const [portA, portB] = [freePort(), freePort()];
    return [await startRegistry(portA, [portB]), await startRegistry(portB, [portA])];
  };

  test("tell each other what their clients do; one that is killed and comes back knows what the other one knows", async () => {
    const [a, b] = await pair();
    await postJson(`${a.url}/apps/CHECKOUT`, instance("at-a"));
    await postJson(`${b.url}/apps/CHECKOUT`, instance("at-b"));
    await waitFor(async () => (await isKnown(a, "at-b")) && (await isKnown(b, "at-a")), "both know both");
    await putJson(`${a.url}/apps/CHECKOUT/at-b/status?value=OUT_OF_SERVICE`, undefined);
    await waitFor(async () => (await statusIn(b, "at-b")) === "OUT_OF_SERVICE", "the other registry knows the status");

    await b.end("SIGKILL");
    await postJson(`${a.url}/apps/CHECKOUT`, instance("late"));
    await send("DELETE", `${a.url}/apps/CHECKOUT/at-a`);
    const again = await startRegistry(b.port, [a.port]);
    expect([await isKnown(again, "late"), await isKnown(again, "at-a"), await statusIn(again, "at-b")]).toEqual([
      true,
      false,
      "OUT_OF_SERVICE",
    ]);
    // And it hears of what comes after.
    await postJson(`${a.url}/apps/CHECKOUT`, instance("later"));
    await waitFor(() => isKnown(again, "later"), "the registry that came back hears of a new instance");
  });

  test("keep a client of the one that dies, when it goes on with the other", async () => {
    const [a, b] = await pair();
    const client = clientOf(a, "one");
    await started(client);
    await waitFor(() => isKnown(b, "one"), "the other registry knows the client");
    await a.end("SIGKILL");
    const moved = clientOf(b, "one");
    expect((await putJson(`${b.url}/apps/CHECKOUT/one`, undefined)).status).toBe(200);
    await started(moved);
    expect(idsSeenBy(moved)).toEqual(["one"]);
    await stopped(moved);
    clientStopsTrying(client);
  });

  test("one that stops tells the other what it has not heard yet", async () => {
    const [a, b] = await pair();
    await postJson(`${a.url}/apps/CHECKOUT`, instance("last"));
    expect(await a.end("SIGTERM")).toBe(0);
    expect(await isKnown(b, "last")).toBe(true);
  });
});

test("a system that is started with a peer tells it of its services, and of their end", async () => {
  const registry = await startRegistry(freePort());
  const system = await startSystem({ args: ["--registry-peers", `http://127.0.0.1:${registry.port}`] });
  const names = async (): Promise<unknown[]> => {
    const { body } = await getJson(`${registry.url}/apps`, JSON_WANTED);
    const { applications } = body as { applications: { application: { name: string }[] } };
    return applications.application.map(({ name }) => name);
  };
  await waitFor(async () => (await names()).length === 5, "the peer knows the five services");
  expect(await system.stop()).toBe(0);
  expect(await names()).toEqual([]);
});

/** Its registry is gone: it cannot cancel, only stop asking. */
function clientStopsTrying(client: Eureka): void {
  client.stop(() => undefined);
}
