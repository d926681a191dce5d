/**
 * Where a request comes from, when proxies stand before us. A forwarding header can be written by anybody; only what a proxy of ours has
 * added to it is true. So the way is walked back from the socket: while the address at hand is a trusted proxy, the next entry to the left
 * is what that proxy saw. The first address that is no trusted proxy is the client. An entry that is no address ends the walk at the
 * address that is known by then.
 *
 * Reads `X-Forwarded-For` or `Forwarded` (RFC 7239), whichever the operator has named and never both: a proxy that writes one of them
 * passes the other on as the client has sent it.
 */
import type { IpAddress } from "../core/ids.ts";
import { type CidrRange, groupsOf, ipv4Bits, ipv4Mask, networkKey, parseCidrRange, parseIpAddress } from "../core/ip-address.ts";
import { FORWARDED_HOPS_MAX, TRUSTED_PROXIES_MAX } from "../limits.ts";

export type ForwardingHeader = "x-forwarded-for" | "forwarded";

export interface ProxySettings {
  /** Empty: nobody is trusted, and the socket's address counts. */
  readonly trusted: readonly CidrRange[];
  readonly header: ForwardingHeader;
}

export interface Arriving {
  readonly headers: { get(name: string): string | null };
  /** The socket's address. */
  peer(): string;
}

/** Whose socket has no address any more: the client has gone, and nobody reads the answer. */
const NOWHERE = "0.0.0.0" as IpAddress;

export class ClientAddresses {
  readonly #header: ForwardingHeader;
  readonly #ipv4: readonly { readonly network: number; readonly mask: number }[];
  readonly #ipv6: readonly { readonly network: string; readonly prefixBits: number }[];

  constructor({ trusted, header }: ProxySettings) {
    this.#header = header;
    this.#ipv4 = trusted.filter(isIpv4Range).map(({ text, prefixBits }) => {
      const mask = ipv4Mask(prefixBits - 96);
      return { network: (ipv4Bits(text.slice(0, text.indexOf("/"))) as number) & mask, mask };
    });
    this.#ipv6 = trusted
      .filter((range) => !isIpv4Range(range))
      .map(({ groups, prefixBits }) => ({ network: networkKey(groups, prefixBits), prefixBits }));
  }

  of(arriving: Arriving): IpAddress {
    const address = peerAddress(arriving.peer());
    if (!this.#isTrusted(address)) return address;
    const header = arriving.headers.get(this.#header);
    return header === null ? address : this.#walk(address, header);
  }

  /** Several headers of one name arrive as one text, joined by commas in the order in which they were written. */
  #walk(from: IpAddress, header: string): IpAddress {
    const addressOf = this.#header === "forwarded" ? addressOfElement : addressOfNode;
    let address = from;
    let end = header.length;
    for (let hop = 0; hop < FORWARDED_HOPS_MAX && end >= 0 && this.#isTrusted(address); hop += 1) {
      // A comma inside quotes ends an entry too: no address has one, and the half that is left over is no entry.
      const comma = end === 0 ? -1 : header.lastIndexOf(",", end - 1);
      const found = addressOf(header.slice(comma + 1, end).trim());
      if (found === null) break;
      address = found;
      end = comma;
    }
    return address;
  }

  #isTrusted(address: IpAddress): boolean {
    const bits = ipv4Bits(address);
    if (bits !== null) return this.#ipv4.some(({ network, mask }) => (bits & mask) === network);
    if (this.#ipv6.length === 0) return false;
    const groups = groupsOf(address);
    return this.#ipv6.some(({ network, prefixBits }) => networkKey(groups, prefixBits) === network);
  }
}

/** Addresses and ranges separated by commas, `null` when one of them is neither, or when there are too many. */
export function parseTrustedProxies(text: string): readonly CidrRange[] | null {
  const ranges: CidrRange[] = [];
  for (const part of text.split(",", TRUSTED_PROXIES_MAX + 1)) {
    const entry = part.trim();
    const range = parseCidrRange(entry.includes("/") ? entry : `${entry}/${entry.includes(":") ? 128 : 32}`);
    if (range === null || ranges.length === TRUSTED_PROXIES_MAX) return null;
    ranges.push(range);
  }
  return ranges;
}

/** An IPv6 range never trusts an IPv4 address: whoever writes `::/0` thinks of IPv6. */
const isIpv4Range = ({ text }: CidrRange): boolean => !text.includes(":");

/** A link-local peer carries the name of our own interface, which is no part of its address. */
function peerAddress(text: string): IpAddress {
  const zone = text.indexOf("%");
  return parseIpAddress(zone < 0 ? text : text.slice(0, zone)) ?? NOWHERE;
}

/** An address, alone or with a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`. What RFC 7239 calls
 *  obfuscated (`unknown`, `_hidden`) is no address. */
function addressOfNode(node: string): IpAddress | null {
  const bare = parseIpAddress(node);
  if (bare !== null) return bare;
  const [, bracketed, dotted] = nodePattern.exec(node) ?? [];
  const text = bracketed ?? dotted;
  return text === undefined ? null : parseIpAddress(text);
}

const nodePattern = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9.]{7,15}))(?::(?:\d{1,5}|_[\w.-]{1,64}))?$/;

/** The address behind `for=` in one element of `Forwarded`; `null` when it has none, two, or is malformed anywhere. */
function addressOfElement(element: string): IpAddress | null {
  let node: string | null = null;
  let readTo = 0;
  for (const { 0: pair, 1: name = "", 2: quoted, 3: bare, index } of element.matchAll(pairPattern)) {
    readTo = index + pair.length;
    if (name.toLowerCase() !== "for") continue;
    if (node !== null) return null;
    node = quoted ?? bare ?? "";
  }
  return node === null || readTo < element.length ? null : addressOfNode(node);
}

/** `name=value`, up to the next semicolon. A value without quotes may hold what strictly needs them, as some proxies write it. */
const pairPattern = /\s*([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"\\]+))\s*(?:;|$)/gy;
