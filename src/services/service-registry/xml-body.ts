/**
 * The protocol's XML as it comes in: an element becomes what the same field is in JSON, so that one schema checks both. A document that defines
 * something of its own (a DTD, and with it entities) is refused before it is read: nothing that the protocol says needs one.
 */
import { XMLParser, XMLValidator } from "fast-xml-parser";
import type { BodyForm } from "../../core/endpoint.ts";

/** Deeper than an instance ever is; the depth is where a parser can be made to work hard. */
const NESTED_TAGS_MAX = 10;

const OPTIONS = {
  // `<port enabled="true">80</port>` is `{"$": "80", "@enabled": "true"}` in the protocol's JSON.
  attributeNamePrefix: "@",
  textNodeName: "$",
  ignoreAttributes: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  // The schema decides what is a number: a host named 1e3 is none.
  parseTagValue: false,
  parseAttributeValue: false,
  maxNestedTags: NESTED_TAGS_MAX,
} as const;

const MAPS = ["metadata", "dataCenterInfo", "leaseInfo"] as const;

export const readXml: BodyForm["parse"] = (text) => {
  if (/<!(?!\[CDATA\[|--)/.test(text)) return { fault: "the body has a document type; send it without one" };
  try {
    const checked = XMLValidator.validate(text);
    if (checked !== true) return { fault: `the body is not XML (line ${checked.err.line})` };
    const value = new XMLParser(OPTIONS).parse(text) as unknown;
    return { value: withEmptyMaps(value) };
  } catch {
    // The library throws at names that mean something to JavaScript, and at too much depth.
    return { fault: "the body is not XML that can be read" };
  }
};

/** An element without content is an empty text to a parser that does not know the protocol. */
function withEmptyMaps(value: unknown): unknown {
  const { instance } = (value ?? {}) as { readonly instance?: unknown };
  if (typeof instance !== "object" || instance === null || Array.isArray(instance)) return value;
  const empty = MAPS.filter((name) => (instance as Readonly<Record<string, unknown>>)[name] === "");
  return { instance: { ...instance, ...Object.fromEntries(empty.map((name) => [name, null])) } };
}
