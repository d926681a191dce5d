/**
 * The load simulator must be believed when it says that all is well, so most of these tests run it against a shop that breaks one promise:
 * each of them must be found. The others run it against the real system.
 */
import { afterAll, expect, test } from "bun:test";
import { HttpLoadClient } from "../src/edge/http-load-client.ts";
import { timers } from "../src/edge/timers.ts";
import { readStampedeSettings } from "../src/stampede/options.ts";
import { runStampede } from "../src/stampede/stampede.ts";
import { getJson, postJson, type System, startSystem } from "./system.ts";

const MAIN = `${import.meta.dir}/../src/main.ts`;
const clock = { now: () => Date.now(), monotonicUs: () => performance.now() * 1_000 };
const closers: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closers) await close();
});

interface Outcome {
  readonly exitCode: number;
  readonly page: string;
  readonly complaints: readonly string[];
}

async function stampede(options: Record<string, string>, isTerminal = false): Promise<Outcome> {
  const read = readStampedeSettings(options);
  if ("error" in read) throw new Error(read.error);
  let page = "";
  const complaints: string[] = [];
  const exitCode = await runStampede(read.settings, {
    write: (text) => {
      page += text;
    },
    complain: (line) => complaints.push(line),
    isTerminal,
    columns: 80,
    clock,
    timers,
    openClient: HttpLoadClient.open,
  });
  return { exitCode, page, complaints };
}

// --- A shop that can break each promise ------------------------------------------------------------------------------------

type BrokenPromise = "oversells" | "forgets" | "ignores-keys" | "ignores-the-blacklist" | "takes-nonsense" | "stops-early" | "answers-anew";

const STOCK = 100;

/** A shop in memory, honest but for one promise. Answers with its base URL: all services are on one port. */
function openShop(broken: BrokenPromise | null): string {
  // Where keys are ignored there is enough for everybody, so that whoever asks twice does get twice.
  const stock = broken === "ignores-keys" ? 1_000_000 : STOCK;
  const carts = new Map<string, number>();
  const replies = new Map<string, string>();
  const badUsers = new Set<string>();
  let frozen = 0;
  let asked = 0;

  function decide(userID: string): object {
    asked += 1;
    if (badUsers.has(userID) && broken !== "ignores-the-blacklist") return { repResult: false, reason: "blacklisted" };
    const frozenMax = broken === "oversells" ? stock + 1 : broken === "stops-early" ? stock - 1 : stock;
    const mark = broken === "answers-anew" ? asked : 0;
    if (frozen >= frozenMax) return { repResult: false, reason: "sold-out", mark };
    frozen += 1;
    const goodsQuantity = (carts.get(userID) ?? 0) + 1;
    carts.set(userID, broken === "forgets" && frozen === 7 ? 0 : goodsQuantity);
    return { repResult: true, hold: { goodsSKU: "SKU0001", goodsQuantity, expiresAt: Date.now() + 600_000 }, mark };
  }

  async function buy(request: Request): Promise<Response> {
    const key = request.headers.get("idempotency-key") ?? "";
    const text = await request.text();
    const isJson = request.headers.get("content-type") === "application/json";
    const { userID, goodsQuantity, userLevel, clientIP } = parsed(text) ?? {};
    const isProper = isJson && goodsQuantity === 1 && typeof userLevel === "number" && !String(clientIP).startsWith("999");
    if (typeof userID !== "string" || !isProper) {
      return broken === "takes-nonsense" ? Response.json({ repResult: false, reason: "sold-out" }) : new Response("{}", { status: 400 });
    }
    const kept = broken === "ignores-keys" || broken === "answers-anew" ? undefined : replies.get(key);
    const again =
      broken === "answers-anew" && replies.has(key) ? JSON.stringify({ repResult: false, reason: "sold-out", asked }) : undefined;
    const reply = kept ?? again ?? JSON.stringify(decide(userID));
    replies.set(key, reply);
    return new Response(reply);
  }

  async function blacklist(request: Request, isBad: boolean): Promise<Response> {
    const userID = isBad ? parsed(await request.text())?.userID : new URL(request.url).pathname.split("/").at(-1);
    if (isBad) badUsers.add(String(userID));
    else badUsers.delete(String(userID));
    return Response.json({ userID, isBadGuy: isBad });
  }

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    routes: {
      "/buy": { POST: buy },
      "/badguy/add": { POST: (request) => blacklist(request, true) },
      "/badguy/delete/userid/:user": { DELETE: (request) => blacklist(request, false) },
      "/sku/SKU0001": () => Response.json({ goodsQuantity: stock, frozenQuantity: frozen, availableQuantity: stock - frozen }),
      "/all/userid/:user": ({ params }) => {
        const goodsQuantity = carts.get(params.user) ?? 0;
        return Response.json(goodsQuantity === 0 ? [] : [{ goodsSKU: "SKU0001", goodsQuantity }]);
      },
    },
    fetch: () => new Response("{}", { status: 404 }),
  });
  closers.push(() => server.stop(true));
  return `http://127.0.0.1:${server.port}`;
}

