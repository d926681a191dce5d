/**
 * IPv4 and IPv6 addresses and CIDR ranges. One address has one canonical text (RFC 5952), and an IPv4-mapped IPv6 address is
 * the IPv4 address, so that `::ffff:1.2.3.4` and `1.2.3.4` are the same client.
 */
import type { IpAddress } from "./ids.ts";

/** The eight 16-bit groups of an address; IPv4 is held as its IPv4-mapped form `::ffff:a.b.c.d`. */
type Groups = readonly number[];

export interface CidrRange {
  /** Canonical text: first address of the range, slash, prefix length. IPv4 lengths are 0-32. */
  readonly text: string;
  readonly groups: Groups;
  /** 0-128, counted on the mapped form: IPv4 `/24` is 120. */
  readonly prefixBits: number;
}

/** Canonical form, or `null` when `text` is no address. Zone ids (`%eth0`) are refused: they mean nothing to another machine. */
export function parseIpAddress(text: string): IpAddress | null {
  if (ipv4Bits(text) !== null) return text as IpAddress;
  const groups = parseGroups(text);
  return groups && (formatGroups(groups) as IpAddress);
}

/** A range as `address/length`, or `null`. Bits beyond the prefix are cleared, so equal ranges have equal text. */
export function parseCidrRange(text: string): CidrRange | null {
  const slash = text.indexOf("/");
  if (slash < 0 || !/^\d{1,3}$/.test(text.slice(slash + 1))) return null;
  const address = text.slice(0, slash);
  const groups = parseGroups(address);
  if (!groups) return null;
  const bits = Number(text.slice(slash + 1));
  const isIpv4 = !address.includes(":");
  if (bits > (isIpv4 ? 32 : 128)) return null;
  const prefixBits = isIpv4 ? bits + 96 : bits;
  const first = maskGroups(groups, prefixBits);
  const shownAsIpv4 = isMapped(first) && prefixBits >= 96;
  return { text: `${formatGroups(first)}/${shownAsIpv4 ? prefixBits - 96 : prefixBits}`, groups: first, prefixBits };
}

/** The address with everything after `prefixBits` cleared, as a text to look up by: equal for two addresses exactly when they are of the
 *  same network. */
export function networkKey(groups: Groups, prefixBits: number): string {
  return String.fromCharCode(...maskGroups(groups, prefixBits));
}

/** The groups of an address that `parseIpAddress` has made. */
export function groupsOf(address: IpAddress): Groups {
  return parseGroups(address) as Groups;
}

/** The first 32 bits of an IPv6 address that `parseIpAddress` has made, as a signed integer: its first two groups, read without making anything. */
export function ipv6Head(address: IpAddress): number {
  const first = address.indexOf(":");
  // Where two colons stand together, what is between them is nothing, and so are the groups that they leave out.
  return (hexOf(address, 0, first) << 16) | hexOf(address, first + 1, address.indexOf(":", first + 1));
}

/** Of lower-case digits. */
function hexOf(text: string, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i += 1) {
    const code = text.charCodeAt(i);
    value = value * 16 + (code < 58 ? code - 48 : code - 87);
  }
  return value;
}

/**
 * The 32 bits of a canonical IPv4 address as a signed integer, `null` when `text` is none: dotted decimal, no leading zeros. Nearly every
 * request takes this path, so it is one pass that allocates nothing.
 */
export function ipv4Bits(text: string): number | null {
  return ipv4BitsAt(text, 0, text.length);
}

/** The same of what stands from `start` to `end` in a longer text. */
export function ipv4BitsAt(text: string, start: number, end: number): number | null {
  const length = end - start;
  if (length < 7 || length > 15) return null;
  let bits = 0;
  let dots = 0;
  let value = -1;
  for (let i = start; i < end; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      if (value < 0) return null;
      bits = (bits << 8) | value;
      dots += 1;
      value = -1;
    } else if (code >= 48 && code <= 57) {
      if (value === 0) return null;
      value = (value < 0 ? 0 : value * 10) + (code - 48);
      if (value > 255) return null;
    } else return null;
  }
  return dots === 3 && value >= 0 ? (bits << 8) | value : null;
}

/** The same of the bytes from `start` to `end`, of an address that was canonical when it was written. */
export function ipv4BitsOf(bytes: Uint8Array, start: number, end: number): number | null {
  let bits = 0;
  let dots = 0;
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] as number;
    if (byte === 46) {
      bits = (bits << 8) | value;
      dots += 1;
      value = 0;
    } else if (byte >= 48 && byte <= 57) value = value * 10 + byte - 48;
    else return null;
  }
  return dots === 3 ? (bits << 8) | value : null;
}

/** The canonical text of an IPv4 address. */
export const ipv4Text = (bits: number): string => `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;

/** What an IPv4 network of this prefix length (0-32) keeps of an address. */
export const ipv4Mask = (prefixBits: number): number => (prefixBits === 0 ? 0 : -1 << (32 - prefixBits));

function ipv4Groups(text: string): [number, number] | null {
  const bits = ipv4Bits(text);
  return bits === null ? null : [bits >>> 16, bits & 0xffff];
}

function parseGroups(text: string): Groups | null {
  if (text.length > 45) return null;
  if (!text.includes(":")) {
    const ipv4 = ipv4Groups(text);
    return ipv4 && [0, 0, 0, 0, 0, 0xffff, ...ipv4];
  }
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = parseSide(halves[0] as string, halves.length === 1);
  const tail = halves.length === 2 ? parseSide(halves[1] as string, true) : [];
  if (!head || !tail) return null;
  const missing = 8 - head.length - tail.length;
  // "::" stands for at least one group; without it all eight are there.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** The groups on one side of `::`; a dotted IPv4 tail is allowed where the address ends. */
function parseSide(side: string, endsAddress: boolean): number[] | null {
  if (side === "") return [];
  const parts = side.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (part.includes(".")) {
      const ipv4 = endsAddress && index === parts.length - 1 ? ipv4Groups(part) : null;
      if (!ipv4) return null;
      groups.push(...ipv4);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return null;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

function isMapped(groups: Groups): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}

function formatGroups(groups: Groups): string {
  if (isMapped(groups)) {
    const [high, low] = groups.slice(6) as [number, number];
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  }
  // RFC 5952: the longest run of two or more zero groups is shortened, the first one when there are several.
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.start < 0) return hex.join(":");
  return `${hex.slice(0, best.start).join(":")}::${hex.slice(best.start + best.length).join(":")}`;
}

function maskGroups(groups: Groups, prefixBits: number): Groups {
  return groups.map((group, index) => {
    const kept = Math.min(16, Math.max(0, prefixBits - index * 16));
    return group & (0xffff << (16 - kept)) & 0xffff;
  });
}
