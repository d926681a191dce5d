import { describe, expect, test } from "bun:test";
import { isIP } from "node:net";
import fc from "fast-check";
import { groupsOf, ipv4Bits, ipv4Mask, ipv6Head, networkKey, parseCidrRange, parseIpAddress } from "./ip-address.ts";

const parse = (text: string): string | null => parseIpAddress(text);
const range = (text: string): string | null => parseCidrRange(text)?.text ?? null;

/** Characters that addresses are made of, and a few that they are not. */
const addressLike = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4Extended(),
  fc.string({ unit: fc.constantFrom(..."0123456789abcdefABCDEF::::....%/ xg-"), maxLength: 48 }),
  fc
    .array(fc.oneof(fc.constantFrom("", "0", "00", "01", "255", "256", "ffff", "1.2.3.4", "12345"), fc.nat({ max: 300 }).map(String)), {
      maxLength: 10,
    })
    .chain((parts) => fc.constantFrom(parts.join(":"), parts.join("."), `::${parts.join(":")}`, `${parts.join(":")}::`)),
);

/** The eight groups of a valid address, worked out with text replacements only. */
function groupsByText(text: string): string[] {
  const hex = (high: string, low: string): string => ((Number(high) << 8) | Number(low)).toString(16);
  const dotted = (isIP(text) === 4 ? `::ffff:${text}` : text).replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a, b, c, d) => `${hex(a, b)}:${hex(c, d)}`,
  );
  const given = dotted.split(":").filter((group) => group !== "").length;
  const filled = dotted.replace("::", `:${"0:".repeat(8 - given)}`);
  return filled.split(":").flatMap((group) => (group === "" ? [] : [Number.parseInt(group, 16).toString(16)]));
}

/** A second way to the canonical text. RFC 5952: the first of the longest runs of zeros is left out, if it is longer than one. */
function canonicalByText(text: string): string {
  const full = groupsByText(text).join(":");
  const mapped = /^0:0:0:0:0:ffff:(\w+):(\w+)$/.exec(full);
  if (mapped)
    return mapped
      .slice(1)
      .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])
      .join(".");
  for (let zeros = 8; zeros > 1; zeros -= 1) {
    const run = new RegExp(`(^|:)0(:0){${zeros - 1}}(:|$)`);
    if (run.test(full)) return full.replace(run, "::");
  }
  return full;
}

describe("an address", () => {
  test("is one exactly when the runtime says so, zone ids aside", () => {
    fc.assert(
      fc.property(addressLike, (text) => {
        expect(parse(text) !== null).toBe(isIP(text) !== 0 && !text.includes("%"));
      }),
      { numRuns: 3_000, seed: 1 },
    );
  });

  test("has the canonical text that is found by another way", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV4(),
          fc.ipV6(),
          fc.ipV6().map((text) => text.toUpperCase()),
        ),
        (text) => {
          expect(parse(text)).toBe(canonicalByText(text));
        },
      ),
      { numRuns: 2_000, seed: 2 },
    );
  });

  test("has one text, and that text is its own canonical form", () => {
    fc.assert(
      fc.property(addressLike, (text) => {
        const canonical = parse(text);
        if (canonical !== null) expect(parse(canonical)).toBe(canonical);
      }),
      { numRuns: 1_000, seed: 3 },
    );
  });

  // RFC 5952, sections 1, 2 and 4.
  const examples: readonly (readonly [string, string])[] = [
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:0:1::1", "2001:db8::1:0:0:1"],
    ["2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"],
    ["2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"],
    ["2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:C000:0201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["::1.2.3.4", "::102:304"],
    ["255.255.255.255", "255.255.255.255"],
    ["0.0.0.0", "0.0.0.0"],
  ];
  for (const [text, canonical] of examples) test(`${text} is ${canonical}`, () => expect(parse(text)).toBe(canonical));

  const refused = [
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.04",
    "1..2.3",
    ".1.2.3",
    "1.2.3.",
    "1.2.3.4 ",
    "0x1.2.3.4",
    "1.2.3.4:80",
    "[::1]",
    "fe80::1%eth0",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    ":1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7:8:",
    "12345::",
    "g::",
    "::1.2.3",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "1:2:3:4:5:6:7:1.2.3.4",
    `${"0".repeat(50)}::1`,
    "１.2.3.4",
  ];
  for (const text of refused) test(`${JSON.stringify(text)} is none`, () => expect(parse(text)).toBeNull());
});

