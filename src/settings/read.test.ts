import { describe, expect, test } from "bun:test";
import { FROZEN_FOR_MS_MAX } from "../limits.ts";
import { DEFAULT_SCENARIOS } from "../traffic/default-scenarios.ts";
import { flagOf, variableOf } from "./kinds.ts";
import { configFileNamed, configKeyOf, readSettings, type SettingSources } from "./read.ts";
import { hostListenedOn, SERVICE_NAMES, SETTINGS, type Settings } from "./table.ts";

const nothing: SettingSources = { flags: {}, environment: {}, configFileText: null };
const KEY = "correct-horse-battery";

function settingsOf(sources: Partial<SettingSources>): Settings {
  const read = readSettings({ ...nothing, ...sources });
  if ("error" in read) throw new Error(read.error);
  return read.settings;
}

function errorOf(sources: Partial<SettingSources>): string {
  const read = readSettings({ ...nothing, ...sources });
  if ("settings" in read) throw new Error("accepted");
  return read.error;
}

describe("the sources of settings", () => {
  test("without any, every setting has its default", () => {
    const unlimited = { ratePerSecond: null, burst: 1 };
    expect(settingsOf({})).toEqual({
      data: "./doorbuster-data",
      host: "127.0.0.1",
      portOffset: 0,
      adminKey: null,
      demo: false,
      shop: {
        saleAvailability: "rough",
        currency: "usd",
        paymentWindowMs: 900_000,
        identity: { kind: "trusted", proxies: { trusted: [], header: "x-forwarded-for" } },
        isIdentityChosen: false,
        providers: { stripe: null, generic: null },
      },
      console: { isOn: true, quietMsMax: 7_200_000 },
      registry: { peerUrls: [] },
      postgres: null,
      redis: [],
      topology: {
        gates: null,
        instance: null,
        metricsPort: null,
        advertise: null,
        gateUrl: null,
        registries: [],
        services: { "safe-protector": [], "policy-controller": [], "inventory-manager": [], "shopping-cart": [] },
        redisReplicasMin: 0,
        wholeTurns: false,
        drainForMs: 0,
        waitForStoresMs: 30_000,
        whenDown: { protect: "closed", policy: "closed" },
      },
      frozenForMs: 1_800_000,
      throttles: {
        "gate-keeper": unlimited,
        "safe-protector": unlimited,
        "policy-controller": unlimited,
        "inventory-manager": unlimited,
        "shopping-cart": unlimited,
      },
      tracing: null,
      accessStream: null,
      traffic: {
        ...{ isOn: true, scenarios: DEFAULT_SCENARIOS },
        keep: { keptMs: 6 * 3_600_000, keptBytes: 2 * 1024 ** 3, sinkUrl: null },
      },
      accessLog: { fileBytesMax: 64 * 1024 * 1024, filesMax: 8 },
    });
  });

  test("a flag wins over a variable, a variable over the file, the file over the default", () => {
    const file = { configFileText: '{"frozenFor": "3m"}' };
    const variable = { environment: { DOORBUSTER_FROZEN_FOR: "2m" } };
    const flag = { flags: { frozenFor: "1m" } };
    expect(settingsOf({ ...file, ...variable, ...flag }).frozenForMs).toBe(60_000);
    expect(settingsOf({ ...file, ...variable }).frozenForMs).toBe(120_000);
    expect(settingsOf(file).frozenForMs).toBe(180_000);
  });

  test("the file may write a number as a number and a switch as a boolean", () => {
    const settings = settingsOf({ configFileText: '{"portOffset": 100, "demo": true, "frozenFor": 90, "gateKeeperRate": 0.5}' });
    expect(settings).toMatchObject({ portOffset: 100, demo: true, frozenForMs: 90_000 });
    expect(settings.throttles["gate-keeper"]).toEqual({ ratePerSecond: 0.5, burst: 1 });
  });

  test("a switch that a variable turned on is turned off by its flag", () => {
    const environment = { DOORBUSTER_DEMO: "true" };
    expect(settingsOf({ environment }).demo).toBe(true);
    expect(settingsOf({ environment, flags: { demo: false } }).demo).toBe(false);
  });

  test("other variables of the environment are nobody's business", () => {
    expect(settingsOf({ environment: { PATH: "/bin", doorbuster_demo: "true" } }).demo).toBe(false);
  });

  test("the file is named by the flag, otherwise by the variable", () => {
    const environment = { DOORBUSTER_CONFIG: "b.json" };
    expect(configFileNamed({ flags: { config: "a.json" }, environment })).toEqual({ path: "a.json" });
    expect(configFileNamed({ flags: {}, environment })).toEqual({ path: "b.json" });
    expect(configFileNamed({ flags: {}, environment: {} })).toEqual({ path: null });
  });
});

