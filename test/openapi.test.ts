/**
 * The API's description, held against the running system: nothing that is served is missing from it, and what it says by example is what the
 * system does.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import type { MediaType, OpenApiDocument, Operation } from "../src/api-description/openapi.ts";
import { ROUTES } from "./contract/routes.ts";
import { declaredEndpoints } from "./declared-endpoints.ts";
import { DROP_ARGS, signed } from "./drop.ts";
import { getJson, type JsonReply, postJson, type System, send, startSystem } from "./system.ts";

/** In this order the examples find what they speak of: goods first, then those who buy them. */
const SERVICES = ["inventory", "policy", "protector", "cart", "gate", "registry"] as const;
type Service = (typeof SERVICES)[number];

let system: System;
let documents: Readonly<Record<Service, OpenApiDocument>>;

beforeAll(async () => {
  system = await startSystem({ args: ["--demo"] });
  for (const goodsSKU of ["SKU0001", "SKU0002"]) {
    await postJson(`${system.inventory}/add`, { goodsSKU, goodsQuantity: 990_000, goodsPrice: 45.9 });
  }
  const replies = await Promise.all(SERVICES.map(async (service) => [service, (await getJson(`${system[service]}/openapi.json`)).body]));
  documents = Object.fromEntries(replies) as typeof documents;
});
afterAll(() => system.stop());

interface Documented {
  readonly service: Service;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}
const operationsOf = (service: Service): Documented[] =>
  Object.entries(documents[service].paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ service, method: method.toUpperCase(), path, operation })),
  );
const everyOperation = (): Documented[] => SERVICES.flatMap(operationsOf);
const addressOf = ({ method, path }: { readonly method: string; readonly path: string }): string => `${method} ${path}`;