/** The 128 bits of an address as text. */
const bitsOf = (text: string): string =>
  groupsByText(text)
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0"))
    .join("");

describe("a network key", () => {
  test("is the same for two addresses exactly when their first bits are", () => {
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom("10.0.0.1", "10.0.0.2", "10.0.1.1", "2001:db8::1", "2001:db8::2", "2001:db8:1::"),
    );
    fc.assert(
      fc.property(address, address, fc.nat({ max: 128 }), (a, b, prefixBits) => {
        const keys = [a, b].map((text) => {
          const parsed = parseIpAddress(text);
          if (parsed === null) throw new Error(`${text} is an address`);
          return networkKey(groupsOf(parsed), prefixBits);
        });
        const [bitsA, bitsB] = [a, b].map((text) => bitsOf(text).slice(0, prefixBits));
        expect(keys[0] === keys[1]).toBe(bitsA === bitsB);
      }),
      { numRuns: 2_000, seed: 4 },
    );
  });
});

describe("the bits of an IPv4 address", () => {
  test("are the last 32 of its mapped form, and only a canonical IPv4 address has them", () => {
    fc.assert(
      fc.property(addressLike, (text) => {
        const bits = ipv4Bits(text);
        expect(bits !== null).toBe(isIP(text) === 4);
        if (bits !== null) expect((bits >>> 0).toString(2).padStart(32, "0")).toBe(bitsOf(text).slice(96));
      }),
      { numRuns: 2_000, seed: 6 },
    );
  });

  test("are masked to what a network of each prefix length keeps", () => {
    for (let prefixBits = 0; prefixBits <= 32; prefixBits += 1) {
      const kept = (ipv4Mask(prefixBits) >>> 0).toString(2).padStart(32, "0");
      expect(kept).toBe("1".repeat(prefixBits).padEnd(32, "0"));
    }
  });
});

describe("a CIDR range", () => {
  const examples: readonly (readonly [string, string | null])[] = [
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["10.1.2.3/32", "10.1.2.3/32"],
    ["10.1.2.3/0", "0.0.0.0/0"],
    ["192.168.1.129/25", "192.168.1.128/25"],
    ["2001:DB8::1/32", "2001:db8::/32"],
    ["2001:db8::1/128", "2001:db8::1/128"],
    ["::/0", "::/0"],
    ["::ffff:10.1.2.3/104", "10.0.0.0/8"],
    ["::ffff:10.1.2.3/128", "10.1.2.3/32"],
    ["10.1.2.3", null],
    ["10.1.2.3/", null],
    ["10.1.2.3/33", null],
    ["10.1.2.3/-1", null],
    ["10.1.2.3/8/8", null],
    ["10.1.2.3/8 ", null],
    ["10.1.2.3/1e1", null],
    ["10.1.2/8", null],
    ["::/129", null],
    ["/8", null],
  ];
  for (const [text, canonical] of examples) test(`${text} is ${canonical ?? "none"}`, () => expect(range(text)).toBe(canonical));

  test("holds exactly the addresses that begin with its bits", () => {
    const prefix = fc.oneof(fc.tuple(fc.ipV4(), fc.nat({ max: 32 })), fc.tuple(fc.ipV6(), fc.nat({ max: 128 })));
    fc.assert(
      fc.property(prefix, ([address, length]) => {
        const parsed = parseCidrRange(`${address}/${length}`);
        if (!parsed) throw new Error(`${address}/${length} is a range`);
        const bits = isIP(address) === 4 ? length + 96 : length;
        expect(parsed.prefixBits).toBe(bits);
        const first = bitsOf(address).slice(0, bits).padEnd(128, "0");
        expect(parsed.groups.map((group) => group.toString(2).padStart(16, "0")).join("")).toBe(first);
        expect(range(parsed.text)).toBe(parsed.text);
      }),
      { numRuns: 2_000, seed: 5 },
    );
  });
});

test("the head of an IPv6 address is its first two groups", () => {
  const property = fc.property(
    fc.oneof(fc.ipV6(), fc.constantFrom("::", "::1", "1::", "1::2", "ffff:ffff::1", "0:1::", "a:0:0:1::")),
    (text) => {
      const address = parseIpAddress(text);
      if (address === null || ipv4Bits(address) !== null) return;
      const [first, second] = groupsOf(address) as [number, number];
      expect([address, ipv6Head(address)]).toEqual([address, (first << 16) | second] as never);
    },
  );
  fc.assert(property, { numRuns: 500, seed: 1 });
});
