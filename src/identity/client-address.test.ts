import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseIpAddress } from "../core/ip-address.ts";
import { FORWARDED_HOPS_MAX, TRUSTED_PROXIES_MAX } from "../limits.ts";
import { ClientAddresses, type ForwardingHeader, parseTrustedProxies } from "./client-address.ts";

interface Case {
  readonly trusted?: string;
  readonly header?: ForwardingHeader;
  readonly peer: string;
  readonly xff?: string;
  readonly forwarded?: string;
}

function addressOf({ trusted, header = "x-forwarded-for", peer, xff, forwarded }: Case): string {
  const ranges = trusted === undefined ? [] : parseTrustedProxies(trusted);
  if (ranges === null) throw new Error("the test's proxies are no proxies");
  const headers = new Map(Object.entries({ "x-forwarded-for": xff, forwarded }));
  return new ClientAddresses({ trusted: ranges, header }).of({
    headers: { get: (name) => headers.get(name) ?? null },
    peer: () => peer,
  });
}

const OURS = "10.0.0.0/8, 2001:db8:1::/48";

describe("the client's address", () => {
  test.each<[string, Case, string]>([
    ["is the socket's when no proxy is trusted", { peer: "10.0.0.1", xff: "192.0.2.7" }, "10.0.0.1"],
    ["is the socket's when that is no trusted proxy", { trusted: OURS, peer: "198.51.100.1", xff: "192.0.2.7" }, "198.51.100.1"],
    ["is the socket's when the proxy has sent no header", { trusted: OURS, peer: "10.0.0.1" }, "10.0.0.1"],
    ["is what the trusted proxy has seen", { trusted: OURS, peer: "10.0.0.1", xff: "192.0.2.7" }, "192.0.2.7"],
    [
      "is not what the client has written before that",
      { trusted: OURS, peer: "10.0.0.1", xff: "127.0.0.1, 203.0.113.5, 192.0.2.7" },
      "192.0.2.7",
    ],
    ["is found behind several trusted proxies", { trusted: OURS, peer: "10.0.0.1", xff: "6.6.6.6, 192.0.2.7, 10.1.1.1" }, "192.0.2.7"],
    ["is the farthest trusted proxy when there is nothing else", { trusted: OURS, peer: "10.0.0.1", xff: "10.2.2.2,10.1.1.1" }, "10.2.2.2"],
    ["stays at the last good one before what is malformed", { trusted: OURS, peer: "10.0.0.1", xff: "192.0.2.7, x, 10.1.1.1" }, "10.1.1.1"],
    ["stays at the proxy when the nearest entry is malformed", { trusted: OURS, peer: "10.0.0.1", xff: "192.0.2.7, unknown" }, "10.0.0.1"],
    ["stays at the proxy when the nearest entry is empty", { trusted: OURS, peer: "10.0.0.1", xff: "192.0.2.7," }, "10.0.0.1"],
    ["stays at the proxy when the header is empty", { trusted: OURS, peer: "10.0.0.1", xff: "" }, "10.0.0.1"],
    ["may come with a port", { trusted: OURS, peer: "10.0.0.1", xff: "192.0.2.7:51234" }, "192.0.2.7"],
    ["may be IPv6", { trusted: OURS, peer: "2001:db8:1::9", xff: "2001:DB8:0:0::7" }, "2001:db8::7"],
    ["may be IPv6 in brackets", { trusted: OURS, peer: "10.0.0.1", xff: "[2001:db8::7]" }, "2001:db8::7"],
    ["may be IPv6 in brackets with a port", { trusted: OURS, peer: "10.0.0.1", xff: "[2001:db8::7]:443" }, "2001:db8::7"],
    ["is canonical, also the socket's", { peer: "::ffff:192.0.2.7" }, "192.0.2.7"],
    ["is trusted in its canonical form", { trusted: OURS, peer: "::ffff:10.0.0.1", xff: "192.0.2.7" }, "192.0.2.7"],
    ["is without the zone of our interface", { peer: "fe80::1%eth0" }, "fe80::1"],
    ["is nowhere when the client has gone", { trusted: OURS, peer: "", xff: "192.0.2.7" }, "0.0.0.0"],
    ["is not taken from an IPv4 proxy by an IPv6 range", { trusted: "::/0", peer: "10.0.0.1", xff: "192.0.2.7" }, "10.0.0.1"],
    ["is taken from a proxy that is one address", { trusted: "10.0.0.1", peer: "10.0.0.1", xff: "192.0.2.7" }, "192.0.2.7"],
    ["is not taken from that proxy's neighbour", { trusted: "10.0.0.1", peer: "10.0.0.2", xff: "192.0.2.7" }, "10.0.0.2"],
  ])("%s", (_, given, expected) => {
    expect(addressOf(given)).toBe(expected);
  });

  test.each<[string, string, string]>([
    ["plain", "for=192.0.2.7", "192.0.2.7"],
    ["among other parameters, whatever their order and case", 'proto=https;FOR=192.0.2.7;by="_gate";host=shop', "192.0.2.7"],
    ["quoted", 'for="192.0.2.7"', "192.0.2.7"],
    ["quoted, with a port", 'for="192.0.2.7:4711"', "192.0.2.7"],
    ["quoted, with an obfuscated port", 'for="192.0.2.7:_p"', "192.0.2.7"],
    ["IPv6 in quotes and brackets", 'for="[2001:db8::7]"', "2001:db8::7"],
    ["IPv6 in quotes and brackets, with a port", 'for="[2001:db8::7]:4711"', "2001:db8::7"],
    ["the nearest of several", 'for=6.6.6.6, for="192.0.2.7";proto=https', "192.0.2.7"],
    ["behind another trusted proxy", "for=6.6.6.6, for=192.0.2.7, for=10.1.1.1", "192.0.2.7"],
    ["behind a quote that the client has left open", 'for="6.6.6.6, for=192.0.2.7', "192.0.2.7"],
    ["unknown", "for=192.0.2.7, for=unknown", "10.0.0.1"],
    ["obfuscated", "for=_hidden", "10.0.0.1"],
    ["missing", "proto=https;by=10.0.0.9", "10.0.0.1"],
    ["twice in one element", "for=192.0.2.7;for=192.0.2.8", "10.0.0.1"],
    ["followed by what is no pair", "for=192.0.2.7;proto", "10.0.0.1"],
    ["inside another parameter's quotes", 'for=192.0.2.7;host="x,for=6.6.6.6;y=z"', "10.0.0.1"],
    ["inside another parameter's quotes, with a quote of its own", 'for=192.0.2.7;host="x,for=6.6.6.6;y=\\"z"', "10.0.0.1"],
  ])("in Forwarded: %s", (_, forwarded, expected) => {
    expect(addressOf({ trusted: OURS, header: "forwarded", peer: "10.0.0.1", forwarded })).toBe(expected);
  });

  test("comes from the configured header alone when the client sends the other one", () => {
    const both = { trusted: OURS, peer: "10.0.0.1", xff: "192.0.2.7", forwarded: "for=192.0.2.8" };
    expect(addressOf(both)).toBe("192.0.2.7");
    expect(addressOf({ ...both, header: "forwarded" })).toBe("192.0.2.8");
    expect(addressOf({ trusted: OURS, peer: "10.0.0.1", forwarded: "for=192.0.2.8" })).toBe("10.0.0.1");
  });

  test("is looked for no farther than the bound", () => {
    const hops = Array.from({ length: FORWARDED_HOPS_MAX }, (_, index) => `10.0.1.${index}`).join(", ");
    expect(addressOf({ trusted: OURS, peer: "10.0.0.1", xff: `192.0.2.7, ${hops}` })).toBe("10.0.1.0");
  });

  test("is one whatever is sent, and one that the nearest proxy has not named is never believed", () => {
    const pieces = fc.constantFrom(
      ...'192.0.2.7 10.0.0.2 [ ] : :80 :: 2001:db8::7 for= FOR= proto= host= unknown _x , ; " \\ = \t % é'.split(" "),
    );
    const text = fc.oneof(
      fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join("")),
      fc.string({ maxLength: 200, unit: "binary" }),
    );
    fc.assert(
      fc.property(text, text, fc.constantFrom<ForwardingHeader>("forwarded", "x-forwarded-for"), (peer, sent, header) => {
        const given = { trusted: OURS, header, xff: sent, forwarded: sent };
        expect(parseIpAddress(addressOf({ ...given, peer }))).not.toBeNull();
        expect(parseIpAddress(addressOf({ ...given, peer: "10.0.0.1" }))).not.toBeNull();
        const appended = header === "forwarded" ? `${sent}, for=198.51.100.4` : `${sent}, 198.51.100.4`;
        expect(addressOf({ ...given, peer: "10.0.0.1", xff: appended, forwarded: appended })).toBe("198.51.100.4");
      }),
      { numRuns: 3_000, seed: 1 },
    );
  });
});

describe("the list of trusted proxies", () => {
  test("takes addresses and ranges of both families", () => {
    expect(parseTrustedProxies("10.0.0.1, 192.168.0.0/16,::1,2001:db8::/32")?.map(({ text }) => text)).toEqual([
      "10.0.0.1/32",
      "192.168.0.0/16",
      "::1/128",
      "2001:db8::/32",
    ]);
  });

  test.each(["", "10.0.0", "10.0.0.0/33", "proxy.local", "10.0.0.1,", "10.0.0.1 10.0.0.2"])("refuses %p", (text) => {
    expect(parseTrustedProxies(text)).toBeNull();
  });

  test("refuses more than the bound", () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `10.0.0.${index}`).join(",");
    expect(parseTrustedProxies(many(TRUSTED_PROXIES_MAX))).toHaveLength(TRUSTED_PROXIES_MAX);
    expect(parseTrustedProxies(many(TRUSTED_PROXIES_MAX + 1))).toBeNull();
  });
});
