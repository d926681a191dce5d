/** The console's door and what is behind it, over HTTP and its WebSocket, as a browser has them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { SIGN_IN_BURST_PER_ADDRESS } from "../src/limits/console.ts";
import { getJson, type JsonReply, postJson, type System, send, startSystem } from "./system.ts";
import { waitFor } from "./wait.ts";

const ADMIN_KEY = "console-test-key-0123456789";
const OPERATOR = "王芳 Wang";
const OWN = { "x-doorbuster-console": "1" };
const withKey = { authorization: `Bearer ${ADMIN_KEY}` };

let system: System;
beforeAll(async () => {
  system = await startSystem({ env: { DOORBUSTER_ADMIN_KEY: ADMIN_KEY } });
  await postJson(`${system.inventory}/add`, { goodsSKU: "SKU0001", goodsQuantity: 10, goodsPrice: 9.5 }, withKey);
  session = await signIn();
});
afterAll(() => system.stop());

const attempt = (adminKey: string, headers: Record<string, string> = OWN): Promise<JsonReply> =>
  postJson(`${system.console}/session`, { adminKey, operator: OPERATOR }, headers);
const cookieFrom = (reply: JsonReply): string => (reply.headers.get("set-cookie") ?? "").split(";")[0] as string;
/** One session for all who need one: attempts to sign in are few. */
type SessionHeaders = { readonly cookie: string } & typeof OWN;
let session: SessionHeaders;
async function signIn(): Promise<SessionHeaders> {
  return { ...OWN, cookie: cookieFrom(await attempt(ADMIN_KEY)) };
}

describe("the page", () => {
  test("is for everybody, says nothing of the shop, and lets nothing in from elsewhere", async () => {
    const page = await getJson(`${system.console}/`);
    expect(page.status).toBe(200);
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    const files = [...page.text.matchAll(/(?:src|href)="(files\/[^"]+)"/g)].map((match) => match[1]);
    expect(files).toHaveLength(2);
    for (const file of files) {
      const reply = await getJson(`${system.console}/${file}`);
      expect([reply.status, reply.headers.get("cache-control")]).toEqual([200, expect.stringContaining("immutable")]);
      expect(reply.text).not.toContain(ADMIN_KEY);
    }
    // Addresses of other hosts are names in it (of SVG, for one), and never something to load.
    expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//);
  });
});

