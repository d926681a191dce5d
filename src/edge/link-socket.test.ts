/** Links over connections that stand, against a real port and over a wire that does what wires do: how each request ends, and what has arrived. */
import { afterEach, describe, expect, test } from "bun:test";
import Type from "typebox";
import { FlakyProxy } from "../../test/servers/flaky-proxy.ts";
import { waitFor } from "../../test/wait.ts";
import type { PostEnd } from "../core/link-post.ts";
import { LINK_ITEMS_MAX } from "../limits/links.ts";
import { readEnd } from "../links/link.ts";
import { linkMethod, linkRoute } from "../links/method.ts";
import { HttpServer } from "./http-server.ts";
import { linkPost } from "./link-post.ts";
import { type LinkSockets, linkSockets } from "./link-socket.ts";

const KEY = "an admin key of ours";
const DEADLINE_MS = 5_000;
/** For requests whose answer will not come. */
const SHORT_MS = 100;
const echo = linkMethod<string, string>({
  ...{ name: "echo", summary: "says it again.", item: Type.String(), wire: (text) => text },
  ...{ isRepeatable: false, deadlineMs: DEADLINE_MS },
});

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp();
});

/** A port with one link, which answers when it is told to. */
class Echo {
  readonly heard: string[] = [];
  /** Resolves to let answers go. */
  gate: Promise<void> = Promise.resolve();
  readonly server: HttpServer;

  constructor(port = 0) {
    const serve = async (items: readonly string[]): Promise<readonly string[]> => {
      this.heard.push(...items);
      await this.gate;
      return items;
    };
    this.server = new HttpServer({
      ...{ host: "127.0.0.1", port, adminKey: KEY, onReply: () => undefined, routes: [linkRoute(echo, serve)] },
      onBug: (error) => {
        throw error;
      },
    });
    cleanups.push(() => this.server.abort());
  }

  get url(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }

