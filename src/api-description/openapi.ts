/**
 * The OpenAPI 3.1 document of one service, made of the same endpoints that check its requests: TypeBox's schemas are JSON Schema 2020-12, which
 * is what OpenAPI 3.1 speaks, so nothing is said twice.
 */
import type { TObject, TSchema } from "typebox";
import { assert } from "../core/assert.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { ReplySchema } from "../core/reply-schema.ts";
import { ProblemDocument, problemsOf } from "./problems.ts";

export interface ServiceDescription {
  readonly service: string;
  readonly description: string;
  /** The version of the software. */
  readonly version: string;
}

type Json = Readonly<Record<string, unknown>>;

export interface Operation extends Json {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, Response>>;
  readonly security?: readonly Readonly<Partial<Record<"adminKey" | "shopperToken", readonly string[]>>>[];
}
export interface Parameter extends Json {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: Json;
  readonly example?: unknown;
}
export interface MediaType extends Json {
  readonly schema: Json;
  readonly example?: unknown;
}
export interface Response extends Json {
  readonly description: string;
  readonly content?: Readonly<Record<string, MediaType>>;
}
export interface OpenApiDocument extends Json {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: { readonly Problem: Json }; readonly securitySchemes: Json };
}

const PROBLEM = { schema: { $ref: "#/components/schemas/Problem" } };
/** OpenAPI has no parameters of these names: contents and `security` say what they would. */
const SAID_ELSEWHERE: ReadonlySet<string> = new Set(["accept", "content-type", "authorization"]);
const PROBLEM_TYPE = "application/problem+json";

export function openApiDocument(about: ServiceDescription, endpoints: readonly Endpoint[]): OpenApiDocument {
  const nextOperationId = operationIds();
  const paths: Record<string, Record<string, Operation>> = {};
  for (const endpoint of endpoints) {
    const path = paths[endpoint.path] ?? {};
    const method = endpoint.method.toLowerCase();
    assert(!(method in path), "one endpoint per method and address");
    path[method] = operationOf(endpoint, nextOperationId(endpoint.name));
    paths[endpoint.path] = path;
  }
  return {
    openapi: "3.1.1",
    info: {
      title: `Doorbuster ${about.service}`,
      description: about.description,
      version: about.version,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    // Relative to the document itself, so that it is right behind every host name, and behind a proxy that gives it a prefix.
    servers: [{ url: "./" }],
    paths,
    components: {
      schemas: { Problem: { ...ProblemDocument } },
      securitySchemes: {
        adminKey: { type: "http", scheme: "bearer", description: "The admin key, when one is configured." },
        shopperToken: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "A shopper's token." },
      },
    },
  };
}

/** An operation that several addresses lead to has one name; a document wants another for each. */
function operationIds(): (name: string) => string {
  const counts = new Map<string, number>();
  return (name) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count === 1 ? name : `${name}_${count}`;
  };
}

function operationOf(endpoint: Endpoint, operationId: string): Operation {
  const { params, query, headers, body, example } = endpoint;
  return {
    operationId,
    summary: endpoint.summary,
    parameters: [
      ...parametersOf("path", params, example?.params),
      ...parametersOf("query", query, example?.query),
      ...(headers ? parametersOf("header", headers) : []).filter(({ name }) => !SAID_ELSEWHERE.has(name.toLowerCase())),
    ],
    ...(body && {
      requestBody: {
        required: true,
        content: { [endpoint.isBodyRaw ? "*/*" : "application/json"]: mediaType(body, example?.body), ...otherBodiesOf(endpoint) },
      },
    }),
    responses: responsesOf(endpoint),
    ...securityOf(endpoint),
  };
}

/** The schema speaks of JSON; the same in another form is shown by its example. */
const otherBodiesOf = ({ otherBodies = {} }: Endpoint): Readonly<Record<string, MediaType>> =>
  Object.fromEntries(Object.entries(otherBodies).map(([type, { example }]) => [type, { schema: { type: "string" }, example }]));

function securityOf(endpoint: Endpoint): Pick<Operation, "security"> {
  if (endpoint.needsAdminKey) return { security: [{ adminKey: [] }] };
  return endpoint.needsToken ? { security: [{ shopperToken: [] }] } : {};
}

function parametersOf(place: Parameter["in"], fields: TObject, examples: Json = {}): Parameter[] {
  const required = new Set((fields as { readonly required?: readonly string[] }).required);
  const { additionalProperties } = fields as { readonly additionalProperties?: unknown };
  const named = Object.entries(fields.properties).map(([name, schema]) => ({
    name,
    in: place,
    required: required.has(name),
    ...descriptionOf(schema),
    schema: schema as Json,
    ...(name in examples && { example: examples[name] }),
  }));
  if (typeof additionalProperties !== "object") return named;
  // OpenAPI says "any name" by an object whose properties are the parameters.
  const any = { name: "any", in: place, required: false, style: "form", explode: true } as const;
  return [...named, { ...any, schema: { type: "object", additionalProperties } }];
}

function descriptionOf(schema: TSchema): Json {
  const { description } = schema as { readonly description?: string };
  return description === undefined ? {} : { description };
}

const mediaType = (schema: TSchema, example: unknown): MediaType => ({ schema: schema as Json, ...(example !== undefined && { example }) });

function responsesOf(endpoint: Endpoint): Record<string, Response> {
  const responses: Record<string, Response> = {};
  for (const [status, reply] of Object.entries(endpoint.replies)) responses[status] = responseOf(reply);
  for (const [status, description] of Object.entries(problemsOf(endpoint))) {
    const documented = responses[status];
    responses[status] = {
      ...documented,
      description: documented ? `${documented.description} Or: ${description}` : description,
      content: { ...documented?.content, [PROBLEM_TYPE]: PROBLEM },
    };
  }
  return { ...responses, default: { description: "The request could not be answered.", content: { [PROBLEM_TYPE]: PROBLEM } } };
}

function responseOf({ description, schema, example, contentType = "application/json", otherForms = {}, headers }: ReplySchema): Response {
  const others = Object.entries(otherForms).map(([type, form]) => [type, mediaType(form, undefined)]);
  return {
    description,
    ...(headers && { headers: Object.fromEntries(Object.entries(headers).map(([name, says]) => [name, headerOf(says)])) }),
    ...(schema && { content: { [contentType]: mediaType(schema, example), ...Object.fromEntries(others) } }),
  };
}

const headerOf = (description: string): Json => ({ description, schema: { type: "string" } });