describe("signing in", () => {
  test("takes the admin key and a name, and gives a cookie that scripts and other sites do not get", async () => {
    const reply = await attempt(ADMIN_KEY);
    expect(reply.body).toMatchObject({ isKeyNeeded: true, operator: OPERATOR, expiresAt: expect.any(Number) });
    const cookie = reply.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^doorbuster-console-\d+=[\w-]{40,}; Path=\/; HttpOnly; SameSite=Strict$/);
    const behindHttps = await attempt(ADMIN_KEY, { ...OWN, "x-forwarded-proto": "https" });
    expect(behindHttps.headers.get("set-cookie")).toEndWith("; Secure");
    const look = await getJson(`${system.console}/session`, { cookie: cookieFrom(reply) });
    expect(look.body).toMatchObject({ operator: OPERATOR });
  });

  test("is refused to pages of other sites, whatever key they have", async () => {
    expect((await attempt(ADMIN_KEY, {})).status).toBe(403);
    expect((await attempt(ADMIN_KEY, { ...OWN, "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await attempt(ADMIN_KEY, { ...OWN, origin: "https://evil.example" })).status).toBe(403);
  });

  test("ends by signing out: the same cookie is nobody's then", async () => {
    const own = await signIn();
    expect((await send("DELETE", `${system.console}/session`, undefined, own)).status).toBe(204);
    expect((await getJson(`${system.console}/api/inventory-manager/all`, own)).status).toBe(401);
    expect((await getJson(`${system.console}/session`, own)).body).toMatchObject({ operator: null });
  });
});

describe("what operators can ask", () => {
  test("is refused to whoever is not signed in, also with the key itself or a made-up cookie", async () => {
    const path = `${system.console}/api/inventory-manager/all`;
    const name = session.cookie.split("=")[0];
    for (const headers of [{}, withKey, { cookie: `${name}=${"x".repeat(43)}` }]) expect((await getJson(path, headers)).status).toBe(401);
  });

  test("is what the services answer, refusals in their own words too", async () => {
    const goods = await getJson(`${system.console}/api/inventory-manager/sku/SKU0001`, session);
    expect(goods.body).toMatchObject({ goodsSKU: "SKU0001", goodsQuantity: 10 });
    const unknown = await getJson(`${system.console}/api/inventory-manager/sku/none`, session);
    const itself = await getJson(`${system.inventory}/sku/none`);
    expect([unknown.status, unknown.body]).toEqual([404, itself.body]);
    expect(unknown.headers.get("content-type")).toContain("application/problem+json");
  });

  test("changes something only for the console's own page, and stands in the trail with the operator's name", async () => {
    const { cookie } = session;
    const change = { goodsSKU: "SKU/ä 2", goodsQuantity: 5, goodsPrice: 1 };
    const path = `${system.console}/api/inventory-manager/add`;
    expect((await postJson(path, change, { cookie })).status).toBe(403);
    expect((await postJson(path, change, { cookie, ...OWN, "sec-fetch-site": "same-site" })).status).toBe(403);
    expect((await postJson(path, change, { cookie, ...OWN })).status).toBe(200);
    const one = await getJson(`${system.console}/api/inventory-manager/sku/${encodeURIComponent(change.goodsSKU)}`, { cookie });
    expect(one.body).toMatchObject(change);
    const trail = await getJson(`${system.console}/api/policy-controller/trail?operation=addGoods&limit=1`, { cookie });
    expect(trail.body).toMatchObject({ changes: [{ operator: OPERATOR, asked: change, status: 200 }] });
  });

  test("is a fixed list: links, webhooks and services of other names are not in it", async () => {
    for (const path of ["shopping-cart/webhooks", "safe-protector/link/validate", "inventory-manager/../link", "evil/all", "metrics"])
      expect((await getJson(`${system.console}/api/${path}`, session)).status).toBe(404);
    expect((await send("DELETE", `${system.console}/api/inventory-manager/all`, undefined, session)).status).toBe(405);
    const long = { goodsSKU: "x".repeat(20_000), goodsQuantity: 1, goodsPrice: 1 };
    expect((await postJson(`${system.console}/api/inventory-manager/add`, long, session)).status).toBe(413);
  });

  test("is a report too, as JSON and as CSV", async () => {
    const path = `${system.console}/api/report?from=0&until=${Date.now() + 1_000}`;
    expect((await getJson(path)).status).toBe(401);
    expect((await getJson(path, session)).body).toMatchObject({ from: 0, refunds: [] });
    const csv = await getJson(`${path}&format=csv`, session);
    expect(csv.headers.get("content-type")).toContain("text/csv");
    expect(csv.text).toStartWith("part,row,figure,value\r\n");
  });
});

interface Heard {
  readonly at?: number;
  readonly history?: unknown;
  readonly stock?: { readonly goods: readonly { readonly goodsSKU: string; readonly available: number }[] } | null;
  readonly services?: readonly { readonly service: string; readonly isUp: boolean | null; readonly leaseAgeMs: number | null }[];
  readonly invariant?: { readonly state: string } | null;
}

describe("the live figures", () => {
  const openFeed = (headers: Record<string, string>) => {
    const heard: Heard[] = [];
    let closed: number | null = null;
    // Bun's client takes headers; its types are those of browsers.
    const socket = new WebSocket(`${system.console.replace("http", "ws")}/live`, { headers } as never);
    socket.onmessage = ({ data }) => void heard.push(JSON.parse(String(data)) as Heard);
    socket.onclose = ({ code }) => {
      closed = code;
    };
    return { heard, socket, closed: () => closed };
  };

  test("are refused to whoever is not signed in, and to pages of other sites", async () => {
    const { cookie } = session;
    for (const headers of [{}, { cookie, origin: "https://evil.example" }, { cookie, "sec-fetch-site": "cross-site" }]) {
      const { heard, closed } = openFeed(headers as Record<string, string>);
      await waitFor(() => closed() !== null, "it was refused");
      expect(heard).toEqual([]);
    }
  });

  test("come every second, with the stock, the services and their leases, and the invariants recomputed", async () => {
    const { cookie } = session;
    const { heard, socket } = openFeed({ cookie });
    const last = (): Heard | undefined => heard.findLast(({ at }) => at !== undefined);
    const hasStock = (): boolean =>
      last()?.stock?.goods.some(({ goodsSKU, available }) => goodsSKU === "SKU0001" && available === 10) ?? false;
    await waitFor(() => last()?.invariant?.state === "holding" && hasStock(), "the stock was seen, and the invariants recomputed");
    expect(heard.some(({ history }) => history !== undefined)).toBe(true);
    const services = last()?.services ?? [];
    for (const service of ["gate-keeper", "safe-protector", "policy-controller", "inventory-manager", "shopping-cart"])
      expect(services.find((one) => one.service === service)).toMatchObject({ isUp: true, leaseAgeMs: expect.any(Number) });
    const times = heard.flatMap(({ at }) => at ?? []);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    socket.close();
  });

  test("end with the session: its pages hear that it is over", async () => {
    const own = await signIn();
    const { heard, closed } = openFeed({ cookie: own.cookie });
    await waitFor(() => heard.length > 0, "it looks on");
    await send("DELETE", `${system.console}/session`, undefined, own);
    await waitFor(() => closed() !== null, "it was closed");
    expect(closed()).toBe(4_401);
  });
});

describe("whoever tries keys", () => {
  test("is told to wait, with the right one too; sessions that there are go on", async () => {
    const replies: JsonReply[] = [];
    for (let n = 0; n <= SIGN_IN_BURST_PER_ADDRESS; n += 1) replies.push(await attempt(`wrong-key-0123456789-${n}`));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([401, 429]));
    const refused = await attempt(ADMIN_KEY);
    expect([refused.status, Number(refused.headers.get("retry-after")) > 0]).toEqual([429, true]);
    expect((await getJson(`${system.console}/api/inventory-manager/all`, session)).status).toBe(200);
  });
});

describe("without an admin key", () => {
  let open: System;
  beforeAll(async () => {
    open = await startSystem();
  });
  afterAll(() => open.stop());

  test("whoever is on this machine is let in, and no name that points here", async () => {
    expect((await getJson(`${open.console}/session`)).body).toEqual({ isKeyNeeded: false, operator: null, expiresAt: null });
    expect((await getJson(`${open.console}/api/inventory-manager/all`)).status).toBe(200);
    const rebound = { host: "evil.example" };
    for (const path of ["/", "/session", "/api/inventory-manager/all"])
      expect((await getJson(`${open.console}${path}`, rebound)).status).toBe(403);
    const goods = { goodsSKU: "A", goodsQuantity: 1, goodsPrice: 1 };
    expect((await postJson(`${open.console}/api/inventory-manager/add`, goods, OWN)).status).toBe(200);
    expect((await postJson(`${open.console}/api/inventory-manager/add`, goods, { ...OWN, "sec-fetch-site": "cross-site" })).status).toBe(
      403,
    );
    expect((await postJson(`${open.console}/api/inventory-manager/add`, goods)).status).toBe(403);
  });

  test("the console can be left out", async () => {
    const without = await startSystem({ args: ["--console", "off"] });
    try {
      await expect(getJson(`${without.console}/`)).rejects.toThrow();
    } finally {
      await without.stop();
    }
  });
});
