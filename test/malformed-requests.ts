/**
 * Requests that must be refused, made for every route of the contract: each breaks at least one rule, whatever the numbers of the
 * generator, and none of them can be read as a request that changes something.
 */
import fc from "fast-check";
import { type Kind, kindOfParam, methodsAt, paramsOf, ROUTES, type RouteRow, SAMPLES, sampleOf } from "./contract/routes.ts";

export interface BadRequest {
  /** What is wrong with it, for whoever reads a failure. */
  readonly fault: string;
  readonly service: RouteRow["service"];
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly isChunked?: true;
  /** The answers that the contract allows. */
  readonly statuses: readonly number[];
  /** The fields that `errors` must name, when the fault is one of fields. */
  readonly pointers?: readonly string[];
}

const JSON_TYPE = { "content-type": "application/json" };
const BODY_BYTES_MAX = 16 * 1024;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const routesWithBody = ROUTES.filter((route) => route.body !== undefined);
/** Those whose body must say something. */
const routesWithFields = routesWithBody.filter(({ body }) => Object.keys(body ?? {}).length > 0);
const routesWithParams = ROUTES.filter((route) => paramsOf(route).length > 0);
const pagedRoutes = ROUTES.filter((route) => route.isPaged);

// --- Wrong values, as JSON text ----------------------------------------------------------------------------------------------

const nested = (depth: number): string => `${'{"a":['.repeat(depth)}0${"]}".repeat(depth)}`;
const wrongForAll = fc.constantFrom("null", "[]", "{}", '[["x"]]', nested(40), '{"toString":1}', '{"length":5}');
const numberTooFar = fc.constantFrom(
  "true",
  "1e400",
  "-1e400",
  "1e308",
  "9".repeat(60),
  "-1",
  "-0.5",
  "0.5",
  "1.0000001",
  "9007199254740993",
  '"1"',
  '""',
  '"NaN"',
);
const controlCharacter = fc.integer({ min: 0, max: 0x40 }).map((code) => (code < 0x20 ? code : code + 0x5f));
const wrongTextOver = (lengthMax: number) =>
  fc.oneof(
    fc.constantFrom('""', "5", "false", "1e400", '"\\ud800"', '"\\udfff x"', '"\\udc00\\ud800"'),
    fc.integer({ min: lengthMax + 1, max: 4_000 }).map((length) => JSON.stringify("x".repeat(length))),
    fc
      .tuple(fc.string({ maxLength: 20 }), controlCharacter, fc.string({ maxLength: 20 }))
      .map(([before, code, after]) => JSON.stringify(before + String.fromCharCode(code) + after)),
  );
const wrongText = wrongTextOver(128);
const wrongAddress = fc.oneof(
  fc.constantFrom(
    '"1.2.3"',
    '"1.2.3.256"',
    '"01.2.3.4"',
    '"1.2.3.4.5"',
    '"::1::"',
    '"fe80::1%eth0"',
    '"1.2.3.4:80"',
    '" 1.2.3.4"',
    '"1.2.3.4/33"',
    '"::/129"',
    '"0x7f.1"',
    '"１.2.3.4"',
  ),
  wrongText,
  fc.stringMatching(/^[g-z]{1,30}$/).map((word) => JSON.stringify(word)),
);
const wrongTime = fc.constantFrom(
  '"2036-11-22"',
  '"2036-11-22T10:00:00"',
  '"2036-02-30T10:00:00Z"',
  '"2036-11-22T25:00:00Z"',
  '"12036-11-22T10:00:00Z"',
  '"now"',
  '""',
  "2110186800000",
);
const wrongFor: Readonly<Record<Kind, fc.Arbitrary<string>>> = {
  id: wrongText,
  address: wrongAddress,
  range: wrongAddress,
  level: fc.oneof(numberTooFar, fc.constant("1000001")),
  quantity: fc.oneof(numberTooFar, fc.constantFrom("0", "-0", "1000001")),
  stock: fc.oneof(numberTooFar, fc.constant("1000000001")),
  limit: fc.oneof(numberTooFar, fc.constantFrom("0", "1000000001")),
  flag: fc.constantFrom('"true"', "1", "0", '""'),
  price: fc.constantFrom("true", "1e400", "-1e400", "1e308", "-1", "0.001", "99.999", "1e-7", '"1"', '""', "5e-324"),
  title: wrongTextOver(200),
  time: wrongTime,
  laterTime: wrongTime,
  url: fc.constantFrom(
    '"ftp://example.com/"',
    '"//example.com/"',
    '"javascript:0"',
    '"http://u:p@example.com/"',
    '"http://x/#y"',
    '""',
    "5",
  ),
  count: numberTooFar,
  webhook: wrongText,
  provider: wrongText,
  scope: fc.constantFrom('"range"', '"user"', '"Address"', '""', "1"),
};

