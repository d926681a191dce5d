import { describe, expect, test } from "bun:test";
import { cookieOf, isHttps, isLocalHost, isOwnChange, isOwnSocket } from "./guard.ts";

const headers = (of: Record<string, string>): Headers => new Headers(of);
const OWN = { "x-doorbuster-console": "1" };

describe("a change", () => {
  test.each([
    ["of the page itself", { ...OWN, "sec-fetch-site": "same-origin", origin: "https://shop.example", host: "shop.example" }, true],
    ["of a program that sends the header", OWN, true],
    ["of an old browser, from the same host", { ...OWN, origin: "http://127.0.0.1:8090", host: "127.0.0.1:8090" }, true],
    [
      "behind a proxy that gives another host, as the browser itself says",
      { ...OWN, "sec-fetch-site": "same-origin", origin: "https://a.example", host: "console:8090" },
      true,
    ],
    ["of a form of another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example", host: "shop.example" }, false],
    ["of a form of another site that looks like ours", { origin: "http://127.0.0.1:8090", host: "127.0.0.1:8090" }, false],
    ["of a script of another site", { ...OWN, "sec-fetch-site": "cross-site", host: "shop.example" }, false],
    ["of a page on another port of this host", { ...OWN, "sec-fetch-site": "same-site", host: "shop.example" }, false],
    ["of an old browser, from another host", { ...OWN, origin: "https://evil.example", host: "shop.example" }, false],
    ["of a sandboxed page", { ...OWN, origin: "null", host: "shop.example" }, false],
  ])("%s", (_, given, isLet) => {
    expect(isOwnChange(headers(given as Record<string, string>))).toBe(isLet);
  });
});

test("a WebSocket is opened by the page itself, or by a program", () => {
  expect(isOwnSocket(headers({ origin: "http://shop.example", host: "shop.example" }))).toBe(true);
  expect(isOwnSocket(headers({ host: "shop.example" }))).toBe(true);
  expect(isOwnSocket(headers({ origin: "http://evil.example", host: "shop.example" }))).toBe(false);
  expect(isOwnSocket(headers({ "sec-fetch-site": "cross-site", origin: "http://shop.example", host: "shop.example" }))).toBe(false);
});

test("a name that somebody has made point at this machine is not this machine", () => {
  for (const host of ["localhost:8090", "127.0.0.1:8090", "[::1]:8090", "127.1.2.3"]) expect(isLocalHost(headers({ host }))).toBe(true);
  for (const host of ["evil.example:8090", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", ""])
    expect(isLocalHost(headers({ host }))).toBe(false);
});

test("of several cookies the one of that name is read", () => {
  const given = headers({ cookie: "a=1; doorbuster-console-8090=abc=; b=2" });
  expect(cookieOf(given, "doorbuster-console-8090")).toBe("abc");
  expect(cookieOf(given, "b")).toBe("2");
  expect(cookieOf(given, "console-8090")).toBeNull();
  expect(cookieOf(headers({}), "a")).toBeNull();
});

test("a proxy that speaks https with the browser says so", () => {
  for (const given of [{ "x-forwarded-proto": "https" }, { forwarded: 'for=1.2.3.4;proto=https;host="a"' }])
    expect(isHttps(headers(given as Record<string, string>))).toBe(true);
  for (const given of [{}, { "x-forwarded-proto": "http" }, { forwarded: "proto=http" }]) expect(isHttps(headers(given))).toBe(false);
});
