/** The front door, for real: HAProxy with our configuration between a shopper and two gates. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PORTS } from "../../src/topology/ports.ts";
import { freePort } from "../servers/free-port.ts";
import { getJson, type JsonReply, postJson, type System, send, startSystem } from "../system.ts";
import { waitFor } from "../wait.ts";
import { DEPLOY, readCompose, readDeployFile, SAMPLE_ENV } from "./compose-file.ts";

// Generous: a busy machine is no mistake.
setDefaultTimeout(120_000);

const hasHaproxy = Bun.which("haproxy") !== null;
const NEEDS_HAPROXY = hasHaproxy ? "" : "(needs haproxy, which is not installed here: apt-get install haproxy)";
const config = readDeployFile("haproxy/haproxy.cfg");
const FRONT = "front";
const PROBLEM = "application/problem+json";

describe("the configuration of the front door", () => {
  test.skipIf(!hasHaproxy)(`is one that HAProxy takes ${NEEDS_HAPROXY}`, () => {
    const checked = Bun.spawnSync(["haproxy", "-c", "-f", join(DEPLOY, "haproxy/haproxy.cfg")], { stdout: "pipe", stderr: "pipe" });
    expect({ exitCode: checked.exitCode, said: checked.stderr.toString() }).toEqual({ exitCode: 0, said: "" });
  });

  test("leads to services of compose.yaml, on the ports that they listen on", () => {
    const { services } = readCompose(SAMPLE_ENV);
    const targets = [...config.matchAll(/^ +server(?:-template \w+ [\d-]+| [\w-]+) ([\w-]+):(\d+)$/gm)].map(([, name = "", port]) => ({
      name,
      port,
    }));
    expect(targets.filter(({ name }) => !(name in services))).toEqual([]);
    expect(new Set(targets.map(({ port }) => Number(port)))).toEqual(new Set(Object.values(PORTS)));
    const published = (services[FRONT]?.ports ?? []).map((port) => port.split(":").at(-1));
    for (const port of published) expect(config).toContain(`bind :${port}\n`);
  });

  test("sends to a second gate what the first did not take, and what is safe to repeat", () => {
    expect([...config.matchAll(/^ +(retry-on .*|http-request disable-l7-retry .*)$/gm)].map((match) => match[1])).toEqual([
      "retry-on conn-failure empty-response",
      "http-request disable-l7-retry if !METH_GET !{ req.hdr(Idempotency-Key) -m found }",
    ]);
  });
});

const START_ATTEMPTS_MAX = 5;
interface Front {
  readonly url: string;
  /** Where Prometheus asks. */
  readonly figures: string;
  readonly stop: () => Promise<void>;
}

/** HAProxy on ports of its own, before gates on theirs. What only Docker has (names, its name server) is replaced, and nothing else. */
async function startFront(gatePorts: readonly number[]): Promise<Front> {
  for (let attempt = 1; ; attempt += 1) {
    const front = await startOnce(gatePorts);
    if (front) return front;
    // Somebody else may have taken a port between our look and HAProxy's own bind.
    if (attempt >= START_ATTEMPTS_MAX) throw new Error("HAProxy could not be started");
  }
}

