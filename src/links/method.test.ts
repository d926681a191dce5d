/** The far end of a link: whom it answers, and what it makes of requests that none of ours would send. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import Type from "typebox";
import { RequestHandler } from "../edge/request-handler.ts";
import { LINK_BYTES_MAX } from "../limits/links.ts";
import { linkMethod, linkRoute, pathOf } from "./method.ts";

const count = linkMethod<{ readonly text: string }, number>({
  ...{ name: "count", summary: "counts characters.", item: Type.Object({ text: Type.String({ maxLength: 5 }) }) },
  ...{ wire: ({ text }) => ({ text }), isRepeatable: true, deadlineMs: 1_000, itemsMax: 3 },
});
const served: unknown[] = [];
const bugs: unknown[] = [];
const handlerWith = (adminKey: string | null): RequestHandler => {
  const serve = (items: readonly { readonly text: string }[]): number[] => {
    served.push(...items);
    return items.map(({ text }) => text.length);
  };
  return new RequestHandler(
    { routes: [linkRoute(count, serve)], adminKey, onBug: (error) => bugs.push(error), onReply: () => undefined },
    () => "",
  );
};
const KEY = "an admin key of ours";

async function ask(body: string, headers: Readonly<Record<string, string>> = {}, handler = handlerWith(KEY)): Promise<Response> {
  served.length = 0;
  const init = { "content-type": "application/json", authorization: `Bearer ${KEY}`, ...headers };
  return handler.answerByPath(new Request(`http://127.0.0.1${pathOf(count)}`, { method: "POST", headers: init, body }));
}

describe("the far end of a link", () => {
  test("answers each item, in their order", async () => {
    const reply = await ask('{"items":[{"text":"a"},{"text":"abc"},{"text":""}]}');
    expect([reply.status, await reply.json()]).toEqual([200, { answers: [1, 3, 0] }]);
  });

  test("asks for the admin key, and serves nobody without it", async () => {
    for (const authorization of ["", "Bearer", "Bearer wrong", `Basic ${KEY}`, `Bearer ${KEY} `.repeat(2)]) {
      expect((await ask('{"items":[{"text":"a"}]}', { authorization })).status).toBe(401);
      expect(served).toEqual([]);
    }
  });

  test("where there is no admin key answers this machine alone, and no page of another site", async () => {
    const open = handlerWith(null);
    const body = '{"items":[{"text":"a"}]}';
    expect((await ask(body, {}, open)).status).toBe(200);
    expect((await ask(body, { origin: "https://evil.example" }, open)).status).toBe(403);
    expect((await ask(body, { host: "evil.example" }, open)).status).toBe(403);
  });

  test.each([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["no items", "{}"],
    ["an empty list", '{"items":[]}'],
    ["too many items", `{"items":[${Array(4).fill('{"text":"a"}').join()}]}`],
    ["an item that is none", '{"items":[{"text":"a"},null]}'],
    ["an item that is too long", '{"items":[{"text":"a"},{"text":"abcdef"}]}'],
    ["a prototype", '{"items":[{"__proto__":{"text":"a"}}]}'],
  ])("refuses %s with 400 before anything of it is served", async (_, body) => {
    expect((await ask(body)).status).toBe(400);
    expect(served).toEqual([]);
  });

  test("refuses a body that is declared longer than its bound without reading it", async () => {
    expect((await ask("{}", { "content-length": String(LINK_BYTES_MAX + 1) })).status).toBe(413);
  });

  test("has an answer for whatever may come as JSON, and never a fault of ours", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.json(),
          fc.json().map((items) => `{"items":[${items}]}`),
        ),
        async (body) => {
          expect([200, 400]).toContain((await ask(body)).status);
          expect(bugs).toEqual([]);
        },
      ),
    );
  });
});
