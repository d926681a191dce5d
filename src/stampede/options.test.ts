import { expect, test } from "bun:test";
import { readStampedeSettings, type StampedeSettings } from "./options.ts";

function settingsOf(given: Record<string, unknown>): StampedeSettings {
  const read = readStampedeSettings(given);
  if ("error" in read) throw new Error(read.error);
  return read.settings;
}

test("without options it goes for the demo goods on this machine", () => {
  const settings = settingsOf({});
  expect(settings.gate.origin).toBe("http://127.0.0.1:8080");
  expect([settings.protector.port, settings.inventory.port, settings.cart.port]).toEqual([8081, 8083, 8084]);
  expect(settings.sku as string).toBe("SKU0001");
  expect(settings.buyers).toBe(20_000);
});

test("the other services are looked for beside the gate, unless they are named", () => {
  const settings = settingsOf({ url: "http://[::1]:9080", cartUrl: "http://cart.example:80" });
  expect(settings.gate.host).toBe("::1");
  expect(settings.inventory).toEqual({ host: "::1", port: 9083, origin: "http://[::1]:9083" });
  expect(settings.cart).toEqual({ host: "cart.example", port: 80, origin: "http://cart.example" });
});

test("with the port offset of the system it goes for that system", () => {
  const settings = settingsOf({ portOffset: "1000" });
  expect(settings.gate.origin).toBe("http://127.0.0.1:9080");
  expect([settings.protector.port, settings.inventory.port, settings.cart.port]).toEqual([9081, 9083, 9084]);
});

test("there are no attackers unless they are asked for, and then they are of all kinds", () => {
  expect(settingsOf({})).toMatchObject({ bots: 0, isShared: false });
  const { botKinds, isShared } = settingsOf({ bots: "200" });
  expect(botKinds).toEqual(["flood", "accounts", "rotating", "early", "squat", "malformed"]);
  // What bots buy would otherwise count as frozen for nobody.
  expect(isShared).toBe(true);
  expect(settingsOf({ bots: "2", botKinds: "flood, squat" }).botKinds).toEqual(["flood", "squat"]);
});

const refused: readonly [Record<string, unknown>, RegExp][] = [
  [{ buyers: "0" }, /^--buyers: "0" is out of range; give a whole number from 1 to/],
  [{ rate: "fast" }, /^--rate: "fast" is no whole number; give/],
  [{ repeatShare: "1.5" }, /^--repeat-share: "1.5" is out of range; give a number from 0 to 1/],
  [{ badShare: "-0.1" }, /^--bad-share: "-0.1" is no share/],
  [{ url: "https://shop.example" }, /^--url: .* is no http:\/\/ URL; give http:\/\/host:port/],
  [{ url: "http://shop.example/buy" }, /^--url: .* is more than http:\/\/host:port/],
  [{ url: "http://shop.example:65535" }, /^--url: port 65536 does not exist; give --protect-url/],
  [{ bots: "-1" }, /^--bots: "-1" is no whole number/],
  [{ bots: "5", botKinds: "flood,zombie" }, /^--bot-kinds: "flood,zombie" is no kind of bot; give some of flood, accounts/],
  [{ sku: "" }, /^--sku: "" is no SKU/],
  [{ repeatShare: "0.6", badShare: "0.5" }, /^--repeat-share and --bad-share: together they are more than 1/],
  [{ portOffset: "50001" }, /^--port-offset: "50001" is out of range; give a whole number from 0 to/],
  [{ portOffset: "1", url: "http://127.0.0.1:9080" }, /^--port-offset: goes with the default --url only/],
  [{ speed: "1" }, /^--speed: there is no such option/],
];

for (const [given, line] of refused) {
  test(`${JSON.stringify(given)} is refused in one line`, () => {
    const read = readStampedeSettings(given);
    expect("error" in read && read.error).toMatch(line);
    expect("error" in read && read.error).not.toContain("\n");
  });
}

test("a refused admin key is not repeated", () => {
  const read = readStampedeSettings({ adminKey: "secret with spaces" });
  expect("error" in read && read.error).toBe("--admin-key: what was given is no usable key; give visible ASCII characters");
});
