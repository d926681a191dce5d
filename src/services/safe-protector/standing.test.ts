/** The decisions in memory against a naive model: a list of entries, each network a string of bits, searched from end to end. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { IpAddress, UserId } from "../../core/ids.ts";
import { type CidrRange, groupsOf, ipv4Text, parseCidrRange, parseIpAddress } from "../../core/ip-address.ts";
import { type DecisionAction, type DecisionKey, type DecisionScope, type Entry, keyOf, STRENGTH, type Until } from "./decision.ts";
import { mixed } from "./hashed-rulings.ts";
import { SUSPECT_ACCOUNT, SUSPECT_ADDRESS } from "./rulings.ts";
import { StandingDecisions } from "./standing.ts";

const address = (text: string): IpAddress => parseIpAddress(text) as IpAddress;
const range = (text: string): CidrRange => parseCidrRange(text) as CidrRange;
const bitsOf = (groups: readonly number[]): string => groups.map((group) => group.toString(2).padStart(16, "0")).join("");
const prefixOf = ({ groups, prefixBits }: CidrRange): string => bitsOf(groups).slice(0, prefixBits);

class NaiveDecisions {
  #entries: readonly Entry[] = [];

  get size(): number {
    return this.#entries.length;
  }
  add(entry: Entry): void {
    this.remove(keyOf(entry));
    this.#entries = [...this.#entries, entry];
  }
  remove(key: DecisionKey): void {
    this.#entries = this.#entries.filter((entry) => !isOf(key, entry));
  }
  untilOf(key: DecisionKey): Until | undefined {
    return this.#entries.find((entry) => isOf(key, entry))?.until;
  }
  action(key: DecisionKey): DecisionAction | null {
    return this.#entries.find((entry) => isOf(key, entry))?.action ?? null;
  }
  ofAccount(user: string, now: number): number {
    return strongest(this.#live("account", now).filter(({ value }) => value === user));
  }
  ofAddress(text: string, now: number, isAllowed = false): number {
    const bits = bitsOf(groupsOf(address(text)));
    const own = this.#live("address", now, isAllowed).filter(({ value }) => value === text);
    const around = this.#live("network", now, isAllowed).filter(({ value }) => bits.startsWith(prefixOf(range(value))));
    return strongest([...own, ...around]);
  }
  ofRange(wanted: CidrRange, now: number): number {
    return strongest(this.#live("network", now).filter(({ value }) => prefixOf(wanted).startsWith(prefixOf(range(value)))));
  }
  isAllowed(user: string, text: string, now: number): boolean {
    return this.#live("account", now, true).some(({ value }) => value === user) || this.ofAddress(text, now, true) > 0;
  }
  #live(scope: DecisionScope, now: number, isAllowed = false): readonly Entry[] {
    const live = this.#entries.filter((entry) => entry.scope === scope && (entry.until === null || entry.until > now));
    return live.filter(({ action }) => (action === "allow") === isAllowed);
  }
}
const isOf = (key: DecisionKey, entry: Entry): boolean =>
  entry.scope === key.scope && entry.value === key.value && (entry.action === "allow") === key.isAllow;
const strongest = (entries: readonly Entry[]): number => Math.max(0, ...entries.map(({ action }) => STRENGTH[action]));

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
const said = {
  until,
  action: fc.constantFrom<DecisionAction[]>("block", "block", "throttle", "observe", "allow"),
  origin: fc.constantFrom("operator" as const, "import" as const),
};
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ scope: fc.constant("account" as const), value: fc.constantFrom("U1", "U2", "__proto__"), ...said }),
  fc.record({ scope: fc.constant("address" as const), value: addressText.map((text) => address(text) as string), ...said }),
  fc.record({ scope: fc.constant("network" as const), value: rangeText.map((text) => range(text).text), ...said }),
);
const command = fc.record({ isAdded: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)), entry });

describe("the decisions in memory", () => {
  test("answer as the naive model does, whatever was added, replaced and removed, before, at and after a deadline", () => {
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 40 }),
        fc.array(addressText, { minLength: 1, maxLength: 20 }),
        fc.array(rangeText, { maxLength: 20 }),
        (commands, addresses, ranges) => {
          const [list, model] = [new StandingDecisions(), new NaiveDecisions()];
          for (const { isAdded, entry } of commands) {
            for (const either of [list, model]) isAdded ? either.add(entry) : either.remove(keyOf(entry));
            expect(list.size).toBe(model.size);
          }
          const listed = commands.map(({ entry }) => entry);
          for (const one of listed.map(keyOf))
            expect([one, list.untilOf(one), list.action(one)]).toEqual([one, model.untilOf(one), model.action(one)]);
          const asked = [
            ...addresses.map(address),
            ...listed.filter(({ scope }) => scope === "address").map(({ value }) => address(value)),
          ];
          const askedRanges = [...ranges, ...listed.filter(({ scope }) => scope === "network").map(({ value }) => value)].map(range);
          const users = ["U1", "U2", "U3", "__proto__"] as UserId[];
          const shoppers = asked.flatMap((clientIp) => users.map((userId) => ({ userId, clientIp })));
          for (const [index, suspected] of list.suspects(shoppers).slice(0, shoppers.length).entries()) {
            const { userId, clientIp } = shoppers[index] as (typeof shoppers)[number];
            // Whoever is named may be innocent, but nobody else may be guilty.
            if (model.ofAccount(userId, 99) > 0) expect([userId, suspected & SUSPECT_ACCOUNT]).toEqual([userId, SUSPECT_ACCOUNT]);
            if (model.ofAddress(clientIp, 99) > 0) expect([clientIp, suspected & SUSPECT_ADDRESS]).toEqual([clientIp, SUSPECT_ADDRESS]);
          }
          for (const now of [99, 100, 101]) {
            for (const text of asked) expect([text, list.ofAddress(text, now)]).toEqual([text, model.ofAddress(text, now) as never]);
            for (const wanted of askedRanges)
              expect([wanted.text, list.ofRange(wanted.text, now)]).toEqual([wanted.text, model.ofRange(wanted, now) as never]);
            for (const user of users) expect(list.ofAccount(user, now)).toBe(model.ofAccount(user, now) as never);
            for (const text of asked.slice(0, 5))
              for (const user of users) expect(list.isAllowed(user, text, now)).toBe(model.isAllowed(user, text, now));
          }
        },
      ),
      { numRuns: 150, seed: 1 },
    );
  });

  const blocked = (scope: DecisionScope, value: string, until: Until = null): Entry => ({
    scope,
    value,
    until,
    action: "block",
    origin: "operator",
  });
  const isBlocked = (list: StandingDecisions, text: IpAddress, now = 0): boolean => list.ofAddress(text, now) === STRENGTH.block;
  const listing = (...entries: readonly (readonly [DecisionScope, string])[]): StandingDecisions => {
    const list = new StandingDecisions();
    for (const [scope, value] of entries) list.add(blocked(scope, value));
    return list;
  };

  test("a mapped IPv6 address is its IPv4 address, and a range of mapped addresses is a range of IPv4", () => {
    const list = listing(["address", address("::ffff:1.2.3.4")], ["network", range("::ffff:10.0.0.0/104").text]);
    expect(isBlocked(list, address("1.2.3.4"), 0)).toBe(true);
    expect(isBlocked(list, address("10.200.0.1"), 0)).toBe(true);
    expect(isBlocked(list, address("11.0.0.1"), 0)).toBe(false);
    expect(list.ofRange("10.1.0.0/16", 0) === STRENGTH.block).toBe(true);
  });

  test.each([0, 1, 16, 79, 80])("the IPv6 range ::/%i has all of IPv4 in it, until it is removed", (length) => {
    const list = listing(["network", `::/${length}`]);
    expect(isBlocked(list, address("203.0.113.9"), 0)).toBe(true);
    expect(list.ofRange("0.0.0.0/0", 0) === STRENGTH.block).toBe(true);
    list.remove({ scope: "network", value: `::/${length}`, isAllow: false });
    expect(isBlocked(list, address("203.0.113.9"), 0)).toBe(false);
  });

  test("an IPv6 range that begins as the mapped prefix does has all of IPv4 in it, and one beside it has nothing", () => {
    expect(isBlocked(listing(["network", "::fffe:0:0/95"]), address("203.0.113.9"))).toBe(true);
    expect(isBlocked(listing(["network", "::fffe:0:0/96"]), address("203.0.113.9"))).toBe(false);
    expect(isBlocked(listing(["network", "::/81"]), address("203.0.113.9"))).toBe(false);
  });

  test("IPv4's whole range has no IPv6 address in it", () => {
    expect(isBlocked(listing(["network", "0.0.0.0/0"]), address("2001:db8::1"))).toBe(false);
    expect(listing(["network", "0.0.0.0/0"]).ofRange("::/0", 0) === STRENGTH.block).toBe(false);
  });

  test("a range that ends does not end the wider one around it, nor the address in it", () => {
    const list = listing(["network", "10.0.0.0/8"], ["address", "10.1.1.1"]);
    list.add(blocked("network", "10.1.0.0/16", 100));
    list.remove({ scope: "network", value: "10.0.0.0/8", isAllow: false });
    expect([99, 100].map((now) => isBlocked(list, address("10.1.2.2"), now))).toEqual([true, false]);
    expect(isBlocked(list, address("10.1.1.1"), 100)).toBe(true);
  });

  test("nearly nobody of a crowd is suspected, among tens of thousands of decisions; and who is named is, in a turn of any size", () => {
    const list = new StandingDecisions();
    const textAt = (index: number): IpAddress => ipv4Text(mixed(index)) as IpAddress;
    for (let index = 0; index < 30_000; index += 1) {
      list.add(blocked("account", `user-${index}`));
      list.add(blocked("address", textAt(index)));
      if (index % 100 === 0) list.add(blocked("network", range(`${textAt(100_000 + index)}/24`).text));
    }
    const shopperAt = (index: number) => ({ userId: `user-${index}` as UserId, clientIp: textAt(index) });
    const turnOf = (size: number, first: number) => Array.from({ length: size }, (_, index) => shopperAt(first + index));
    for (const size of [1, 7, 20_000]) {
      expect(
        list
          .suspects(turnOf(size, 0))
          .subarray(0, size)
          .every((suspected) => suspected === (SUSPECT_ACCOUNT | SUSPECT_ADDRESS)),
      ).toBe(true);
    }
    const strangers = list.suspects(turnOf(20_000, 1_000_000)).subarray(0, 20_000);
    expect(strangers.filter((suspected) => suspected !== 0).length).toBeLessThan(20_000 * 0.08);
  });

  test("an address and the range of just that address are two entries", () => {
    const list = listing(["address", "10.0.0.1"], ["network", "10.0.0.1/32"]);
    expect(list.size).toBe(2);
    list.remove({ scope: "address", value: "10.0.0.1", isAllow: false });
    expect([list.size, isBlocked(list, address("10.0.0.1"), 0)]).toEqual([1, true]);
    list.remove({ scope: "network", value: "10.0.0.1/32", isAllow: false });
    expect([list.size, isBlocked(list, address("10.0.0.1"), 0)]).toEqual([0, false]);
  });
});