describe("nothing that is served is missing", () => {
  test("every route of the contract stands in its service's document", () => {
    const missing = ROUTES.filter(({ service, method, path }) => !documents[service].paths[path]?.[method.toLowerCase()]);
    expect(missing.map(addressOf)).toEqual([]);
  });

  test("every endpoint that is declared anywhere stands in a document", async () => {
    const documented = new Set(everyOperation().map(addressOf));
    const missing = (await declaredEndpoints()).filter((endpoint) => !documented.has(addressOf(endpoint)));
    expect(missing.map(addressOf)).toEqual([]);
  });

  test.each(SERVICES)("%s describes what every port has", (service) => {
    const paths = Object.keys(documents[service].paths);
    expect(["/health", "/metrics", "/openapi.json", "/docs", "/docs/{file}"].filter((path) => !paths.includes(path))).toEqual([]);
  });

  test("every address of a document is served, with that method", async () => {
    const wrong: string[] = [];
    for (const { service, method, path } of everyOperation()) {
      const reply = await send(method, `${system[service]}${path.replaceAll(/\{\w+\}/g, "x")}`);
      const isUnknown = reply.status === 404 && reply.text.includes("nothing at this address");
      if (isUnknown || reply.status === 405) wrong.push(`${service} ${method} ${path}: ${reply.status}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe("the documents", () => {
  test.each(SERVICES)("of %s is valid OpenAPI 3.1", async (service) => {
    const { valid, errors } = await new Validator().validate(structuredClone(documents[service]));
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
    expect(documents[service].openapi).toStartWith("3.1.");
  });

  test.each(SERVICES)("of %s gives every operation a name of its own, a summary and an answer", (service) => {
    const operations = operationsOf(service).map(({ operation }) => operation);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    expect(operations.filter(({ summary, responses }) => !summary.endsWith(".") || !successOf({ responses }))).toEqual([]);
  });

  test("ask for the admin key exactly where the endpoints do", async () => {
    const asking = everyOperation().filter(({ operation }) => operation.security?.some((one) => "adminKey" in one));
    const declared = (await declaredEndpoints()).filter(({ needsAdminKey }) => needsAdminKey);
    expect(asking.map(addressOf).toSorted()).toEqual(declared.map(addressOf).toSorted());
    expect(asking.filter(({ operation }) => !operation.responses["401"])).toEqual([]);
  });
});

/** The documented success: its status and its content. */
function successOf({ responses }: Pick<Operation, "responses">): { status: number; type: string | null; media: MediaType | null } | null {
  const status = Object.keys(responses).find((known) => known.startsWith("2") || known === "303");
  if (status === undefined) return null;
  const [type, media] = Object.entries(responses[status]?.content ?? {})[0] ?? [null, null];
  return { status: Number(status), type, media };
}

/** What the value has that its schema does not speak of, as JSON pointers. */
function unspokenOf(schema: TSchema, value: unknown, at = ""): string[] {
  const { anyOf, properties, items } = schema as { anyOf?: TSchema[]; properties?: Record<string, TSchema>; items?: TSchema };
  if (anyOf) return unspokenOf(anyOf.find((one) => Compile(one).Check(value)) as TSchema, value, at);
  if (Array.isArray(value)) return items ? value.flatMap((item, index) => unspokenOf(items, item, `${at}/${index}`)) : [];
  if (!properties || typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) =>
    properties[name] ? unspokenOf(properties[name], field, `${at}/${name}`) : [`${at}/${name}`],
  );
}

const errorsOf = (schema: unknown, value: unknown): unknown[] => [...Compile(schema as TSchema).Errors(value)];

describe("the examples", () => {
  test("of everything declared fit their schemas, and speak of nothing else", async () => {
    const wrong: unknown[] = [];
    const check = (where: string, schema: TSchema, value: unknown): void => {
      const errors = errorsOf(schema, value);
      if (errors.length > 0) wrong.push({ where, errors });
      else wrong.push(...unspokenOf(schema, value).map((pointer) => ({ where, pointer })));
    };
    for (const endpoint of await declaredEndpoints()) {
      const { params, query, body, example, replies } = endpoint;
      const where = addressOf(endpoint);
      if (Object.keys(params.properties).length > 0 || example?.params) check(`${where} params`, params, example?.params);
      check(`${where} query`, query, example?.query ?? {});
      if (body) check(`${where} body`, body, example?.body);
      for (const [status, { schema, example: shown, contentType }] of Object.entries(replies)) {
        if (schema && contentType === undefined) check(`${where} ${status}`, schema, shown);
      }
    }
    expect(wrong).toEqual([]);
  });

  /** The example of an operation, by its name. */
  const exampleOf = (service: Service, name: string): Documented =>
    operationsOf(service).find(({ operation }) => operation.operationId === name) as Documented;

  /** Makes what an example speaks of and no example before it has made. Answers with what stands for the ids that only the system can give. */
  const prepare = async ({ service, path }: Documented): Promise<Readonly<Record<string, string>>> => {
    if (service === "registry") await replay(exampleOf("registry", "register"));
    if (path.startsWith("/sales/{id}")) await replay(exampleOf("policy", "addSale"));
    if (path === "/webhooks/{id}") return { id: idIn(await replay(exampleOf("cart", "addWebhook")), "id") };
    if (!path.startsWith("/orders")) return {};
    const hold = { sessionID: "sid", userID: "UID0000000001", goodsSKU: "SKU0001", goodsQuantity: 1 };
    await postJson(`${system.cart}/add`, hold);
    return path.includes("{id}") ? { id: idIn(await replay(exampleOf("cart", "placeOrder")), "orderID") } : {};
  };
  const idIn = ({ body }: JsonReply, name: string): string => (body as Readonly<Record<string, string>>)[name] ?? "";

  const replay = ({ service, method, path, operation }: Documented, ids: Readonly<Record<string, string>> = {}): Promise<JsonReply> => {
    let address = path;
    const query = new URLSearchParams();
    for (const { in: place, name, example } of operation.parameters) {
      if (place === "path") address = address.replace(`{${name}}`, encodeURIComponent(ids[name] ?? String(example)));
      else if (place === "query" && example !== undefined) query.set(name, String(example));
    }
    const body = operation.requestBody?.content["application/json"]?.example;
    // Where a reply has several forms, the first that is documented is asked for.
    const accept = successOf(operation)?.type ?? "*/*";
    return send(method, `${system[service]}${address}${query.size > 0 ? `?${query}` : ""}`, body, { accept });
  };

  /** Their examples need what nobody but a payment provider can make. */
  const NOT_REPLAYED: Readonly<Record<string, string>> = {
    notifyPayment: "the provider signs the body",
    showPayPage: "the shop signs the address",
    pay: "the shop signs the address",
    markRefundDone: "a refund is due only when money came that cannot be kept",
    tryRefundAgain: "a refund is due only when money came that cannot be kept",
  };
  const ORDER = ["POST", "PUT", "GET", "DELETE"];

  test.each(SERVICES)("of %s are what it does: each gets the documented status and form", async (service) => {
    const operations = operationsOf(service).filter(({ operation }) => !(operation.operationId in NOT_REPLAYED));
    for (const documented of operations.toSorted((a, b) => ORDER.indexOf(a.method) - ORDER.indexOf(b.method))) {
      const { status, type, media } = successOf(documented.operation) as NonNullable<ReturnType<typeof successOf>>;
      const reply = await replay(documented, await prepare(documented));
      const told = { operation: documented.operation.operationId, text: reply.text.slice(0, 500) };
      expect({ ...told, status: reply.status }).toEqual({ ...told, status });
      if (media === null) expect(reply.text).toBe("");
      else if (type === "application/json") {
        expect({ ...told, errors: errorsOf(media.schema, reply.body) }).toEqual({ ...told, errors: [] });
        expect({ ...told, unspoken: documented.path === "/openapi.json" ? [] : unspokenOf(media.schema, reply.body) }).toEqual({
          ...told,
          unspoken: [],
        });
      } else expect(reply.headers.get("content-type")).toBe(type);
    }
  });

  test("a refusal has the documented form too", async () => {
    const { operation } = operationsOf("gate").find(({ path }) => path === "/buy") as Documented;
    const { schema } = successOf(operation)?.media ?? { schema: {} };
    const buy = { clientIP: "192.0.2.9", userID: "UID0000000002", userLevel: 5, goodsSKU: "no such goods", goodsQuantity: 1 };
    const { body } = await postJson(`${system.gate}/buy`, buy);
    expect({ errors: errorsOf(schema, body), unspoken: unspokenOf(schema as TSchema, body) }).toEqual({ errors: [], unspoken: [] });
    expect(body).toMatchObject({ repResult: false, reason: "unknown-goods" });
  });

  test("a bad request is answered with the documented problem", async () => {
    const { body } = await postJson(`${system.inventory}/add`, { goodsSKU: "", goodsQuantity: -1 });
    const problem = documents.inventory.components.schemas.Problem as TSchema;
    expect({ errors: errorsOf(problem, body), unspoken: unspokenOf(problem, body) }).toEqual({ errors: [], unspoken: [] });
  });
});

describe("a gate that asks for tokens", () => {
  let drop: System;
  let document: OpenApiDocument;
  beforeAll(async () => {
    drop = await startSystem({ args: DROP_ARGS });
    document = (await getJson(`${drop.gate}/openapi.json`)).body as OpenApiDocument;
  });
  afterAll(() => drop.stop());

  const FOR_SHOPPERS = ["buy", "cancelOrder", "cart", "order", "orders", "placeOrder", "removeFromCart", "startPayment"];
  const secured = ({ paths }: OpenApiDocument) =>
    Object.values(paths)
      .flatMap((methods) => Object.values(methods))
      .filter(({ security, responses }) => security !== undefined || responses["401"] !== undefined)
      .map(({ operationId, security, responses }) => ({ operationId, security, has401: "401" in responses }))
      .toSorted((a, b) => a.operationId.localeCompare(b.operationId));

  test("says so of every shopper's operation and of no other; a gate that believes the request says nothing of tokens", () => {
    const needed = (operationId: string) => ({ operationId, security: [{ shopperToken: [] }], has401: true });
    expect(secured(document)).toEqual(FOR_SHOPPERS.map(needed));
    expect(secured(documents.gate)).toEqual([]);
  });

  test("takes the notification that it shows as an example, when it is signed", async () => {
    const { post } = document.paths["/payments/{provider}"] ?? {};
    const example = post?.requestBody?.content["*/*"]?.example as string;
    const reply = await postJson(`${drop.gate}/payments/generic`, example, signed(example, "msg-1"));
    expect({ status: reply.status, body: reply.body }).toEqual({ status: 200, body: { received: true } });
  });
});

describe("the page", () => {
  test("is the same on every port, and loads nothing from elsewhere and nothing inline", async () => {
    for (const service of SERVICES) {
      const { status, headers, text } = await getJson(`${system[service]}/docs`);
      expect({ status, type: headers.get("content-type") }).toEqual({ status: 200, type: "text/html; charset=utf-8" });
      expect(headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self';");
      expect(text).not.toMatch(/https?:|<script>|\son\w+=/);
      const files = [...text.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map((match) => match[1] as string);
      expect(files.length).toBe(3);
      for (const file of files) expect(await getJson(`${system[service]}/${file}`).then((reply) => reply.status)).toBe(200);
    }
  });

  test("has no file beside its own", async () => {
    for (const name of ["package.json", "swagger-ui.js", "..%2fpackage.json"]) {
      expect([400, 404]).toContain((await getJson(`${system.gate}/docs/${name}`)).status);
    }
  });
});