  /** Nobody is answered until the function that this gives is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gate = promise;
    return resolve;
  }
}

function socketsWith(key: string | null = KEY): LinkSockets {
  const sockets = linkSockets(key, linkPost(key));
  cleanups.push(() => sockets.close());
  return sockets;
}
async function proxyTo({ url }: Echo): Promise<FlakyProxy> {
  const proxy = await FlakyProxy.open(url);
  cleanups.push(() => proxy.stop());
  return proxy;
}
const say = ({ post }: LinkSockets, url: string, text: string, deadlineMs = DEADLINE_MS): Promise<PostEnd> =>
  post(`${url}/link/echo`, JSON.stringify({ items: [text] }), deadlineMs);
const answer = (text: string) => ({ kind: "answered", status: 200, text: JSON.stringify({ answers: [text] }) });

describe("a request over a link", () => {
  test("goes over one connection, with all others that are under way, and gets its own answer", async () => {
    const far = new Echo();
    const [proxy, sockets] = [await proxyTo(far), socketsWith()];
    const texts = Array.from({ length: 200 }, (_, index) => `${index}`);
    const ends = await Promise.all(texts.map((text) => say(sockets, proxy.url, text)));
    expect(ends).toEqual(texts.map(answer) as PostEnd[]);
    expect(proxy.taken).toBe(1);
  });

  test("may be as long as a full one with the longest ids is", async () => {
    const [far, sockets] = [new Echo(), socketsWith()];
    const items = Array.from({ length: LINK_ITEMS_MAX }, () => "€".repeat(2_000));
    const end = await sockets.post(`${far.url}/link/echo`, JSON.stringify({ items }), DEADLINE_MS);
    expect(readEnd(end, items.length, "echo")).toMatchObject({ end: "answered" });
  });

  test("to a port that nobody listens on was refused: nothing has happened", async () => {
    const far = new Echo();
    far.server.abort();
    expect(await say(socketsWith(), far.url, "x")).toEqual({ kind: "refused" });
  });

  test("without the admin key, or with another, is answered with 401, and nothing is heard", async () => {
    const far = new Echo();
    for (const key of [null, "wrong"]) expect(await say(socketsWith(key), far.url, "x")).toMatchObject({ kind: "answered", status: 401 });
    expect(far.heard).toEqual([]);
  });

  test("which is cut after it was heard may have happened, and is sent no second time", async () => {
    const far = new Echo();
    const [proxy, sockets, letGo] = [await proxyTo(far), socketsWith(), far.hold()];
    const end = say(sockets, proxy.url, "x");
    await waitFor(() => far.heard.length === 1, "it was heard");
    proxy.cut();
    expect(await end).toMatchObject({ kind: "silent" });
    letGo();
    expect(await say(sockets, proxy.url, "y")).toEqual(answer("y") as PostEnd);
    expect(far.heard).toEqual(["x", "y"]);
  });

  test("whose answer is lost may have happened, and is sent no second time", async () => {
    const far = new Echo();
    const [proxy, sockets] = [await proxyTo(far), socketsWith()];
    await say(sockets, proxy.url, "first");
    proxy.fault = "no answers";
    expect(await say(sockets, proxy.url, "x")).toMatchObject({ kind: "silent" });
    expect(far.heard).toEqual(["first", "x"]);
  });

  test("that arrives twice is heard once", async () => {
    const far = new Echo();
    const [proxy, sockets] = [await proxyTo(far), socketsWith()];
    proxy.fault = "twice";
    for (const text of ["x", "y", "z"]) expect(await say(sockets, proxy.url, text)).toEqual(answer(text) as PostEnd);
    expect(far.heard).toEqual(["x", "y", "z"]);
  });

  test("over a connection that leads nowhere ends at its deadline, and the next one goes over another connection", async () => {
    const far = new Echo();
    const [proxy, sockets] = [await proxyTo(far), socketsWith()];
    await say(sockets, proxy.url, "before");
    proxy.fault = "hole";
    expect(await say(sockets, proxy.url, "lost", SHORT_MS)).toMatchObject({ kind: "silent" });
    // Nor does one that is opened in the hole: nothing was sent over that.
    expect(await say(sockets, proxy.url, "unsent", SHORT_MS)).toEqual({ kind: "refused" });
    proxy.fault = "well";
    expect(await say(sockets, proxy.url, "after")).toEqual(answer("after") as PostEnd);
    expect(far.heard).toEqual(["before", "after"]);
  });

  test("that is late costs the others on its connection nothing", async () => {
    const far = new Echo();
    const [sockets, letGo] = [socketsWith(), far.hold()];
    const patient = say(sockets, far.url, "patient");
    expect(await say(sockets, far.url, "hasty", SHORT_MS)).toMatchObject({ kind: "silent" });
    letGo();
    expect(await patient).toEqual(answer("patient") as PostEnd);
  });

  test("reaches a service behind a base address with a path", async () => {
    const far = new Echo();
    const front = Bun.serve({
      ...{ hostname: "127.0.0.1", port: 0 },
      fetch: async (request) => {
        const { pathname } = new URL(request.url);
        const headers = { "content-type": "application/json", authorization: request.headers.get("authorization") ?? "" };
        return fetch(far.url + pathname.replace("/carts", ""), { method: request.method, headers, body: await request.text() });
      },
    });
    cleanups.push(() => front.stop(true));
    expect(await say(socketsWith(), `http://127.0.0.1:${front.port}/carts`, "x")).toMatchObject(answer("x"));
  });
});

describe("a process that stops", () => {
  test("answers what it has heard, and says of all else that it has not happened", async () => {
    const far = new Echo();
    const [sockets, letGo] = [socketsWith(), far.hold()];
    const heard = say(sockets, far.url, "heard");
    await waitFor(() => far.heard.length === 1, "it was heard");
    const closed = far.server.close();
    const tooLate = say(sockets, far.url, "too late");
    expect(readEnd(await tooLate, 1, "echo")).toMatchObject({ end: "gone", failure: { outcomeKnown: true } });
    letGo();
    expect(await heard).toEqual(answer("heard") as PostEnd);
    await closed;
    expect(await say(sockets, far.url, "after")).toEqual({ kind: "refused" });
  });

  test("leaves nobody without a word whose request is on its way when it closes", async () => {
    const far = new Echo();
    const proxy = await proxyTo(far);
    const askedAgain: string[] = [];
    const sockets = linkSockets(KEY, async (_, body) => {
      askedAgain.push(body);
      return { kind: "refused" };
    });
    cleanups.push(() => sockets.close());
    await say(sockets, proxy.url, "before");
    proxy.delayMs = 50;
    const ends = Array.from({ length: 20 }, (_, index) => say(sockets, proxy.url, `${index}`));
    await far.server.close();
    for (const end of await Promise.all(ends)) expect(end).toEqual({ kind: "refused" });
    expect(askedAgain).toHaveLength(20);
    expect(far.heard).toEqual(["before"]);
  });

  test("and is started again on its port is asked over a new connection", async () => {
    const far = new Echo();
    const sockets = socketsWith();
    await say(sockets, far.url, "before");
    const { port } = far.server;
    await far.server.close();
    const again = new Echo(port);
    expect(await say(sockets, again.url, "after")).toEqual(answer("after") as PostEnd);
    expect([far.heard, again.heard]).toEqual([["before"], ["after"]]);
  });
});

test("a path that only ends as a link's connection does is a path like any other", async () => {
  const far = new Echo();
  const headers = { authorization: `Bearer ${KEY}` };
  const statuses = ["/sku/link", "/x?y=/link", "/link"].map(async (path) => (await fetch(far.url + path, { headers })).json());
  const details = (await Promise.all(statuses)).map((told) => (told as { readonly status: number }).status);
  expect(details).toEqual([404, 404, 404]);
  // Without a key only the connection itself is refused for that; what is not there is not there for anybody.
  expect((await fetch(`${far.url}/sku/link`)).status).toBe(404);
  expect((await fetch(`${far.url}/link`)).status).toBe(401);
});

describe("whoever speaks another protocol on a link's connection", () => {
  const open = async (far: Echo): Promise<WebSocket> => {
    const socket = new WebSocket(`${far.url.replace("http", "ws")}/link`, {
      headers: { authorization: `Bearer ${KEY}` },
    } as unknown as string[]);
    cleanups.push(() => socket.close());
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    return socket;
  };
  test.each<[string, string | Uint8Array]>([
    ["nothing", ""],
    ["no id", "/link/echo\n{}"],
    ["no line break", "1 /link/echo"],
    ["another path", "1 /stock/add\n{}"],
    ["a path that climbs", "1 /link/../add\n{}"],
    ["bytes", new Uint8Array([1, 2, 3])],
  ])("(%s) is shown out", async (_, frame) => {
    const socket = await open(new Echo());
    const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
    socket.send(frame);
    expect((await closed).code).toBe(1008);
  });

  test.each<[string, string, number]>([
    ["an unknown link", "1 /link/none\n{}", 404],
    ["no JSON", "1 /link/echo\n{", 400],
    ["no items", "1 /link/echo\n{}", 400],
    ["too many items", `1 /link/echo\n${JSON.stringify({ items: Array(LINK_ITEMS_MAX + 1).fill("x") })}`, 400],
  ])("(%s) is told so", async (_, frame, status) => {
    const far = new Echo();
    const socket = await open(far);
    const told = new Promise<MessageEvent>((resolve) => socket.addEventListener("message", resolve));
    socket.send(frame);
    expect(String((await told).data)).toStartWith(`1 ${status}\n`);
    expect(far.heard).toEqual([]);
  });
});
