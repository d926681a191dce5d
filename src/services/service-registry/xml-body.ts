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
  // Characters by their numbers, which the library takes for a matter of HTML.
  htmlEntities: true,
} as const;

const MAPS = ["metadata", "dataCenterInfo", "leaseInfo"] as const;

export const readXml: BodyForm["parse"] = (text) => {
  if (/<!(?!\[CDATA\[|--)/.test(text)) return { fault: "the body has a document type; send it without one" };
  const lost = unknownReference(text);
  if (lost !== null) return { fault: `the body has ${lost}, which is no character of XML` };
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

/** The library leaves out what stands for no character, and then two ids would become one; `null` when everything stands for one. */
function unknownReference(text: string): string | null {
  // Within CDATA nothing is a reference.
  const [first = "", ...others] = text.split("<![CDATA[");
  const outside = first + others.map((part) => part.slice(part.indexOf("]]>") + 3)).join("");
  for (const [reference, name = ""] of outside.matchAll(/&([^;&<\s]{1,64});/g)) {
    if (!(name.startsWith("#") ? isCharacter(name) : XML_ENTITIES.has(name))) return reference;
  }
  return null;
}

const XML_ENTITIES: ReadonlySet<string> = new Set(["amp", "lt", "gt", "quot", "apos"]);

/** XML 1.0, 2.2. */
function isCharacter(name: string): boolean {
  const code = Number(/^#x/.test(name) ? `0${name.slice(1)}` : name.slice(1));
  const isControl = code < 0x20 && ![0x9, 0xa, 0xd].includes(code);
  return (
    Number.isInteger(code) && !isControl && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff
  );
}

/** An element without content is an empty text to a parser that does not know the protocol. */
function withEmptyMaps(value: unknown): unknown {
  const { instance } = (value ?? {}) as { readonly instance?: unknown };
  if (typeof instance !== "object" || instance === null || Array.isArray(instance)) return value;
  const empty = MAPS.filter((name) => (instance as Readonly<Record<string, unknown>>)[name] === "");
  return { instance: { ...instance, ...Object.fromEntries(empty.map((name) => [name, null])) } };
}
