import { describe, expect, test } from "bun:test";
import type { IpAddress, UserId } from "../core/ids.ts";
import { ClientAddresses, parseTrustedProxies } from "./client-address.ts";
import type { Claimed } from "./identity.ts";
import { TrustedIdentity } from "./trusted.ts";

const userID = "UID1" as UserId;

function told(claimed: Claimed, pointerRoot?: string) {
  const identity = new TrustedIdentity(new ClientAddresses({ trusted: parseTrustedProxies("10.0.0.1") ?? [], header: "x-forwarded-for" }));
  const headers = new Map([["x-forwarded-for", "192.0.2.7"]]);
  return identity.shopper({ headers: { get: (name) => headers.get(name) ?? null }, peer: () => "10.0.0.1" }, claimed, pointerRoot);
}

function problemOf(answer: ReturnType<typeof told>) {
  if (!("refusal" in answer)) throw new Error("this should have been refused");
  expect(answer.refusal.status).toBe(400);
  return (JSON.parse(String(answer.refusal.body)) as { readonly errors: unknown }).errors;
}

describe("in trusted mode", () => {
  test("what the request says of its sender counts", () => {
    expect(told({ userID, userLevel: 5, clientIP: "::ffff:203.0.113.9" })).toEqual({
      userId: userID,
      userLevel: 5,
      clientIp: "203.0.113.9" as IpAddress,
    });
  });

  test("who names no address has that of the connection, and who names no level the lowest", () => {
    expect(told({ userID })).toEqual({ userId: userID, userLevel: 0, clientIp: "192.0.2.7" as IpAddress });
  });

  test("who names no user is told which field is missing, where it is looked for", () => {
    expect(problemOf(told({ userLevel: 5 }))).toEqual([{ pointer: "#/userID", detail: "is missing" }]);
    expect(problemOf(told({}, "#/query"))).toEqual([{ pointer: "#/query/userID", detail: "is missing" }]);
  });

  test("an address that is none is named", () => {
    expect(problemOf(told({ userID, clientIP: "somewhere" }))).toEqual([
      { pointer: "#/clientIP", detail: "must be an IPv4 or IPv6 address" },
    ]);
  });
});
