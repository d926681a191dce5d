import { expect, test } from "bun:test";
import { isPrivate } from "./private-address.ts";

test.each([
  "127.0.0.1",
  "10.1.2.3",
  "10.1.2.0/24",
  "172.31.255.1",
  "192.168.0.9",
  "169.254.1.1",
  "100.127.0.1",
  "::1",
  "fd00::1",
  "fe80::1",
  "fd12:3456::/64",
])("%s is nobody on the Internet", (value) => expect(isPrivate(value)).toBe(true));

test.each([
  "128.0.0.1",
  "11.0.0.1",
  "172.32.0.1",
  "192.169.0.0/24",
  "100.128.0.1",
  "203.0.113.1",
  "2001:db8::1",
  "::2",
  "fb00::1",
  "fec0::1",
  "ff02::1",
])("%s may be anybody", (value) => expect(isPrivate(value)).toBe(false));
