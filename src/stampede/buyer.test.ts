import { expect, test } from "bun:test";
import type { Sku } from "../core/ids.ts";
import { seededRandom } from "./arrivals.ts";
import { BuyerMaker, type Role, roleOf } from "./buyer.ts";

const gate = { host: "127.0.0.1", port: 8080, origin: "http://127.0.0.1:8080" };
const maker = new BuyerMaker({ gate, sku: 'SKU "雪"' as Sku, quantity: 3, userLevel: 5, bots: 0 }, "run", seededRandom(1));
const SHOPPERS = 20_000;

function sharesOf(canBlacklist: boolean): Record<Role, number> {
  const random = seededRandom(5);
  const shares = { eager: 0, repeater: 0, cutter: 0, blacklisted: 0, malformed: 0 };
  for (let i = 0; i < SHOPPERS; i += 1) shares[roleOf(random(), { badShare: 0.1, repeatShare: 0.2 }, canBlacklist)] += 1 / SHOPPERS;
  return shares;
}

test("the roles have the shares that were asked for", () => {
  const shares = sharesOf(true);
  expect(shares.blacklisted).toBeWithin(0.045, 0.055);
  expect(shares.malformed).toBeWithin(0.045, 0.055);
  expect(shares.repeater + shares.cutter).toBeWithin(0.19, 0.21);
  expect(shares.cutter).toBeWithin(0.045, 0.055);
});

test("where nobody can be blacklisted all bad buyers send nonsense", () => {
  const shares = sharesOf(false);
  expect(shares.blacklisted).toBe(0);
  expect(shares.malformed).toBeWithin(0.09, 0.11);
});

test("a purchase is one whole request whose length is that of its body in bytes", () => {
  const { request, userId } = maker.buyer(42, "eager");
  const [head, body] = request.split("\r\n\r\n") as [string, string];
  expect(head).toStartWith("POST /buy HTTP/1.1\r\nhost: 127.0.0.1:8080\r\n");
  expect(head).toContain(`\r\ncontent-length: ${Buffer.byteLength(body)}`);
  expect(head).toContain("\r\nidempotency-key: run-42\r\n");
  expect(JSON.parse(body)).toMatchObject({ userID: userId, goodsSKU: 'SKU "雪"', goodsQuantity: 3, userLevel: 5 });
});

test("no two buyers share a user or a key, and hardly any an address", () => {
  const requests = Array.from({ length: 1_000 }, (_, index) => maker.buyer(index, "eager"));
  const distinct = (pattern: RegExp) => new Set(requests.map(({ request }) => pattern.exec(request)?.[1])).size;
  expect(new Set(requests.map(({ userId }) => userId)).size).toBe(1_000);
  expect(distinct(/idempotency-key: (\S+)/)).toBe(1_000);
  expect(distinct(/"clientIP":"([^"]+)"/)).toBeGreaterThan(990);
});

test("nonsense comes in eight kinds, none of them a proper purchase", () => {
  // What tells one buyer from the next is taken out, what makes a request nonsense stays.
  const kindOf = (role: Role, index: number) => maker.buyer(index, role).request.replaceAll(/run-\d+|10\.\d+\.\d+\.\d+/g, "");
  const kinds = new Set(Array.from({ length: 8 }, (_, index) => kindOf("malformed", index)));
  expect(kinds.size).toBe(8);
  expect(kinds).not.toContain(kindOf("eager", 0));
});

test("among attackers people have public addresses, and one in 33 of them that of a carrier", () => {
  const among = new BuyerMaker({ gate, sku: "A" as Sku, quantity: 1, userLevel: 5, bots: 10 }, "run", seededRandom(1));
  const addresses = Array.from({ length: SHOPPERS }, (_, n) => /"clientIP":"([^"]+)"/.exec(among.buyer(n, "eager").request)?.[1] ?? "");
  expect(addresses.filter((address) => address === "241.0.0.1").length / SHOPPERS).toBeWithin(0.025, 0.036);
  expect(addresses.every((address) => /^24[01]\./.test(address))).toBe(true);
});
