/**
 * Addresses that no client on the Internet has: loopback, private, link-local. Whoever comes from there is a proxy of ours that was not named as one
 * (then every shopper seems to), this machine, or a test. Nothing is learned about them: one decision would shut everybody out.
 */
import { ipv4Bits, ipv4Mask } from "../core/ip-address.ts";

/** RFC 1122, 1918, 3927 and 6598. */
const IPV4 = [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
  ["100.64.0.0", 10],
].map(([address, bits]) => ({ network: ipv4Bits(address as string) as number, mask: ipv4Mask(bits as number) }));
/** RFC 4193 and 4291, in canonical form. */
const IPV6 = /^(::1?$|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/;

/** @param value an address, or a network as a CIDR range */
export function isPrivate(value: string): boolean {
  const slash = value.indexOf("/");
  const address = slash < 0 ? value : value.slice(0, slash);
  const bits = ipv4Bits(address);
  return bits === null ? IPV6.test(address) : IPV4.some(({ network, mask }) => (bits & mask) === network);
}