interface Asked {
  readonly userID?: unknown;
  readonly userLevel?: unknown;
  readonly clientIP?: unknown;
  readonly goodsQuantity?: unknown;
}

function parsed(text: string): Asked | null {
  try {
    return JSON.parse(text) as Asked;
  } catch {
    return null;
  }
}

const at = (url: string) => ({ url, protectUrl: url, inventoryUrl: url, cartUrl: url });
const crowd = { buyers: "2000", rate: "20000", connections: "50", repeatShare: "0.3", badShare: "0.2" };

test("a shop that keeps every promise passes, and the page says what was checked", async () => {
  const { exitCode, page } = await stampede({ ...at(openShop(null)), ...crowd });
  expect(page).toContain("exactly the stock is sold: 100 of the 100 that were available, 0 left");
  expect(page).toContain("100 acknowledged holds are in their buyers' carts with exactly their quantity");
  expect(page).toMatch(/held +100 /);
  expect(page).toMatch(/blacklisted +\d/);
  expect(page).toMatch(/malformed +\d/);
  const [, repeats, afterCut, same] =
    /([\d,]+) asked again with the same key, ([\d,]+) of them after a cut connection; ([\d,]+) got/.exec(page) ?? [];
  expect(Number(afterCut)).toBeGreaterThan(50);
  expect(same).toBe(repeats as string);
  expect(exitCode).toBe(0);
});

const found: readonly [BrokenPromise, RegExp][] = [
  ["oversells", /BROKEN +OVERSOLD: 101 frozen, -1 available, 100 on hand/],
  ["forgets", /BROKEN +LOST: 1 acknowledged holds are not in their carts: stampede-\S+ was promised 1 and has 0/],
  ["ignores-keys", /BROKEN +DOUBLE-FROZEN: \d+ buyers have more than they asked for/],
  ["ignores-the-blacklist", /BROKEN +\S+-bad-\d+ \(blacklisted\): a blacklisted user got past the protection/],
  ["takes-nonsense", /BROKEN +\S+ \(malformed\): a malformed request was not refused with 4xx/],
  ["stops-early", /BROKEN +UNDERSOLD: buyers were told "sold-out" while 1 are available/],
  ["answers-anew", /BROKEN +\S+: the same key got another reply/],
];

for (const [broken, line] of found) {
  test(`a shop that ${broken.replaceAll("-", " ")} is found out`, async () => {
    const { exitCode, page } = await stampede({ ...at(openShop(broken)), ...crowd });
    expect(page).toMatch(line);
    expect(page).toContain("Result: BROKEN");
    expect(exitCode).toBe(1);
  });
}

test("a generator that cannot keep up says so instead of slowing the crowd down", async () => {
  const { page } = await stampede({ ...at(openShop(null)), ...crowd, connections: "1", rate: "1000000" });
  expect(page).toMatch(/Overload +[\d,]+ arrivals \([\d.]+ %\) had to wait for a free connection or for the generator/);
});