describe("a setting's names", () => {
  test("are spelled from one word", () => {
    const frozenFor = SETTINGS.find(({ name }) => name === "frozenFor")!;
    expect([flagOf(frozenFor), configKeyOf(frozenFor), variableOf(frozenFor)]).toEqual([
      "--frozen-for",
      "frozenFor",
      "DOORBUSTER_FROZEN_FOR",
    ]);
  });

  test("every default that is written down is accepted as a value", () => {
    const written = SETTINGS.filter(({ defaultText }) => defaultText !== "none" && !defaultText.startsWith("the "));
    expect(written.length).toBeGreaterThan(10);
    for (const { name, defaultText, fallback, parse } of written) {
      // Whether the identity was chosen counts too, so its default does not stand in its place.
      expect({ [name]: parse(defaultText) }).toEqual({ [name]: { value: name === "identity" ? "trusted" : fallback } });
    }
  });
});

describe("bounds", () => {
  const accepted: [string, unknown[], unknown[]][] = [
    ["frozenFor", ["1s", `${FROZEN_FOR_MS_MAX}ms`, "24h"], ["0", "999ms", `${FROZEN_FOR_MS_MAX + 1}ms`, "30 min", "-1s", "1e3", ""]],
    ["portOffset", ["0", "50000"], ["50001", "-1", "1.5", "0x10", "", "ten"]],
    ["adminKey", ["x".repeat(16), "x".repeat(256)], ["x".repeat(15), "x".repeat(257), "sixteen chars ok", "schlüsselschlüssel", ""]],
    ["gateKeeperRate", ["0.001", "1000000", "1e3", "unlimited"], ["0", "-1", "1000001", "1e999", "NaN", "Infinity", ""]],
    ["accessLogFileMegabytes", ["1", "10240"], ["0", "10241"]],
    ["accessLogFiles", ["1", "1000"], ["0", "1001"]],
    ["host", ["0.0.0.0", "::1", "localhost", "shop.example"], ["", "a b", "http://x", "[::1]"]],
    ["data", ["x", "/var/lib/doorbuster", "./-x"], ["", "-x", "--demo", "a\0b", "a\nb"]],
    ["demo", ["true", "1", "false", "0"], ["yes", "", "TRUE"]],
  ];
  for (const [name, good, bad] of accepted) {
    test(`${name} takes what is within its bounds and nothing else`, () => {
      for (const value of good) expect(readSettings({ ...nothing, flags: { [name]: value } })).toHaveProperty("settings");
      for (const value of bad) expect(readSettings({ ...nothing, flags: { [name]: value } })).toHaveProperty("error");
    });
  }

  test("every service has a throttle of its own, whose burst is the rate rounded up unless given", () => {
    for (const service of SERVICE_NAMES) {
      const name = service.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
      const throttles = settingsOf({ flags: { [`${name}Rate`]: "2.5" } }).throttles;
      expect(throttles[service]).toEqual({ ratePerSecond: 2.5, burst: 3 });
      expect(Object.values(throttles).filter(({ ratePerSecond }) => ratePerSecond !== null)).toHaveLength(1);
      expect(settingsOf({ flags: { [`${name}Rate`]: "2.5", [`${name}Burst`]: "9" } }).throttles[service]).toEqual({
        ratePerSecond: 2.5,
        burst: 9,
      });
    }
  });

  test("a burst without a rate is refused, because it would limit nothing", () => {
    expect(errorOf({ environment: { DOORBUSTER_SHOPPING_CART_BURST: "5" } })).toBe(
      "DOORBUSTER_SHOPPING_CART_BURST: means nothing without a rate; give --shopping-cart-rate too",
    );
  });
});