// --- Bodies ------------------------------------------------------------------------------------------------------------------

const jsonOf = (fields: readonly (readonly [string, string])[]): string =>
  `{${fields.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
/** Fields of which the contract does not say that they must be there. */
const MAY_BE_MISSING: readonly string[] = ["sessionID", "quantityLimit"];
const goodFields = (route: RouteRow): [string, string][] =>
  Object.entries(sampleOf(route).body ?? {}).map(([name, value]) => [name, JSON.stringify(value)]);

function withBody(route: RouteRow, fault: string, body: Uint8Array, rest: Partial<BadRequest> & Pick<BadRequest, "statuses">): BadRequest {
  return { fault, service: route.service, method: route.method, path: sampleOf(route).path, headers: JSON_TYPE, body, ...rest };
}

/** One field or more with a wrong value, or left out; sometimes a good value stands before it under the same name. */
const wrongFields = fc.constantFrom(...routesWithFields).chain((route) => {
  const fields = Object.entries(route.body as Record<string, Kind>);
  const wrongField = ([name, kind]: [string, Kind]) => {
    const leftOut = MAY_BE_MISSING.includes(name) ? [] : [fc.constant(null)];
    return fc.oneof(...leftOut, fc.oneof(wrongForAll, wrongFor[kind])).map((text) => ({ name, text }));
  };
  const faults = fc.subarray(fields, { minLength: 1 }).chain((chosen) => fc.tuple(...chosen.map(wrongField)));
  return fc.tuple(faults, fc.boolean()).map(([wrong, isDoubled]) => {
    const textOf = new Map(wrong.map(({ name, text }) => [name, text]));
    const kept = goodFields(route).filter(([name]) => !textOf.has(name) || (isDoubled && textOf.get(name) !== null));
    const added = wrong.flatMap(({ name, text }): [string, string][] => (text === null ? [] : [[name, text]]));
    const body = jsonOf([...kept, ...added]);
    return withBody(route, `wrong fields ${wrong.map(({ name }) => name)}`, utf8(body), {
      statuses: [400],
      pointers: wrong.map(({ name }) => `#/${name}`),
    });
  });
});

/** The good fields stand where only a careless merge would find them. */
const hiddenFields = fc.constantFrom(...routesWithFields).chain((route) => {
  const good = jsonOf(goodFields(route));
  return fc
    .constantFrom(`{"__proto__":${good}}`, `{"constructor":{"prototype":${good}}}`, `{"":${good}}`, `{"body":${good}}`, "{}")
    .map((text) => withBody(route, "hidden fields", utf8(text), { statuses: [400] }));
});

