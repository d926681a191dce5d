/** What comes in: every kind of wrong input, and the pointer at which the problem document says so. */
import { describe, expect, test } from "bun:test";
import Type from "typebox";
import { type Endpoint, type HttpReply, on } from "../core/endpoint.ts";
import { SkuSchema, UserIdSchema } from "../core/ids.ts";
import { Price, PurchaseQuantity } from "../core/quantity.ts";
import { BODY_BYTES_MAX } from "../limits.ts";
import { InputChecker, invalid, refuseByHeaders, tooLarge } from "./request-input.ts";

const endpoint = {
  ...{ name: "sample", method: "POST", path: "/user/{uid}/quantity/{qty}", needsAdminKey: false },
  ...{ summary: "A sample.", replies: {} },
  params: Type.Object({ uid: UserIdSchema, qty: PurchaseQuantity }),
  query: Type.Object({ limit: Type.Optional(PurchaseQuantity), after: Type.Optional(SkuSchema) }),
  body: Type.Object({
    ...{ goodsSKU: SkuSchema, goodsQuantity: PurchaseQuantity, goodsPrice: Type.Optional(Price) },
    others: Type.Optional(Type.Array(SkuSchema)),
    items: Type.Optional(Type.Array(Type.Object({ goodsSKU: SkuSchema }))),
  }),
} as const satisfies Endpoint;
const checker = new InputChecker(on(endpoint, () => ({ status: 200, body: "" })).endpoint);
type Checked = ReturnType<InputChecker["body"]>;

const accepted = (checked: Checked): unknown => {
  if ("refusal" in checked) throw new Error(`refused: ${checked.refusal.body}`);
  return checked.value;
};
interface Problem {
  readonly status: number;
  readonly detail: string;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}
/** The problem document, which is one for a 400. */
function problemOf(checked: Checked): Problem {
  if (!("refusal" in checked)) throw new Error(`accepted: ${JSON.stringify(checked.value)}`);
  const { status, headers, body } = checked.refusal;
  const problem = JSON.parse(body as string) as Problem;
  expect([status, problem.status, headers?.["content-type"]]).toEqual([400, 400, "application/problem+json"]);
  expect(problem.errors.every(({ detail }) => detail !== "")).toBe(true);
  return problem;
}
const pointersOf = (checked: Checked): string[] => problemOf(checked).errors.map(({ pointer }) => pointer);

