import { describe, expect, test } from "bun:test";
import { REGISTRY_PEERS_MAX } from "../limits/registry.ts";
import { readSettings } from "./read.ts";

const read = (registryPeers: string) => readSettings({ flags: { registryPeers }, environment: {}, configFileText: null });
const peersOf = (given: string): unknown => {
  const result = read(given);
  return "settings" in result ? result.settings.registry.peerUrls : result.error;
};

describe("the peers of a registry", () => {
  test.each([
    ["http://r2:8761", ["http://r2:8761/eureka"]],
    ["http://r2:8761/", ["http://r2:8761/eureka"]],
    ["http://r2:8761/eureka/", ["http://r2:8761/eureka"]],
    ["https://r2/registry/eureka/v2", ["https://r2/registry/eureka/v2"]],
    ["http://r2:8761, http://[::1]:8762/eureka", ["http://r2:8761/eureka", "http://[::1]:8762/eureka"]],
    ["http://r2:8761,http://r2:8761/eureka", ["http://r2:8761/eureka"]],
  ])("%s are %j", (given, expected) => expect(peersOf(given)).toEqual(expected));

  test.each(["", "r2:8761", "ftp://r2", "http://", "http://user:secret@r2", "http://r2?x", "http://r2,", "http://r2:99999"])(
    "%p is refused in words that say what to give",
    (given) => expect(peersOf(given)).toMatch(/^--registry-peers: .* give at most \d+ addresses/),
  );

  test("are not too many", () => {
    const urls = (count: number) => Array.from({ length: count }, (_, index) => `http://r${index}`).join(",");
    expect(peersOf(urls(REGISTRY_PEERS_MAX))).toHaveLength(REGISTRY_PEERS_MAX);
    expect(peersOf(urls(REGISTRY_PEERS_MAX + 1))).toContain(`more than ${REGISTRY_PEERS_MAX}`);
  });
});