/** What no reader takes for an object: cut short, garbage, deep, or another JSON value. */
const brokenJson = fc.constantFrom(...routesWithFields).chain((route) => {
  const good = jsonOf(goodFields(route));
  const broken = fc.oneof(
    fc.integer({ min: 0, max: good.length - 1 }).map((length) => utf8(good.slice(0, length))),
    fc
      .constantFrom(
        `${good}}`,
        `${good},`,
        `${good}x`,
        `${good}${good}`,
        good.replace("{", "{,"),
        good.replaceAll('"', "'"),
        good.replace(":", "="),
        `{${good}}`,
      )
      .map(utf8),
    fc
      .constantFrom(
        "[".repeat(8_000),
        nested(1_500).slice(0, -1),
        '{"a":'.repeat(3_000),
        "NaN",
        "undefined",
        "\u0000",
        "//",
        "0x10",
        "[1,]",
      )
      .map(utf8),
    fc.tuple(fc.nat({ max: good.length - 1 }), fc.constantFrom(0xff, 0xc0, 0x80, 0xed)).map(([at, byte]) => utf8(good).with(at, byte)),
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Uint8Array.of(0xfe, ...bytes)),
  );
  const otherValue = fc
    .constantFrom("null", "true", "5", '"x"', "[]", `[${good}]`, JSON.stringify(good), "[".repeat(4_000) + "]".repeat(4_000))
    .map(utf8);
  return fc.oneof(
    broken.map((body) => withBody(route, "broken JSON", body, { statuses: [400], pointers: ["#"] })),
    otherValue.map((body) => withBody(route, "no JSON object", body, { statuses: [400] })),
  );
});

const wrongContentType = fc.constantFrom(...routesWithBody).chain((route) => {
  const types = fc.constantFrom(
    "text/plain",
    "text/json-ish",
    "application/xml",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "application/x-www-form-urlencoded",
    "json",
    "*/*",
    null,
  );
  return types.map((type) =>
    withBody(route, `content type ${type}`, utf8(jsonOf(goodFields(route))), {
      statuses: [415],
      headers: type === null ? {} : { "content-type": type },
    }),
  );
});

/** Good but for its length, so that only the bound keeps it out. */
const tooLong = fc.constantFrom(...routesWithBody).chain((route) =>
  fc.tuple(fc.integer({ min: 1, max: 60_000 }), fc.boolean()).map(([excess, isChunked]) => {
    const body = utf8(jsonOf(goodFields(route)).padEnd(BODY_BYTES_MAX + excess, " "));
    return withBody(route, isChunked ? "too long, chunked" : "too long", body, {
      statuses: [413],
      ...(isChunked && { isChunked: true as const }),
    });
  }),
);

const wrongKey = fc.constantFrom("a b", "x".repeat(256), "x".repeat(5_000), "clé", '""', "\t\u00ff").map((key) => {
  const route = ROUTES[0] as RouteRow;
  return withBody(route, "idempotency key", utf8(jsonOf(goodFields(route))), {
    statuses: [400],
    headers: { ...JSON_TYPE, "idempotency-key": key },
    pointers: ["#/header/Idempotency-Key"],
  });
});

// --- Paths, queries and methods ----------------------------------------------------------------------------------------------

const wrongNumberInPath = ["-1", "1.5", "x", "1e9", "0x10", "1000001", "9".repeat(40), "%20", "%EF%BC%91", "NaN", "true", "null"];
const wrongSegment: Readonly<Record<string, fc.Arbitrary<string>>> = {
  id: fc.oneof(
    fc.constantFrom(
      "%00",
      "%0a",
      "%7f",
      "%C2%80",
      "%zz",
      "%",
      "%F",
      "%E5%95",
      "%FF",
      "%C0%AF",
      "%ED%A0%80",
      "%F5%80%80%80",
      "a%0d%0aSet-Cookie:x=1",
    ),
    fc.integer({ min: 129, max: 2_000 }).map((length) => "x".repeat(length)),
    controlCharacter.map((code) => `x${encodeURIComponent(String.fromCharCode(code))}`),
  ),
  address: fc.constantFrom(
    "1.2.3",
    "1.2.3.256",
    "01.2.3.4",
    "x",
    "::1::",
    "%3A%3A%3A",
    "fe80::1%25eth0",
    "%00",
    "%zz",
    "1.2.3.4%20",
    "1.2.3.4%2F33",
    "0x7f.1",
    "...",
  ),
  level: fc.constantFrom(...wrongNumberInPath),
  quantity: fc.constantFrom(...wrongNumberInPath, "0"),
  count: fc.constantFrom(...wrongNumberInPath.filter((text) => text !== "1000001")),
  webhook: fc.constantFrom("x", "wh_", "wh_0123456789ABCDEF", "wh_0123456789abcdef0", "wh_0123456789abcde%00", "%zz"),
  provider: fc.constantFrom("Sample", "sample2", "sam-ple", "%00", "%20", "%zz", "x".repeat(33)),
  scope: fc.constantFrom("range", "user", "Address", "%00", "%zz"),
};

