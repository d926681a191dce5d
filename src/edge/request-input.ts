/** From the bytes of a request to what an endpoint declares: parsed, checked, and refused with a problem document that names the field. */
import Type, { type TObject, type TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import type { BodyForm, Endpoint, HttpReply } from "../core/endpoint.ts";
import { type FieldError, problem } from "../core/problem.ts";

/** The most wrong fields that one problem document names. */
const ERRORS_MAX = 20;

type OtherBodies = NonNullable<Endpoint["otherBodies"]>;
type Checked = { readonly value: unknown } | { readonly refusal: HttpReply };

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

export class InputChecker {
  readonly #endpoint: Endpoint;
  readonly #params: Validator;
  readonly #query: Validator;
  readonly #body: Validator;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    this.#params = Compile(endpoint.params);
    this.#query = Compile(endpoint.query);
    this.#body = Compile(endpoint.body ?? Type.Unknown());
  }

  /** @param raw percent-encoded segments by name */
  params(raw: Readonly<Record<string, string>>): Checked {
    return checkTexts(this.#endpoint.params, this.#params, Object.entries(raw), "#/path");
  }

  /** @param search without its question mark. What is not declared is not looked at. */
  query(search: string): Checked {
    return checkTexts(this.#endpoint.query, this.#query, pairsOf(search), "#/query");
  }

  /** @param form how to read it; `null` means as JSON */
  body(text: string, form: BodyForm | null = null): Checked {
    // Decoding puts U+FFFD where bytes were not UTF-8: two different ids would become one.
    if (text.includes("\ufffd")) return invalid([{ pointer: "#", detail: "the body is not UTF-8 (or has the character U+FFFD)" }]);
    const read = (form?.parse ?? parseJson)(text);
    if ("fault" in read) return invalid([{ pointer: "#", detail: read.fault }]);
    const { value } = read;
    return this.#body.Check(value)
      ? { value }
      : invalid(fieldErrors(this.#endpoint.body, this.#body.Errors(value) as readonly SchemaError[], "#"));
  }
}

function parseJson(text: string): { readonly value: unknown } | { readonly fault: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { fault: "the body is not JSON" };
  }
}

/** Path and query come as text, each value percent-encoded. */
function checkTexts(schema: TObject, validator: Validator, encoded: readonly (readonly [string, string])[], root: string): Checked {
  const values: Record<string, unknown> = {};
  const errors: FieldError[] = [];
  const takesAnyName = takesOtherNames(schema);
  for (const [name, text] of encoded) {
    if (!Object.hasOwn(schema.properties, name) && !(takesAnyName && name !== "")) continue;
    const decoded = percentDecode(text);
    if (decoded === null) errors.push({ pointer: `${root}/${name}`, detail: "is not percent-encoded UTF-8" });
    else values[name] = numberIfDeclared(schema.properties[name] ?? {}, decoded);
  }
  if (errors.length === 0 && validator.Check(values)) return { value: values };
  const others = fieldErrors(schema, validator.Errors(values) as readonly SchemaError[], root);
  return invalid([...errors, ...others.filter(({ pointer }) => !errors.some((error) => error.pointer === pointer))]);
}

/** Whether names count that the schema does not know: it says what they may carry. */
export const takesOtherNames = (schema: TObject): boolean =>
  typeof (schema as { readonly additionalProperties?: unknown }).additionalProperties === "object";

/** The names and values of a query, as forms write them. Not by `URLSearchParams`, which turns bytes that are no UTF-8 into U+FFFD: two different
 *  ids would become one. */
function pairsOf(search: string): [string, string][] {
  return search.split("&").map((pair) => {
    const text = pair.replaceAll("+", " ");
    const end = text.indexOf("=");
    return end < 0 ? [percentDecode(text) ?? "", ""] : [percentDecode(text.slice(0, end)) ?? "", text.slice(end + 1)];
  });
}

export function invalid(errors: readonly FieldError[]): HttpReply & { readonly refusal: HttpReply } {
  const first = errors[0];
  const refusal = problem(
    400,
    `${first?.pointer ?? "#"}: ${first?.detail ?? "invalid"}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ""}`,
    { errors },
  );
  return { ...refusal, refusal };
}

/** Whether the declared body may be read at all, from the headers alone; `null` means yes. */
export function refuseByHeaders(
  contentType: string | null,
  contentLength: string | null,
  bytesMax: number,
  otherBodies: OtherBodies = {},
): HttpReply | null {
  if (contentType === null || !(isJsonType(contentType) || otherFormOf(contentType, otherBodies))) {
    const others = Object.keys(otherBodies);
    const detail = `send the body as JSON, with the header Content-Type: application/json${others.map((type) => `, or as ${type}`).join("")}`;
    return problem(415, detail, { headers: { accept: ["application/json", ...others].join(", ") } });
  }
  return refuseByLength(contentLength, bytesMax);
}

/** `null`: the content type is JSON, or none that is understood. */
export function otherFormOf(contentType: string | null, otherBodies: OtherBodies): BodyForm | null {
  if (contentType === null) return null;
  const type = essenceOf(contentType);
  return Object.hasOwn(otherBodies, type) ? (otherBodies[type] ?? null) : null;
}

export const refuseByLength = (contentLength: string | null, bytesMax: number): HttpReply | null =>
  contentLength !== null && Number(contentLength) > bytesMax ? tooLarge(bytesMax) : null;

export const tooLarge = (bytesMax: number): HttpReply =>
  problem(413, `the body is longer than ${bytesMax} bytes`, { headers: { connection: "close" } });

function isJsonType(contentType: string): boolean {
  if (contentType === "application/json") return true;
  const type = essenceOf(contentType);
  return type === "application/json" || (type.startsWith("application/") && type.endsWith("+json"));
}

function essenceOf(contentType: string): string {
  const semicolon = contentType.indexOf(";");
  return (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
}

function percentDecode(text: string): string | null {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Path and query carry text; what is declared as an integer becomes one, and what is none is left for the schema to refuse. */
function numberIfDeclared(schema: TSchema, text: string): unknown {
  const { type } = schema as { readonly type?: string };
  return type === "integer" && /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

function fieldErrors(schema: TSchema | null, errors: readonly SchemaError[], root: string): FieldError[] {
  const found = new Map<string, string>();
  for (const error of errors) {
    if (error.keyword === "required") {
      const { requiredProperties = [] } = error.params as { requiredProperties?: string[] };
      for (const name of requiredProperties) found.set(`${root}${error.instancePath}/${name}`, "is missing");
      continue;
    }
    const pointer = `${root}${error.instancePath}`;
    if (!found.has(pointer)) found.set(pointer, detailOf(schema, error));
  }
  return [...found].slice(0, ERRORS_MAX).map(([pointer, detail]) => ({ pointer, detail }));
}

/** A pattern is for machines; a person reads the field's description. */
function detailOf(schema: TSchema | null, error: SchemaError): string {
  if (error.keyword === "const") return `must be ${JSON.stringify((error.params as { allowedValue?: unknown }).allowedValue)}`;
  if (error.keyword !== "pattern") return error.message;
  const description = schemaAt(schema, error.instancePath.split("/").slice(1))?.description;
  return description ? `must be ${description}` : error.message;
}

interface Described {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
  /** Of an array: every step into it leads to the same. */
  readonly items?: Described;
}

const schemaAt = (schema: TSchema | null, path: readonly string[]): Described | undefined =>
  path.reduce<Described | undefined>((at, name) => at?.items ?? at?.properties?.[name], (schema ?? undefined) as Described | undefined);