test("on a terminal the progress is rewritten in place and gone at the end", async () => {
  const { page } = await stampede({ ...at(openShop(null)), buyers: "600", rate: "900", connections: "10" }, true);
  expect(page).toMatch(/^\d+ of 600 arrived .* answers\/s {2}p50 .* p99 .*\n.*\n\x1b\[2F\x1b\[0J/);
  expect(page.slice(page.lastIndexOf("\x1b[0J"))).toMatch(/^\x1b\[0JStampede: 600 buyers/);
});

test("goods that are not there are told in one line, with exit code 3", async () => {
  const { exitCode, complaints } = await stampede({ ...at(openShop(null)), ...crowd, sku: "NO-SUCH" });
  expect(complaints).toEqual([expect.stringContaining("there are no goods NO-SUCH at http://127.0.0.1:")]);
  expect(exitCode).toBe(3);
});

// --- The real system -------------------------------------------------------------------------------------------------------

async function demoSystem(): Promise<System> {
  const system = await startSystem({ args: ["--demo"] });
  closers.push(() => system.stop());
  return system;
}

async function commandLine(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const child = Bun.spawn([process.execPath, MAIN, "stampede", ...args], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode, stdout, stderr };
}

test("the demo sells exactly its stock to a stampede, and a second stampede finds it sold out", async () => {
  const { gate, inventory, protector } = await demoSystem();
  const options = ["--url", gate, "--sku", "SKU0001", "--buyers", "5000", "--rate", "5000", "--repeat-share", "0.1", "--bad-share", "0.1"];
  const first = await commandLine(...options);
  expect(first.stderr).toBe("");
  expect(first.stdout).toContain("exactly the stock is sold: 500 of the 500 that were available, 0 left");
  expect(first.exitCode).toBe(0);
  const second = await commandLine(...options);
  expect(second.stdout).toContain("exactly the stock is sold: 0 of the 0 that were available, 0 left");
  expect(second.exitCode).toBe(0);
  expect((await getJson(`${inventory}/sku/SKU0001`)).body).toMatchObject({ frozenQuantity: 500, availableQuantity: 0 });
  expect((await getJson(`${protector}/badguy/all`)).body).toEqual([]);
}, 60_000);

test("without the operators' key nobody is blacklisted, and the page says so", async () => {
  const adminKey = "the-operators-own-key";
  const system = await startSystem({ args: ["--demo", "--admin-key", adminKey] });
  closers.push(() => system.stop());
  const options = { url: system.gate, buyers: "1000", badShare: "0.5" };
  const without = await stampede(options);
  expect(without.page).toContain("No users were blacklisted");
  expect(without.exitCode).toBe(0);
  const withKey = await stampede({ ...options, adminKey });
  expect(withKey.page).toMatch(/blacklisted +\d/);
  expect(withKey.exitCode).toBe(0);
}, 60_000);

test("a throttled crowd is no broken promise", async () => {
  const system = await startSystem({ args: ["--demo", "--gate-keeper-rate", "200"] });
  closers.push(() => system.stop());
  const { exitCode, page } = await stampede({ url: system.gate, buyers: "2000", rate: "5000", repeatShare: "0.3" });
  expect(page).toMatch(/throttled +\d/);
  expect(exitCode).toBe(0);
}, 60_000);

test("several units per buyer leave less than one purchase", async () => {
  const { gate, inventory } = await demoSystem();
  await postJson(`${inventory}/add`, { goodsSKU: "BY-THREE", goodsQuantity: 100, goodsPrice: 1 });
  const { exitCode, page } = await stampede({ url: gate, sku: "BY-THREE", quantity: "3", buyers: "1000" });
  expect(page).toContain("exactly the stock is sold: 99 of the 100 that were available, 1 left");
  expect(exitCode).toBe(0);
}, 60_000);

test("an invalid value is one line on stderr and exit code 2", async () => {
  const { exitCode, stderr } = await commandLine("--buyers", "many");
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toContain('--buyers: "many" is no whole number; give a whole number from 1 to 10000000');
  expect(exitCode).toBe(2);
});

test("a target that cannot be reached is one line on stderr and exit code 3", async () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const url = `http://127.0.0.1:${server.port}`;
  server.stop(true);
  const { exitCode, stderr } = await commandLine("--url", url);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toContain(`cannot reach the gate at ${url}`);
  expect(exitCode).toBe(3);
});
