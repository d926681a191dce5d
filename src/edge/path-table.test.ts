/** Paths and what stands at them. */
import { describe, expect, test } from "bun:test";
import { PathTable } from "./path-table.ts";

const table = new PathTable([
  { method: "GET", path: "/all", target: "all" },
  { method: "GET", path: "/sku/{sku}", target: "get" },
  { method: "DELETE", path: "/sku/{sku}", target: "remove" },
  { method: "POST", path: "/sku/{sku}", target: "change" },
  { method: "GET", path: "/apps/delta", target: "delta" },
  { method: "GET", path: "/apps/{app}", target: "app" },
  { method: "GET", path: "/apps/{app}/", target: "app with a slash" },
  { method: "GET", path: "/user/{uid}/sku/{sku}", target: "order" },
]);
const methodsAt = (path: string): string[] => [...(table.find(path)?.methods ?? [])].map(([method, target]) => `${method} ${target}`);
const paramsAt = (path: string) => table.find(path)?.params;

describe("a path", () => {
  test("has all the methods that were declared for it, in their order", () => {
    expect(methodsAt("/sku/S1")).toEqual(["GET get", "DELETE remove", "POST change"]);
    expect(methodsAt("/all")).toEqual(["GET all"]);
  });

  test("gives its parameters as they came, still percent-encoded", () => {
    expect(paramsAt("/user/a%20b/sku/%E5%93%81")).toEqual({ uid: "a%20b", sku: "%E5%93%81" });
    expect(paramsAt("/all")).toEqual({});
    expect(paramsAt("/sku/__proto__")).toEqual({ sku: "__proto__" });
    expect(paramsAt("/sku/{sku}")).toEqual({ sku: "{sku}" });
  });

  test("is not split by an encoded slash", () => {
    expect(paramsAt("/sku/a%2Fb")).toEqual({ sku: "a%2Fb" });
    expect(paramsAt("/user%2Fx/sku/S")).toBeUndefined();
  });

  test("that is fixed comes before one with a parameter, when it was declared before", () => {
    expect(methodsAt("/apps/delta")).toEqual(["GET delta"]);
    expect(methodsAt("/apps/DELTA")).toEqual(["GET app"]);
  });

  test("with a slash at its end is another path", () => {
    expect(methodsAt("/apps/x/")).toEqual(["GET app with a slash"]);
  });

  const nowhere = [
    "",
    "/",
    "/all/",
    "//all",
    "/ALL",
    "/sku",
    "/sku/",
    "/sku//",
    "/sku/a/b",
    "/user//sku/S",
    "/user/U/sku/",
    "all",
    "/a%6cl",
  ];
  test.each(nowhere)("%j leads nowhere", (path) => expect(table.find(path)).toBeNull());
});

test("the fixed paths are those without a parameter, each with its methods", () => {
  expect(table.fixed().map(([path, methods]) => [path, [...methods.values()]])).toEqual([
    ["/all", ["all"]],
    ["/apps/delta", ["delta"]],
  ]);
});
