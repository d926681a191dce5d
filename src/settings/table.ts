/**
 * Every setting of `start`, once: its flag, its key in the configuration file and its variable are all spelled from its name
 * (`frozenFor`: `--frozen-for`, `frozenFor`, `DOORBUSTER_FROZEN_FOR`).
 */
import type { TokenBucketSettings } from "../core/token-bucket.ts";
import { FROZEN_FOR_MS_MAX } from "../limits.ts";
import { CONSOLE_SETTINGS, type ConsoleSettings, consoleSettingsFrom } from "./console.ts";
import { duration, integer, onOff, rate, type Setting, text } from "./kinds.ts";
import { REGISTRY_SETTINGS, type RegistrySettings, registrySettingsFrom } from "./registry.ts";
import { SHOP_SETTINGS, type ShopSettings, shopSettingsFrom } from "./shop.ts";
import { STORE_SETTINGS, type StoreSettings, storeSettingsFrom } from "./stores.ts";
import { TOPOLOGY_SETTINGS, type TopologySettings, topologySettingsFrom } from "./topology.ts";
import { accessStreamFrom, TRACING_SETTINGS, type TracingSettings, tracingSettingsFrom } from "./tracing.ts";
import { TRAFFIC_SETTINGS, type TrafficSettings, trafficSettingsFrom } from "./traffic.ts";

/** The services that have a throttle of their own. */
export const SERVICE_NAMES = ["gate-keeper", "safe-protector", "policy-controller", "inventory-manager", "shopping-cart"] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

export interface Settings extends StoreSettings {
  readonly data: string;
  readonly host: string;
  readonly portOffset: number;
  /** `null`: protected mode, the process listens on loopback only. */
  readonly adminKey: string | null;
  readonly demo: boolean;
  readonly shop: ShopSettings;
  readonly topology: TopologySettings;
  readonly registry: RegistrySettings;
  readonly console: ConsoleSettings;
  readonly frozenForMs: number;
  readonly throttles: Readonly<Record<ServiceName, TokenBucketSettings>>;
  /** `null`: no purchase is traced. */
  readonly tracing: TracingSettings | null;
  /** Whether access records go to Redis; `null`: wherever there is one. */
  readonly accessStream: boolean | null;
  readonly traffic: TrafficSettings;
  readonly accessLog: { readonly fileBytesMax: number; readonly filesMax: number };
}

const MEGABYTE = 1024 * 1024;
const RATE_MAX = 1_000_000;
/** No dash at the start: `--data --demo` is a forgotten value, not a folder. */
const PATH = { pattern: /^(?!-)[^\p{Cc}]{1,4096}$/u, fault: "is no path", allowed: "the path of a" } as const;

const data = text("data", "path", {
  ...PATH,
  allowed: `${PATH.allowed} folder`,
  fallback: "./doorbuster-data",
  help: "The folder of the store and of the access log; it is made when it is missing.",
});
const host = text("host", "text", {
  pattern: /^[A-Za-z0-9._:-]{1,253}$/,
  fault: "is no address or host name",
  allowed: "an address or host name of this machine, for example 0.0.0.0",
  fallback: "127.0.0.1",
  help: "The address to listen on; one that is not loopback counts only together with an admin key.",
});
const portOffset = integer("portOffset", "ports", {
  min: 0,
  max: 50_000,
  fallback: 0,
  help: "Added to every port: 8080 to 8084, 8090 and 8761.",
});
const adminKey = text("adminKey", "key", {
  pattern: /^[\x21-\x7e]{16,256}$/,
  fault: "is no usable key",
  allowed: "16 to 256 visible ASCII characters without spaces",
  fallback: null,
  help: "The key that operators' calls must carry; better given as a variable or in the file, because flags are visible to other users of the machine.",
});
export const config = text("config", "path", {
  ...PATH,
  allowed: `${PATH.allowed} file`,
  fallback: null,
  help: "A file with one JSON object of settings.",
});
const demo = onOff("demo", { help: "Adds demo goods and a sale to an empty store, and a payment provider that moves no money." });
const frozenFor = duration("frozenFor", {
  min: 1_000,
  max: FROZEN_FOR_MS_MAX,
  fallback: 30 * 60_000,
  help: "How long goods stay frozen for a buyer.",
});
const accessLogFileMegabytes = integer("accessLogFileMegabytes", "megabytes of 1,048,576 bytes", {
  min: 1,
  max: 10_240,
  fallback: 64,
  help: "The size at which a file of the access log is closed and the next one begun.",
});
const accessLogFiles = integer("accessLogFiles", "files", {
  min: 1,
  max: 1_000,
  fallback: 8,
  help: "How many files of the access log are kept; the oldest is deleted.",
});