const wrongPath = fc.constantFrom(...routesWithParams).chain((route) =>
  fc.subarray(paramsOf(route), { minLength: 1 }).chain((names) =>
    fc.tuple(...names.map((name) => wrongSegment[kindOfParam(route, name)] as fc.Arbitrary<string>)).map((segments): BadRequest => {
      const wrong = new Map(names.map((name, index) => [name, segments[index] as string]));
      const path = route.path.replace(
        /\{(\w+)\}/g,
        (_, name: string) => wrong.get(name) ?? encodeURIComponent(SAMPLES[kindOfParam(route, name)]),
      );
      return {
        fault: `path variables ${names}`,
        service: route.service,
        method: route.method,
        path,
        ...(route.body ? { headers: JSON_TYPE, body: utf8(jsonOf(goodFields(route))) } : { headers: {} }),
        statuses: [400],
        pointers: names.map((name) => `#/path/${name}`),
      };
    }),
  ),
);

const wrongQuery = fc.constantFrom(...pagedRoutes).chain((route) =>
  fc.constantFrom("0", "-1", "10001", "1.5", "x", "", "1e400", "9".repeat(40), "%00", "NaN", "%EF%BC%91", "[]").map((limit): BadRequest => {
    const { path } = sampleOf(route);
    return {
      fault: "limit",
      service: route.service,
      method: route.method,
      path: `${path}${path.includes("?") ? "&" : "?"}limit=${limit}`,
      headers: {},
      statuses: [400],
      pointers: ["#/query/limit"],
    };
  }),
);

/** A good request but for its method. A body goes along, because a careless router would take it. */
const wrongMethod = fc.constantFrom(...ROUTES).chain((route) => {
  const methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"].filter((method) => !methodsAt(route).includes(method));
  return fc.constantFrom(...methods).map((method): BadRequest => {
    const request = { fault: "method", service: route.service, method, path: sampleOf(route).path, headers: JSON_TYPE, statuses: [405] };
    return method === "GET" || method === "OPTIONS" ? request : { ...request, body: utf8(jsonOf(goodFields(route))) };
  });
});

const unknownPath = fc
  .tuple(fc.constantFrom(...ROUTES), fc.constantFrom("x", "/", "/x", "%2Fx", ";a=b", "%00", "%zz", "//"))
  .map(([route, more]): BadRequest => {
    const path = `/nowhere${sampleOf(route).path}${more}`;
    return {
      fault: "unknown path",
      service: route.service,
      method: route.method,
      path,
      headers: JSON_TYPE,
      ...(route.body && { body: utf8(jsonOf(goodFields(route))) }),
      statuses: [400, 404],
    };
  });

/** Every kind of bad request; the kinds with more ways to be wrong come more often. */
export const badRequest: fc.Arbitrary<BadRequest> = fc.oneof(
  { weight: 12, arbitrary: wrongFields },
  { weight: 8, arbitrary: wrongPath },
  { weight: 6, arbitrary: brokenJson },
  { weight: 3, arbitrary: wrongMethod },
  { weight: 2, arbitrary: hiddenFields },
  { weight: 2, arbitrary: wrongContentType },
  { weight: 2, arbitrary: wrongQuery },
  { weight: 1, arbitrary: wrongKey },
  { weight: 1, arbitrary: unknownPath },
  { weight: 1, arbitrary: tooLong },
);