describe("a body", () => {
  test("that fits is taken as it is, unknown fields too", () => {
    const body = { goodsSKU: '商品 🛒 "\\', goodsQuantity: 1, goodsPrice: 99.9, more: { a: [null] } };
    expect(accepted(checker.body(JSON.stringify(body)))).toEqual(body);
    expect(accepted(checker.body(' {"goodsSKU":"a","goodsQuantity":1e0}\r\n'))).toEqual({ goodsSKU: "a", goodsQuantity: 1 });
  });

  const broken = ["", " ", "{", "{}}", "{'a':1}", '{"a":1,}', "undefined", "NaN", "\u0000", '{"a":"\n"}', "[".repeat(BODY_BYTES_MAX)];
  test.each(broken.map((text) => [text.slice(0, 20), text]))("%j that is no JSON is wrong as a whole", (_, text) => {
    expect(pointersOf(checker.body(text))).toEqual(["#"]);
  });

  test.each(["null", "[]", '"text"', "1", "true"])("%s that is no object is wrong as a whole", (text) => {
    expect(pointersOf(checker.body(text))).toEqual(["#"]);
  });

  test("in which bytes were not UTF-8 is wrong as a whole, for two ids must never become one", () => {
    const text = new TextDecoder().decode(new Uint8Array([0x22, 0xff, 0x22]));
    expect(pointersOf(checker.body(`{"goodsSKU":${text},"goodsQuantity":1}`))).toEqual(["#"]);
  });

  const rows: readonly (readonly [object, readonly string[]])[] = [
    [{}, ["#/goodsSKU", "#/goodsQuantity"]],
    [{ goodsSKU: "a" }, ["#/goodsQuantity"]],
    [{ goodsSKU: 1, goodsQuantity: "1" }, ["#/goodsSKU", "#/goodsQuantity"]],
    [{ goodsSKU: "", goodsQuantity: 1 }, ["#/goodsSKU"]],
    [{ goodsSKU: "a\u0000", goodsQuantity: 0 }, ["#/goodsSKU", "#/goodsQuantity"]],
    [{ goodsSKU: "a", goodsQuantity: 1.5 }, ["#/goodsQuantity"]],
    [{ goodsSKU: "a", goodsQuantity: 1_000_001 }, ["#/goodsQuantity"]],
    [{ goodsSKU: "a", goodsQuantity: null }, ["#/goodsQuantity"]],
    [{ goodsSKU: ["a"], goodsQuantity: { a: 1 } }, ["#/goodsSKU", "#/goodsQuantity"]],
    [{ goodsSKU: "a", goodsQuantity: 1, goodsPrice: 1.001 }, ["#/goodsPrice"]],
    [{ goodsQuantity: 0, goodsPrice: -1 }, ["#/goodsSKU", "#/goodsQuantity", "#/goodsPrice"]],
  ];
  test.each(rows)("%j is wrong in every field that is named, and in no other", (body, pointers) => {
    expect(pointersOf(checker.body(JSON.stringify(body))).sort()).toEqual([...pointers].sort());
  });

  test("with the number of a field beyond all numbers is wrong there", () => {
    expect(pointersOf(checker.body('{"goodsSKU":"a","goodsQuantity":1e999}'))).toEqual(["#/goodsQuantity"]);
    expect(pointersOf(checker.body('{"goodsSKU":"a","goodsQuantity":9007199254740993}'))).toEqual(["#/goodsQuantity"]);
  });

  test("with a field of Object's own is one without that field", () => {
    expect(pointersOf(checker.body('{"__proto__":{"goodsSKU":"a","goodsQuantity":1}}'))).toEqual(["#/goodsSKU", "#/goodsQuantity"]);
  });

  test("is told in words what an id must be, and never by a pattern", () => {
    const [error] = problemOf(checker.body('{"goodsSKU":"","goodsQuantity":1}')).errors;
    expect(error?.detail).toBe("must be 1-128 characters, no control characters");
  });

  test("is told so within its lists too", () => {
    const body = { goodsSKU: "a", goodsQuantity: 1, others: ["b", ""], items: [{ goodsSKU: "\u0000" }] };
    const detail = "must be 1-128 characters, no control characters";
    expect(problemOf(checker.body(JSON.stringify(body))).errors).toEqual([
      { pointer: "#/others/1", detail },
      { pointer: "#/items/0/goodsSKU", detail },
    ]);
  });

  test("has its first fault in the detail, with how many more there are", () => {
    const { detail } = problemOf(checker.body('{"goodsQuantity":0,"goodsPrice":-1}'));
    expect(detail).toMatch(/^#\/goods\w+: .+ \(and 2 more\)$/);
    expect(problemOf(checker.body('{"goodsSKU":"a"}')).detail).toBe("#/goodsQuantity: is missing");
  });
});

describe("a path", () => {
  test("is decoded, and its integers become numbers", () => {
    expect(accepted(checker.params({ uid: "a%2Fb%20%E5%93%81", qty: "12" }))).toEqual({ uid: "a/b 品", qty: 12 });
    expect(accepted(checker.params({ uid: "12", qty: "%31" }))).toEqual({ uid: "12", qty: 1 });
  });

  const numbers = ["x", "1.5", "1e3", "0x10", "+1", " 1", "1 ", "", "0", "-1", "1000001", "9".repeat(30), "NaN", "１"];
  test.each(numbers)("with the quantity %j is wrong there", (qty) => {
    expect(pointersOf(checker.params({ uid: "U", qty: encodeURIComponent(qty) }))).toEqual(["#/path/qty"]);
  });

  test.each(["%", "%zz", "%E5%93", "%FF", "%C0%AF", "%ED%A0%80", "a%"])("with the undecodable segment %j is wrong there", (uid) => {
    expect(pointersOf(checker.params({ uid, qty: "1" }))).toEqual(["#/path/uid"]);
  });

  test("names every wrong segment, the undecodable and the invalid, once", () => {
    expect(pointersOf(checker.params({ uid: "%", qty: "x" })).sort()).toEqual(["#/path/qty", "#/path/uid"]);
    expect(pointersOf(checker.params({ uid: "%00", qty: "0" })).sort()).toEqual(["#/path/qty", "#/path/uid"]);
  });
});

describe("a query", () => {
  test("is decoded, and its integers become numbers; what is not declared is left alone", () => {
    expect(accepted(checker.query(""))).toEqual({});
    expect(accepted(checker.query("limit=12&after=a%2Fb+c"))).toEqual({ limit: 12, after: "a/b c" });
    expect(accepted(checker.query("limit=1&other=x"))).toMatchObject({ limit: 1 });
    expect(accepted(checker.query("__proto__=1&constructor=2"))).toEqual({});
    expect(accepted(checker.query("&&=&%61fter=%E5%93%81=&limit=1&limit=2"))).toEqual({ after: "品=", limit: 2 });
  });

  test.each(["%", "%zz", "%E5%93", "%FF", "a%C0%AF", "%ED%A0%80"])(
    "with the undecodable value %j is wrong there, for two ids must never become one",
    (text) => {
      expect(problemOf(checker.query(`after=${text}&limit=x`)).errors[0]).toEqual({
        ...{ pointer: "#/query/after", detail: "is not percent-encoded UTF-8" },
      });
      expect(pointersOf(checker.query(`after=${text}&limit=x`))).toEqual(["#/query/after", "#/query/limit"]);
      // What nobody reads cannot be mistaken.
      expect(accepted(checker.query(`other=${text}&${text}=1`))).toEqual({});
    },
  );

  test.each(["limit=0", "limit=", "limit=x", "limit=1.5", "limit=-1", "limit=1e3", `limit=${"9".repeat(40)}`])(
    "%s is wrong there",
    (search) => {
      expect(pointersOf(checker.query(search))).toEqual(["#/query/limit"]);
    },
  );

  test("names every wrong parameter", () => {
    expect(pointersOf(checker.query("limit=x&after=")).sort()).toEqual(["#/query/after", "#/query/limit"]);
    expect(pointersOf(checker.query("after=%00"))).toEqual(["#/query/after"]);
  });
});

describe("a problem of many fields", () => {
  test("names no more than twenty of them", () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`field${index}`, Type.Integer()]));
    const none = Type.Object({});
    const wide = new InputChecker({ ...endpoint, params: none, query: none, body: Type.Object(many) });
    expect(pointersOf(wide.body("{}")).length).toBe(20);
  });

  test("names a header as it names a field", () => {
    const reply = invalid([{ pointer: "#/header/Idempotency-Key", detail: "is too long" }]);
    expect(problemOf(reply)).toMatchObject({ detail: "#/header/Idempotency-Key: is too long" });
  });
});

describe("the headers of a body", () => {
  const statusOf = (type: string | null, length: string | null): number | null =>
    refuseByHeaders(type, length, BODY_BYTES_MAX)?.status ?? null;

  const json = ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", " application/json ;x=y", "application/ld+json"];
  test.each(json)("with the type %j are accepted", (type) => expect(statusOf(type, "2")).toBeNull());

  const others = [null, "", "text/plain", "text/json", "application/x-www-form-urlencoded", "application/jsonx", "application/json+x"];
  test.each(others)("with the type %j are 415", (type) => expect(statusOf(type, "2")).toBe(415));

  test("with a length beyond the bound are 413, before a byte of it is read", () => {
    expect([BODY_BYTES_MAX, BODY_BYTES_MAX + 1].map((length) => statusOf("application/json", String(length)))).toEqual([null, 413]);
    expect(statusOf("application/json", null)).toBeNull();
    const { status, headers }: HttpReply = tooLarge(16_384);
    expect({ status, headers }).toMatchObject({ status: 413, headers: { connection: "close" } });
  });
});