const throttle = (service: ServiceName, camelName: string) => ({
  rate: rate(`${camelName}Rate`, { max: RATE_MAX, help: `Requests that ${service} answers per second; more are throttled.` }),
  burst: integer(`${camelName}Burst`, "requests", {
    min: 1,
    max: RATE_MAX,
    fallback: null,
    defaultText: "the rate, rounded up",
    help: `Requests that ${service} answers at one instant after a quiet time.`,
  }),
});

export type Throttle = ReturnType<typeof throttle>;
export const throttles: Readonly<Record<ServiceName, Throttle>> = {
  "gate-keeper": throttle("gate-keeper", "gateKeeper"),
  "safe-protector": throttle("safe-protector", "safeProtector"),
  "policy-controller": throttle("policy-controller", "policyController"),
  "inventory-manager": throttle("inventory-manager", "inventoryManager"),
  "shopping-cart": throttle("shopping-cart", "shoppingCart"),
};

/** In the order in which `start --help` lists them. */
export const SETTINGS: readonly Setting<unknown>[] = [
  ...[data, host, portOffset, adminKey, config, demo, frozenFor, accessLogFileMegabytes, accessLogFiles],
  ...SHOP_SETTINGS,
  ...STORE_SETTINGS,
  ...TOPOLOGY_SETTINGS,
  ...TRACING_SETTINGS,
  ...TRAFFIC_SETTINGS,
  ...REGISTRY_SETTINGS,
  ...CONSOLE_SETTINGS,
  ...SERVICE_NAMES.flatMap((service) => [throttles[service].rate, throttles[service].burst]),
];

export function settingsFrom(pick: <T>(setting: Setting<T>) => T): Settings {
  return {
    data: pick(data),
    host: pick(host),
    portOffset: pick(portOffset),
    adminKey: pick(adminKey),
    demo: pick(demo),
    shop: shopSettingsFrom(pick),
    ...storeSettingsFrom(pick),
    topology: topologySettingsFrom(pick),
    registry: registrySettingsFrom(pick),
    console: consoleSettingsFrom(pick),
    frozenForMs: pick(frozenFor),
    throttles: {
      "gate-keeper": bucketFrom(throttles["gate-keeper"], pick),
      "safe-protector": bucketFrom(throttles["safe-protector"], pick),
      "policy-controller": bucketFrom(throttles["policy-controller"], pick),
      "inventory-manager": bucketFrom(throttles["inventory-manager"], pick),
      "shopping-cart": bucketFrom(throttles["shopping-cart"], pick),
    },
    tracing: tracingSettingsFrom(pick),
    accessStream: accessStreamFrom(pick),
    traffic: trafficSettingsFrom(pick),
    accessLog: { fileBytesMax: pick(accessLogFileMegabytes) * MEGABYTE, filesMax: pick(accessLogFiles) },
  };
}

function bucketFrom(settings: Throttle, pick: <T>(setting: Setting<T>) => T): TokenBucketSettings {
  const ratePerSecond = pick(settings.rate);
  return { ratePerSecond, burst: pick(settings.burst) ?? Math.max(1, Math.ceil(ratePerSecond ?? 1)) };
}

/** Protected mode, as Redis has it: whoever has no admin key is heard by this machine alone, whatever host was asked for. */
export function hostListenedOn({ host, adminKey }: Pick<Settings, "host" | "adminKey">): string {
  return adminKey !== null || isLoopback(host) ? host : "127.0.0.1";
}

export const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