describe("a message about a bad setting", () => {
  test("names the setting, where it came from, what was given and what is allowed", () => {
    expect(errorOf({ flags: { frozenFor: "abc" } })).toBe('--frozen-for: "abc" is no duration; give 1s to 24h, for example 30m');
    expect(errorOf({ environment: { DOORBUSTER_PORT_OFFSET: "50001" } })).toBe(
      'DOORBUSTER_PORT_OFFSET: "50001" is out of range; give a whole number from 0 to 50000',
    );
    expect(errorOf({ configFileText: '{"demo": 1}' })).toBe('"demo" (in the configuration file): 1 has the wrong type; give true or false');
  });

  test("names what does not exist, whichever source it stands in", () => {
    expect(errorOf({ flags: { frozen: "1m" } })).toContain("--frozen: there is no such setting");
    expect(errorOf({ environment: { DOORBUSTER_FROZEN: "1m" } })).toContain("DOORBUSTER_FROZEN: there is no such setting");
    expect(errorOf({ configFileText: '{"frozen-for": "1m"}' })).toContain(
      '"frozen-for" (in the configuration file): there is no such setting',
    );
    expect(errorOf({ configFileText: '{"__proto__": {}, "constructor": 1}' })).toContain("there is no such setting");
  });

  test("comes also for what a stronger source would have overruled", () => {
    expect(errorOf({ flags: { portOffset: "1" }, environment: { DOORBUSTER_PORT_OFFSET: "x" } })).toContain("DOORBUSTER_PORT_OFFSET");
  });

  test("comes for a file that is no JSON object, or names another file", () => {
    for (const text of ["", "{", "[]", "null", "7", '"x"'])
      expect(errorOf({ configFileText: text })).toContain("the configuration file is");
    expect(errorOf({ configFileText: '{"config": "other.json"}' })).toContain("cannot name another");
  });

  test("is one short line, whatever was given", () => {
    const hostile = `${"x\n\r\u2028\u0085\u001b[2J".repeat(50)}`;
    const messages = [
      errorOf({ flags: { frozenFor: hostile } }),
      errorOf({ flags: { [hostile]: "1" } }),
      errorOf({ environment: { [`DOORBUSTER_${hostile}`]: "1" } }),
      errorOf({ configFileText: JSON.stringify({ [hostile]: 1 }) }),
      errorOf({ configFileText: JSON.stringify({ portOffset: { deep: hostile } }) }),
    ];
    for (const message of messages) {
      expect(message).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      expect(message.length).toBeLessThan(300);
    }
  });

  test("never contains the admin key, even a wrong one", () => {
    const wrong = "tiny-secret";
    const messages = [
      errorOf({ flags: { adminKey: wrong } }),
      errorOf({ environment: { DOORBUSTER_ADMIN_KEY: wrong } }),
      errorOf({ configFileText: JSON.stringify({ adminKey: wrong }) }),
      errorOf({ configFileText: JSON.stringify({ adminKey: [wrong] }) }),
      errorOf({ configFileText: `{"adminKey": "${wrong}` }),
      errorOf({ environment: { DOORBUSTER_ADMIN_KEYS: wrong } }),
    ];
    for (const message of messages) expect(message).not.toContain(wrong);
  });
});

describe("protected mode", () => {
  test("without an admin key nothing but this machine is listened to", () => {
    expect(hostListenedOn({ host: "0.0.0.0", adminKey: null })).toBe("127.0.0.1");
    expect(hostListenedOn({ host: "127.0.0.1.example", adminKey: null })).toBe("127.0.0.1");
    expect(hostListenedOn({ host: "::1", adminKey: null })).toBe("::1");
    expect(hostListenedOn({ host: "127.0.0.2", adminKey: null })).toBe("127.0.0.2");
  });

  test("with one, the host is what was asked for", () => {
    expect(hostListenedOn({ host: "0.0.0.0", adminKey: KEY })).toBe("0.0.0.0");
  });
});
