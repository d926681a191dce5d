/** From an endpoint to its operation: what goes without saying is said, and everything an endpoint declares is there. */
import { describe, expect, test } from "bun:test";
import Type from "typebox";
import { type Endpoint, json, on, withTokens } from "../core/endpoint.ts";
import { reply, throttled } from "../core/reply-schema.ts";
import { clientTypes } from "./client-types.ts";
import { type OpenApiDocument, openApiDocument } from "./openapi.ts";
import { withDescription } from "./routes.ts";

const none = Type.Object({});
const Thing = Type.Object({ id: Type.String({ description: "which" }), size: Type.Optional(Type.Union([Type.Integer(), Type.Null()])) });
const read: Endpoint = {
  ...{ name: "getThing", method: "GET", path: "/things/{id}", body: null, needsAdminKey: false, summary: "One thing." },
  params: Type.Object({ id: Type.String({ description: "which" }) }),
  query: Type.Object({ limit: Type.Optional(Type.Integer()) }),
  replies: { 200: reply("The thing.", Thing, { id: "a" }), 409: throttled(Thing, { id: "b" }) },
  problems: { 404: "There is none.", 409: "The same is on its way." },
  example: { params: { id: "a" }, query: { limit: 5 } },
};
const change: Endpoint = {
  ...{ name: "putThing", method: "PUT", path: "/things/{id}", needsAdminKey: true, summary: "Changes it." },
  params: read.params,
  query: none,
  body: Thing,
  replies: { 200: reply("The thing.", Thing, { id: "a" }) },
  example: { params: { id: "a" }, body: { id: "a", size: 1 } },
};
const plain: Endpoint = { ...read, name: "list", path: "/things", params: none, query: none, problems: {} };

const about = { service: "Things", description: "Keeps things.", version: "1.2.3" };
const documentOf = (...endpoints: readonly Endpoint[]): OpenApiDocument => openApiDocument(about, endpoints);
const operationOf = (endpoint: Endpoint) => documentOf(endpoint).paths[endpoint.path]?.[endpoint.method.toLowerCase()];
const statusesOf = (endpoint: Endpoint): string[] => Object.keys(operationOf(endpoint)?.responses ?? {});

describe("an operation", () => {
  test("has its parameters with their examples", () => {
    expect(operationOf(read)?.parameters).toMatchObject([
      { name: "id", in: "path", required: true, description: "which", example: "a" },
      { name: "limit", in: "query", required: false, example: 5 },
    ]);
  });

  test("has its body with its example", () => {
    expect(operationOf(change)?.requestBody).toEqual({
      required: true,
      content: { "application/json": { schema: Thing as never, example: { id: "a", size: 1 } } },
    });
    expect(operationOf(read)?.requestBody).toBeUndefined();
  });

  test("names the problems that its form can lead to, and no other", () => {
    expect(statusesOf(plain)).toEqual(["200", "409", "default"]);
    expect(statusesOf(read)).toEqual(["200", "400", "404", "409", "default"]);
    expect(statusesOf(change)).toEqual(["200", "400", "401", "413", "415", "default"]);
    expect(statusesOf({ ...plain, isForShoppers: true })).toEqual(statusesOf(plain));
    expect(statusesOf(withTokens({ ...plain, isForShoppers: true }))).toEqual(["200", "401", "403", "409", "default"]);
  });

  test("says of a status both, when it stands for a documented form and for a problem", () => {
    const both = operationOf(read)?.responses["409"];
    expect(Object.keys(both?.content ?? {})).toEqual(["application/json", "application/problem+json"]);
    expect(both?.description).toEndWith("Or: The same is on its way.");
    expect(both).toMatchObject({ headers: { "Retry-After": { schema: { type: "string" } } } });
  });

  test("asks for the admin key, or for a shopper's token where there are tokens, or for nothing", () => {
    expect(operationOf(change)?.security).toEqual([{ adminKey: [] }]);
    expect(operationOf(withTokens({ ...plain, isForShoppers: true }))?.security).toEqual([{ shopperToken: [] }]);
    for (const open of [plain, withTokens(plain), { ...plain, isForShoppers: true }]) expect(operationOf(open)?.security).toBeUndefined();
  });

  test("has no parameter of a header that OpenAPI says elsewhere", () => {
    const headers = Type.Object({
      accept: Type.String(),
      Authorization: Type.String(),
      "Content-Type": Type.String(),
      "X-Y": Type.String(),
    });
    expect(operationOf({ ...plain, headers })?.parameters.map(({ name }) => name)).toEqual(["X-Y"]);
  });

  test("has a name of its own, also when another address leads to the same", () => {
    const { paths } = documentOf(plain, { ...plain, path: "/all" }, { ...plain, path: "/every" });
    expect(Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId))).toEqual([
      "list",
      "list_2",
      "list_3",
    ]);
  });
});

test.each([
  ["https://shop.example/openapi.json", "https://shop.example/"],
  ["https://shop.example/drop/gate/openapi.json", "https://shop.example/drop/gate/"],
])("what is read at %s speaks of the addresses under %s", (readAt, root) => {
  const { servers } = documentOf(plain) as unknown as { readonly servers: readonly { readonly url: string }[] };
  expect(servers.map(({ url }) => new URL(url, readAt).href)).toEqual([root]);
});

test("two endpoints at one address are a bug", () => {
  expect(() => documentOf(plain, { ...plain, name: "other" })).toThrow("one endpoint per method and address");
});

describe("the routes of a port", () => {
  test("are all in the document that is served with them, its own too", async () => {
    const routes = withDescription(about, [on(read, () => json({})), on(change, () => json({}))], async () => "");
    const served = routes.find(({ endpoint }) => endpoint.path === "/openapi.json");
    const input = { params: {}, query: {}, body: {}, headers: new Headers() } as never;
    const document = JSON.parse((await served?.handle(input))?.body as string) as OpenApiDocument;
    const missing = routes.filter(({ endpoint }) => !document.paths[endpoint.path]?.[endpoint.method.toLowerCase()]);
    expect({ missing, count: routes.length }).toEqual({ missing: [], count: 5 });
  });
});

describe("the client's types", () => {
  test("say what an operation takes and what each status answers", () => {
    const text = clientTypes(JSON.parse(JSON.stringify(documentOf(change))) as OpenApiDocument);
    expect(text).toContain("  /** Changes it. */\n  readonly putThing: {\n");
    expect(text).toContain('    readonly method: "PUT";\n    readonly path: "/things/{id}";\n');
    expect(text).toContain(
      "    readonly body: {\n      /** which */\n      readonly id: string;\n      readonly size?: number | null;\n    };\n",
    );
    expect(text).toContain("      readonly 401: Problem;\n");
  });

  test.each([
    [Type.Array(Type.Union([Type.String(), Type.Null()])), "readonly (string | null)[]"],
    [Type.Array(Type.Object({ a: Type.Literal(true) })), "readonly {\n        readonly a: true;\n      }[]"],
    [Type.Enum(["a", "b"]), '"a" | "b"'],
    [Type.Record(Type.String(), Type.Number()), "Readonly<Record<string, number>>"],
    [Type.Object({ "x-y": Type.Boolean() }), '{\n        readonly "x-y": boolean;\n      }'],
    [Type.Unknown(), "unknown"],
  ])("print %j", (schema, expected) => {
    const endpoint: Endpoint = { ...plain, replies: { 200: reply("It.", schema, null) } };
    expect(clientTypes(JSON.parse(JSON.stringify(documentOf(endpoint))) as OpenApiDocument)).toContain(`readonly 200: ${expected};\n`);
  });
});
