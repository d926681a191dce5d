import { afterEach, expect, test } from "bun:test";
import { HttpLoadClient, type LoadExchange, runClosedLoop } from "./http-load-client.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const request = (path: string, body = ""): string =>
  `POST ${path} HTTP/1.1\r\nhost: test\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

function serve(answer: (path: string, body: string, port: number) => Response | Promise<Response>): { host: string; port: number } {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (asked, self) => answer(new URL(asked.url).pathname, await asked.text(), self.requestIP(asked)?.port ?? 0),
  });
  closers.push(() => void server.stop(true));
  return { host: "127.0.0.1", port: server.port as number };
}

async function open(target: { host: string; port: number }, connections: number, waitingMax = 1_000): Promise<HttpLoadClient> {
  const client = await HttpLoadClient.open(target, { connections, waitingMax, replySecondsMax: 30 });
  closers.push(() => client.close());
  return client;
}

test("replies reach the requests they belong to, over as many connections as were asked for", async () => {
  const ports = new Set<number>();
  const target = serve((path, body, port) => {
    ports.add(port);
    return new Response(path + body);
  });
  const client = await open(target, 20);
  const replies = await Promise.all(Array.from({ length: 500 }, (_, index) => client.ask(request(`/${index}`, "雪"))));
  expect(replies.map((reply) => reply.kind === "reply" && reply.body)).toEqual(Array.from({ length: 500 }, (_, index) => `/${index}雪`));
  expect(ports.size).toBe(20);
});

test("a body that does not fit into the socket at once arrives whole", async () => {
  const target = serve((_, body) => new Response(String(body.length)));
  const client = await open(target, 1);
  expect(await client.ask(request("/", "x".repeat(20_000_000)))).toMatchObject({ body: "20000000" });
});

test("what finds no free connection waits, and what finds no place to wait is not taken", async () => {
  const gate = Promise.withResolvers<void>();
  const target = serve(async () => {
    await gate.promise;
    return new Response("late");
  });
  const client = await open(target, 1, 1);
  const ends: LoadExchange["kind"][] = [];
  const done = Promise.withResolvers<void>();
  const onEnd = (exchange: LoadExchange): void => {
    ends.push(exchange.kind);
    if (ends.length === 2) done.resolve();
  };
  expect([client.send(request("/"), onEnd), client.send(request("/"), onEnd), client.send(request("/"), onEnd)]).toEqual([
    "sent",
    "waiting",
    "full",
  ]);
  gate.resolve();
  await done.promise;
  expect(ends).toEqual(["reply", "reply"]);
});

test("a buyer who hangs up has been heard, and the connection serves the next one", async () => {
  const heard = Promise.withResolvers<string>();
  const target = serve((path, body) => {
    if (path === "/cut") heard.resolve(body);
    return new Response("ok");
  });
  const client = await open(target, 1);
  const cut = new Promise<LoadExchange>((resolve) => client.sendAndCut(request("/cut", "wanted"), resolve));
  expect((await cut).kind).toBe("cut");
  expect(await heard.promise).toBe("wanted");
  expect(await client.ask(request("/next"))).toMatchObject({ kind: "reply", body: "ok" });
});

test("a connection that ends before the reply is a cut, and the next request has a new connection", async () => {
  let accepted = 0;
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: () => {
        accepted += 1;
      },
      data: (socket) => {
        if (accepted === 1) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      },
    },
  });
  closers.push(() => server.stop(true));
  const client = await open({ host: "127.0.0.1", port: server.port }, 1);
  expect((await client.ask(request("/"))).kind).toBe("cut");
  expect(await client.ask(request("/"))).toMatchObject({ kind: "reply", body: "ok" });
});

test("a target that is not there is told at once, and a target that went away as unreachable", async () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: (socket) => void socket.end() } });
  const target = { host: "127.0.0.1", port: server.port };
  const client = await open(target, 2);
  server.stop(true);
  const kinds = new Set<string>();
  for (let i = 0; i < 4; i += 1) kinds.add((await client.ask(request("/"))).kind);
  expect(kinds).toContain("unreachable");
  expect(HttpLoadClient.open(target, { connections: 3, waitingMax: 1, replySecondsMax: 1 })).rejects.toThrow();
});

test("a closed client ends everything that is under way or waits", async () => {
  const target = serve(() => new Promise<Response>(() => undefined));
  const client = await open(target, 1);
  const exchanges = [client.ask(request("/")), client.ask(request("/"))];
  client.close();
  expect((await Promise.all(exchanges)).map((exchange) => exchange.kind)).toEqual(["cut", "unreachable"]);
});

test("a closed loop sends every request exactly once", async () => {
  const paths = new Set<string>();
  const target = serve((path) => {
    paths.add(path);
    return new Response("ok", { status: path.endsWith("7") ? 404 : 200 });
  });
  const result = await runClosedLoop({ target, connections: 8, requests: 1_000, requestAt: (index) => request(`/${index}`) });
  expect(paths.size).toBe(1_000);
  expect(result.byStatus).toEqual(
    new Map([
      [200, 900],
      [404, 100],
    ]),
  );
});