async function startOnce(gatePorts: readonly number[]): Promise<Front | null> {
  const [front, figures] = [freePort(), freePort()];
  const gates = gatePorts.map((port, i) => `    server gate${i + 1} 127.0.0.1:${port}`).join("\n");
  const adapted = config
    .replace(/^listen [\s\S]*?(?=^# For Prometheus)/m, "")
    .replace("bind :8080", `bind 127.0.0.1:${front}`)
    .replace("bind :8405", `bind 127.0.0.1:${figures}`)
    .replace(/^ +server-template gate .*$/m, gates)
    .replace("maxconn 50000", "maxconn 500");
  const folder = mkdtempSync(join(tmpdir(), "doorbuster-front-"));
  writeFileSync(join(folder, "haproxy.cfg"), adapted);
  const child = Bun.spawn(["haproxy", "-db", "-f", join(folder, "haproxy.cfg")], { stdio: ["ignore", "ignore", "ignore"] });
  const killWithUs = (): void => child.kill("SIGKILL");
  process.on("exit", killWithUs);
  const isUp = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${figures}/up`).then(
      ({ ok }) => ok,
      () => false,
    );
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
    process.off("exit", killWithUs);
    rmSync(folder, { recursive: true, force: true });
  };
  const hasEnded = (): boolean => child.exitCode !== null;
  await waitFor(async () => hasEnded() || (await isUp()), "the front is up, or has ended");
  if (hasEnded()) {
    await stop();
    return null;
  }
  return {
    url: `http://127.0.0.1:${front}`,
    figures: `http://127.0.0.1:${figures}/metrics`,
    stop,
  };
}

describe.skipIf(!hasHaproxy)(`through the front door ${NEEDS_HAPROXY}`, () => {
  let gates: System[] = [];
  let front: Front;
  const portOf = (gate: System): number => Number(new URL(gate.gate).port);
  const trusting = ["--demo", "--trusted-proxies", "127.0.0.1"];

  beforeAll(async () => {
    gates = await Promise.all([startSystem({ args: trusting }), startSystem({ args: trusting })]);
    front = await startFront(gates.map(portOf));
  });
  afterAll(async () => {
    await front?.stop();
    await Promise.all(gates.map((gate) => gate.stop()));
  });

  let shoppers = 0;
  const buy = (headers: Readonly<Record<string, string>> = {}): Promise<JsonReply> => {
    shoppers += 1;
    const body = { clientIP: "202.100.100.1", userID: `UID${shoppers}`, userLevel: 5, goodsSKU: "SKU0001", goodsQuantity: 1 };
    return postJson(`${front.url}/buy`, body, headers);
  };
  const frozenAt = async (gate: System): Promise<number> =>
    ((await getJson(`${gate.inventory}/sku/SKU0001`)).body as { frozenQuantity: number }).frozenQuantity;
  const figure = async (line: RegExp): Promise<number> => Number(line.exec((await getJson(front.figures)).text)?.[1]);

  test("shoppers reach every gate, and each purchase reaches one of them", async () => {
    const replies = await Promise.all(Array.from({ length: 60 }, () => buy()));
    expect(replies.filter(({ body }) => (body as { repResult: boolean }).repResult !== true)).toEqual([]);
    const frozen = await Promise.all(gates.map(frozenAt));
    expect(Math.min(...frozen)).toBeGreaterThan(0);
    expect(frozen.reduce((sum, each) => sum + each, 0)).toBe(60);
  });

  test("figures are for operators, however the path is spelled; health is for everybody", async () => {
    for (const path of ["/metrics", "/METRICS", "//metrics", "/metrics/", "/%6detrics", "/metrics?x=1"]) {
      const { status, headers } = await getJson(front.url + path);
      expect({ path, status, type: headers.get("content-type") }).toEqual({ path, status: 404, type: PROBLEM });
    }
    expect((await getJson(`${front.url}/health`)).status).toBe(200);
  });

  test("a body that no gate would take does not reach one; a payment provider may send more", async () => {
    const sized = (bytes: number): string => JSON.stringify({ pad: "x".repeat(bytes - 10) });
    const tooLong = await send("POST", `${front.url}/buy`, sized(16_385));
    expect([tooLong.status, tooLong.headers.get("content-type")]).toEqual([413, PROBLEM]);
    expect((await send("POST", `${front.url}/buy`, sized(16_384))).status).toBe(400);
    expect((await send("POST", `${front.url}/payments/nobody`, sized(16_385))).status).not.toBe(413);
    expect((await send("POST", `${front.url}/payments/nobody`, sized(262_145))).status).toBe(413);
  });

  test("connections to the gates are kept: a thousand requests need few", async () => {
    const connects = (): Promise<number> => figure(/haproxy_backend_connection_attempts_total\{proxy="gates"\} (\d+)/);
    const before = await connects();
    for (let i = 0; i < 50; i += 1) await Promise.all(Array.from({ length: 20 }, () => getJson(`${front.url}/health`)));
    expect((await connects()) - before).toBeLessThan(200);
  });

  test("its figures are those that the dashboard asks for", async () => {
    const { text } = await getJson(front.figures);
    const asked = [...readDeployFile("grafana/dashboards/doorbuster.json").matchAll(/\bhaproxy_\w+/g)].map((match) => match[0]);
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.filter((name) => !text.includes(`\n${name}{proxy="gates"} `))).toEqual([]);
  });

  test("a gate that stops costs no purchase that carries a key: the other takes over", async () => {
    const [first, second] = gates as [System, System];
    let isStopped = false;
    const failed: unknown[] = [];
    const crowd = Array.from({ length: 8 }, async () => {
      for (let after = 0; after < 10; after += isStopped ? 1 : 0) {
        const { status, text } = await buy({ "idempotency-key": crypto.randomUUID() });
        if (status !== 200) failed.push({ status, text });
      }
    });
    await waitFor(() => shoppers > 200, "the crowd is there");
    await first.stop();
    isStopped = true;
    await Promise.all(crowd);
    expect(failed).toEqual([]);
    await second.stop();
    const { status, headers } = await buy();
    expect([status, headers.get("content-type"), headers.get("retry-after")]).toEqual([503, PROBLEM, "1"]);
    gates = [];
  });
});

describe.skipIf(!hasHaproxy)(`between the front door and a gate ${NEEDS_HAPROXY}`, () => {
  test("the client's address is the front's word, whatever the client wrote", async () => {
    const seen: Headers[] = [];
    const gate = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: ({ headers, url }) => {
        if (!url.endsWith("/health")) seen.push(headers);
        return new Response("{}");
      },
    });
    const front = await startFront([gate.port as number]);
    await postJson(`${front.url}/buy`, {}, { "x-forwarded-for": "6.6.6.6", forwarded: "for=6.6.6.6" });
    expect(seen.map((headers) => [headers.get("x-forwarded-for"), headers.get("forwarded")])).toEqual([["127.0.0.1", null]]);
    await front.stop();
    await gate.stop(true);
  });

  test("a purchase whose connection ends without an answer is asked again only with its key", async () => {
    const received: string[] = [];
    const dying = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data: (socket, bytes) => {
          const [line = ""] = bytes.toString().split("\r\n");
          if (line.includes("/health")) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
          else received.push(line);
          socket.end();
        },
      },
    });
    const front = await startFront([dying.port, dying.port]);
    const attempts = async (method: string, headers: Readonly<Record<string, string>>): Promise<number> => {
      received.length = 0;
      const asked = { ...headers, connection: "close" };
      const { status } = await send(method, `${front.url}/buy`, method === "GET" ? undefined : {}, asked);
      expect(status).toBe(502);
      return received.length;
    };
    expect(await attempts("POST", {})).toBe(1);
    expect(await attempts("POST", { "idempotency-key": "a-key-of-the-shopper" })).toBeGreaterThan(1);
    expect(await attempts("GET", {})).toBeGreaterThan(1);
    await front.stop();
    dying.stop(true);
  });
});
