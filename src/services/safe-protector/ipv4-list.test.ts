/** A column of addresses: in the order of their texts, each as often as it was added. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { ipv4Bits } from "../../core/ip-address.ts";
import { Ipv4List } from "./ipv4-list.ts";

const octet = fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 10, 100, 19, 2, 255));
const address = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join("."));

test("addresses come in the order of their texts, as often as they were added", async () => {
  const property = fc.asyncProperty(fc.array(address, { maxLength: 200 }), fc.integer({ min: 1, max: 50 }), async (texts, limit) => {
    const list = new Ipv4List();
    for (const text of texts) list.add(ipv4Bits(text) as number);
    await list.sort(async () => undefined);
    const sorted: string[] = [];
    for (let from = 0; from < list.length; from += limit) sorted.push(...list.texts(from, limit));
    expect(sorted).toEqual(texts.toSorted());
  });
  await fc.assert(property, { numRuns: 300, seed: 1 });
});

test("others have their turn while a long list is sorted", async () => {
  const list = new Ipv4List();
  for (let index = 0; index < 500_000; index += 1) list.add(Math.imul(index, 0x9e3779b1));
  let pauses = 0;
  await list.sort(async () => {
    pauses += 1;
  });
  expect(pauses).toBeGreaterThanOrEqual(10);
  const ends = [list.texts(0, 1)[0], list.texts(499_999, 1)[0]] as string[];
  expect((ends[0] as string) < (ends[1] as string)).toBe(true);
});
