/** The blacklist against a naive model: a list of entries, each range a string of bits, searched from end to end. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { IpAddress, UserId } from "../../core/ids.ts";
import { type CidrRange, groupsOf, parseCidrRange, parseIpAddress } from "../../core/ip-address.ts";
import { Blacklist, type DecisionKey, type Entry, type Scope } from "./blacklist.ts";
import type { Until } from "./networks.ts";

const address = (text: string): IpAddress => parseIpAddress(text) as IpAddress;
const range = (text: string): CidrRange => parseCidrRange(text) as CidrRange;
const bitsOf = (groups: readonly number[]): string => groups.map((group) => group.toString(2).padStart(16, "0")).join("");
const prefixOf = ({ groups, prefixBits }: CidrRange): string => bitsOf(groups).slice(0, prefixBits);

class NaiveBlacklist {
  #entries: readonly Entry[] = [];

  get size(): number {
    return this.#entries.length;
  }
  add(entry: Entry): void {
    this.remove(entry);
    this.#entries = [...this.#entries, entry];
  }
  remove({ scope, value }: DecisionKey): void {
    this.#entries = this.#entries.filter((entry) => entry.scope !== scope || entry.value !== value);
  }
  untilOf({ scope, value }: DecisionKey): Until | undefined {
    return this.#entries.find((entry) => entry.scope === scope && entry.value === value)?.until;
  }
  hasUser(user: string, now: number): boolean {
    return this.#live("user", now).some(({ value }) => value === user);
  }
  hasAddress(text: string, now: number): boolean {
    const bits = bitsOf(groupsOf(address(text)));
    const isListed = this.#live("address", now).some(({ value }) => value === text);
    return isListed || this.#live("range", now).some(({ value }) => bits.startsWith(prefixOf(range(value))));
  }
  hasRange(wanted: CidrRange, now: number): boolean {
    return this.#live("range", now).some(({ value }) => prefixOf(wanted).startsWith(prefixOf(range(value))));
  }
  #live(scope: Scope, now: number): readonly Entry[] {
    return this.#entries.filter((entry) => entry.scope === scope && (entry.until === null || entry.until > now));
  }
}

// Few addresses close together, so that ranges meet them; both families, the mapped form, and the edges of 32 bits.
const addressText = fc.oneof(
  fc.constantFrom("0.0.0.0", "127.255.255.255", "128.0.0.0", "255.255.255.255", "10.0.0.1", "10.0.1.1", "10.1.0.1", "11.0.0.1"),
  fc.constantFrom("::", "::1", "::fffe:a00:1", "::1:0:0:0", "2001:db8::1", "2001:db8:1::1", "8000::", "ffff:ffff::"),
  fc.constantFrom("::ffff:10.0.0.1", "::ffff:255.255.255.255"),
  fc.ipV4(),
  fc.ipV6(),
);
const prefixLength = fc.oneof(fc.nat({ max: 128 }), fc.constantFrom(0, 1, 8, 31, 32, 80, 81, 95, 96, 97, 104, 127, 128));
const rangeText = fc
  .tuple(addressText, prefixLength)
  .map(([text, length]) => `${text}/${text.includes(":") ? length : Math.min(length, 32)}`);
const until = fc.oneof(fc.constant(null), fc.constantFrom(99, 100, 101));
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ scope: fc.constant("user" as const), value: fc.constantFrom("U1", "U2", "__proto__"), until }),
  fc.record({ scope: fc.constant("address" as const), value: addressText.map((text) => address(text) as string), until }),
  fc.record({ scope: fc.constant("range" as const), value: rangeText.map((text) => range(text).text), until }),
);
const command = fc.record({ isAdded: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)), entry });

describe("the blacklist", () => {
  test("answers as the naive model does, whatever was added, replaced and removed, before, at and after a deadline", () => {
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 40 }),
        fc.array(addressText, { minLength: 1, maxLength: 20 }),
        fc.array(rangeText, { maxLength: 20 }),
        (commands, addresses, ranges) => {
          const [list, model] = [new Blacklist(), new NaiveBlacklist()];
          for (const { isAdded, entry } of commands) {
            for (const either of [list, model]) isAdded ? either.add(entry) : either.remove(entry);
            expect(list.size).toBe(model.size);
          }
          const listed = commands.map(({ entry }) => entry);
          for (const one of listed) expect([one, list.untilOf(one)]).toEqual([one, model.untilOf(one)]);
          const asked = [
            ...addresses.map(address),
            ...listed.filter(({ scope }) => scope === "address").map(({ value }) => address(value)),
          ];
          const askedRanges = [...ranges, ...listed.filter(({ scope }) => scope === "range").map(({ value }) => value)].map(range);
          for (const now of [99, 100, 101]) {
            for (const text of asked) expect([text, list.hasAddress(text, now)]).toEqual([text, model.hasAddress(text, now)]);
            for (const wanted of askedRanges)
              expect([wanted.text, list.hasRange(wanted, now)]).toEqual([wanted.text, model.hasRange(wanted, now)]);
            for (const user of ["U1", "U2", "U3", "__proto__"] as UserId[]) expect(list.hasUser(user, now)).toBe(model.hasUser(user, now));
          }
        },
      ),
      { numRuns: 1_000, seed: 1 },
    );
  });

  const listing = (...entries: readonly (readonly [Scope, string])[]): Blacklist => {
    const list = new Blacklist();
    for (const [scope, value] of entries) list.add({ scope, value, until: null });
    return list;
  };

  test("a mapped IPv6 address is its IPv4 address, and a range of mapped addresses is a range of IPv4", () => {
    const list = listing(["address", address("::ffff:1.2.3.4")], ["range", range("::ffff:10.0.0.0/104").text]);
    expect(list.hasAddress(address("1.2.3.4"), 0)).toBe(true);
    expect(list.hasAddress(address("10.200.0.1"), 0)).toBe(true);
    expect(list.hasAddress(address("11.0.0.1"), 0)).toBe(false);
    expect(list.hasRange(range("10.1.0.0/16"), 0)).toBe(true);
  });

  test.each([0, 1, 16, 79, 80])("the IPv6 range ::/%i has all of IPv4 in it, until it is removed", (length) => {
    const list = listing(["range", `::/${length}`]);
    expect(list.hasAddress(address("203.0.113.9"), 0)).toBe(true);
    expect(list.hasRange(range("0.0.0.0/0"), 0)).toBe(true);
    list.remove({ scope: "range", value: `::/${length}` });
    expect(list.hasAddress(address("203.0.113.9"), 0)).toBe(false);
  });

  test("an IPv6 range that begins as the mapped prefix does has all of IPv4 in it, and one beside it has nothing", () => {
    expect(listing(["range", "::fffe:0:0/95"]).hasAddress(address("203.0.113.9"), 0)).toBe(true);
    expect(listing(["range", "::fffe:0:0/96"]).hasAddress(address("203.0.113.9"), 0)).toBe(false);
    expect(listing(["range", "::/81"]).hasAddress(address("203.0.113.9"), 0)).toBe(false);
  });

  test("IPv4's whole range has no IPv6 address in it", () => {
    expect(listing(["range", "0.0.0.0/0"]).hasAddress(address("2001:db8::1"), 0)).toBe(false);
    expect(listing(["range", "0.0.0.0/0"]).hasRange(range("::/0"), 0)).toBe(false);
  });

  test("a range that ends does not end the wider one around it, nor the address in it", () => {
    const list = listing(["range", "10.0.0.0/8"], ["address", "10.1.1.1"]);
    list.add({ scope: "range", value: "10.1.0.0/16", until: 100 });
    list.remove({ scope: "range", value: "10.0.0.0/8" });
    expect([99, 100].map((now) => list.hasAddress(address("10.1.2.2"), now))).toEqual([true, false]);
    expect(list.hasAddress(address("10.1.1.1"), 100)).toBe(true);
  });

  test("an address and the range of just that address are two entries", () => {
    const list = listing(["address", "10.0.0.1"], ["range", "10.0.0.1/32"]);
    expect(list.size).toBe(2);
    list.remove({ scope: "address", value: "10.0.0.1" });
    expect([list.size, list.hasAddress(address("10.0.0.1"), 0)]).toEqual([1, true]);
    list.remove({ scope: "range", value: "10.0.0.1/32" });
    expect([list.size, list.hasAddress(address("10.0.0.1"), 0)]).toEqual([0, false]);
  });
});
