/** The client's types, printed from an OpenAPI document: one entry per operation, with what it takes and what it answers. */
import type { OpenApiDocument, Operation, Parameter, Response } from "./openapi.ts";

/** The part of JSON Schema that our endpoints use. */
interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

const BASIC: Readonly<Record<string, string>> = { string: "string", integer: "number", number: "number", boolean: "boolean", null: "null" };
const HEAD = "/** What the API takes and answers, made from its OpenAPI document by `npm run client`. Changes by hand are lost. */\n";

export function clientTypes(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationText(method.toUpperCase(), path, operation)),
  );
  const problem = `export interface Problem ${typeOf(document.components.schemas.Problem as Schema, "")}\n`;
  return `${HEAD}\nexport interface Operations {\n${operations.join("")}}\n\n${problem}`;
}

function operationText(method: string, path: string, operation: Operation): string {
  const { operationId, summary, requestBody, responses } = operation;
  const body = requestBody?.content["application/json"]?.schema as Schema | undefined;
  return [
    `  /** ${summary} */\n  readonly ${operationId}: {\n`,
    `    readonly method: ${JSON.stringify(method)};\n    readonly path: ${JSON.stringify(path)};\n`,
    `    readonly params: ${typeOf(parametersAt("path", operation), "    ")};\n`,
    `    readonly query: ${typeOf(parametersAt("query", operation), "    ")};\n`,
    `    readonly body: ${body ? typeOf(body, "    ") : "null"};\n`,
    `    readonly replies: {\n${Object.entries(responses).map(replyText).join("")}    };\n  };\n`,
  ].join("");
}

function parametersAt(place: Parameter["in"], { parameters }: Operation): Schema {
  const fields = parameters.filter((parameter) => parameter.in === place);
  return {
    type: "object",
    properties: Object.fromEntries(fields.map(({ name, schema }) => [name, schema as Schema])),
    required: fields.filter(({ required }) => required).map(({ name }) => name),
  };
}

function replyText([status, { description, content }]: [string, Response]): string {
  const types = Object.values(content ?? {}).map(({ schema }) => typeOf(schema as Schema, "      "));
  return `      /** ${description} */\n      readonly ${status}: ${types.length > 0 ? types.join(" | ") : "null"};\n`;
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map((one) => typeOf(one, indent)).join(" | ");
  if (schema.type === "array") return `readonly ${grouped(typeOf(schema.items ?? {}, indent))}[]`;
  if (schema.type === "object") return objectType(schema, indent);
  return BASIC[schema.type ?? ""] ?? "unknown";
}

/** Only a union that is not within braces needs parentheses before `[]`. */
const grouped = (type: string): string => (type.includes(" | ") && !type.startsWith("{") ? `(${type})` : type);

function objectType({ properties = {}, patternProperties, required = [] }: Schema, indent: string): string {
  if (patternProperties) return `Readonly<Record<string, ${typeOf(Object.values(patternProperties)[0] ?? {}, indent)}>>`;
  const names = Object.keys(properties);
  if (names.length === 0) return "Readonly<Record<string, never>>";
  const inner = `${indent}  `;
  const fields = names.map((name) => {
    const field = properties[name] as Schema;
    const comment = field.description === undefined ? "" : `${inner}/** ${field.description} */\n`;
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
    return `${comment}${inner}readonly ${key}${required.includes(name) ? "" : "?"}: ${typeOf(field, inner)};\n`;
  });
  return `{\n${fields.join("")}${indent}}`;
}
