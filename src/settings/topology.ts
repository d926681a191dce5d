/** The settings that say which processes there are, and how they find each other. */
import type { DurationMs } from "../core/time.ts";
import { GATES_MAX, PATIENCE_MS_MAX } from "../limits/links.ts";
import { choice, duration, integer, list, onOff, type Setting, tested, text } from "./kinds.ts";

/** Services behind the gate, as links name them. */
export const LINKED_SERVICES = ["safe-protector", "policy-controller", "inventory-manager", "shopping-cart"] as const;
export type LinkedService = (typeof LINKED_SERVICES)[number];

/** What one process can be asked to be. Without a role it is everything, or looks after processes that are. */
export const ROLES = {
  "gate-keeper": "the public door alone; it finds the services behind it by --registry, or by their addresses",
  "safe-protector": "blacklist checks, over --redis",
  "policy-controller": "sales, tiers and user orders, over --redis and --postgres",
  "inventory-manager": "the goods, over --redis and --postgres",
  "shopping-cart": "holds, orders and their payment, events and webhooks, over --redis and --postgres",
  "service-registry": "who is there; with --registry-peers it tells others of its kind",
  console: "the operators' pages; it finds the services by --registry, or by their addresses",
  ledger: "all that stands behind gates, in one process on the embedded store: what --gates starts beside them",
} as const;
export type Role = keyof typeof ROLES;
export const isRole = (text: string): text is Role => Object.hasOwn(ROLES, text);

export interface TopologySettings {
  /** Gate processes that share the public port, each on a core; `null`: the gate is in the one process. */
  readonly gates: number | "auto" | null;
  /** This process's name among others of its kind on this machine; `null`: it is the only one. */
  readonly instance: string | null;
  /** This process's own port for `/health` and `/metrics`, where it shares its public port with others; `null`: it shares none. */
  readonly metricsPort: number | null;
  /** The name or address under which others reach this process; `null`: the host it listens on. */
  readonly advertise: string | null;
  /** Where browsers reach the gates, for the demo's pay page; `null`: the gate's port on this host. */
  readonly gateUrl: string | null;
  /** Base URLs of registries. */
  readonly registries: readonly string[];
  /** Where services are, for those that are not looked up in a registry. A name that stands for several addresses stands for as many instances. */
  readonly services: Readonly<Record<LinkedService, readonly string[]>>;
  /** So many replicas have each change before it is acknowledged; 0: nobody waits for them. */
  readonly redisReplicasMin: number;
  /** For how long a process that was told to stop goes on answering, after it has said so. */
  readonly drainForMs: DurationMs;
  /** For how long a process that starts waits for Redis and Postgres. */
  readonly waitForStoresMs: DurationMs;
  /** Turns of purchases go whole to shopping-cart, in whose process all services are. */
  readonly wholeTurns: boolean;
  readonly whenDown: Readonly<Record<"protect" | "policy", "open" | "closed">>;
}

const gates = tested<number | "auto", null>("gates", "text", {
  parse: (given) => {
    if (given === "auto") return { value: given };
    if (!/^\d{1,3}$/.test(given)) return { fault: "is no whole number" };
    return Number(given) >= 1 && Number(given) <= GATES_MAX ? { value: Number(given) } : { fault: "is out of range" };
  },
  allowed: `a whole number from 1 to ${GATES_MAX}, or auto for one per core`,
  fallback: null,
  defaultText: "none",
  help: "Gate processes that share the public port; without it everything is in one process. One more process keeps the store and all other services.",
});
const instance = text("instance", "text", {
  pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  fault: "is no usable name",
  allowed: "1 to 64 letters, digits, dots, dashes and underscores",
  fallback: null,
  help: "This process's name among others of its kind on this machine: a part of its instance id, and a folder of its own for its access log.",
});
const metricsPort = integer("metricsPort", "port", {
  min: 1,
  max: 65_535,
  fallback: null,
  defaultText: "none",
  help: "For a gate that shares its public port with others on this machine: a port of its own for its /health and /metrics.",
});
const advertise = text("advertise", "text", {
  pattern: /^[A-Za-z0-9._:-]{1,253}$/,
  fault: "is no address or host name",
  allowed: "an address or host name",
  fallback: null,
  help: "Under which name or address the other services reach this process, when that is not the host it listens on.",
});
const BASE_URL = /^https?:\/\/[A-Za-z0-9._:[\]-]{1,300}(\/[^\s?#]{0,200})?$/;
const urls = (name: string, help: string) =>
  list<string>(name, "text", {
    parse: (given) => (BASE_URL.test(given) ? { value: given.replace(/\/+$/, "") } : { fault: "is no http or https address" }),
    allowed: "http or https addresses without a query, separated by commas",
    help,
  });
const gateUrl = text("gateUrl", "text", {
  pattern: BASE_URL,
  fault: "is no http or https address",
  allowed: "an http or https address without a query",
  fallback: null,
  help: "Where browsers reach the gates, as the demo's pay page needs it; without it the gate's port on this process's host.",
});
const registry = urls(
  "registry",
  "Where services are registered and looked up: the base addresses of one registry or several (port 8761).",
);
const urlSettings: Readonly<Record<LinkedService, Setting<readonly string[]>>> = {
  "safe-protector": urls(
    "safeProtectorUrl",
    "Where safe-protector is, instead of a registry; a name with several addresses is several instances.",
  ),
  "policy-controller": urls("policyControllerUrl", "Where policy-controller is, instead of a registry."),
  "inventory-manager": urls("inventoryManagerUrl", "Where inventory-manager is, instead of a registry."),
  "shopping-cart": urls("shoppingCartUrl", "Where shopping-cart is, instead of a registry."),
};
const wholeTurns = onOff("wholeTurns", {
  help: "For a gate before one process that has all services: purchases go there in one request, not in one for each step. --gates sets it.",
});
const redisReplicas = integer("redisReplicas", "replicas", {
  min: 0,
  max: 5,
  fallback: 0,
  help: "Strict mode: so many Redis replicas must have a change before it is acknowledged, so that it survives the loss of its primary.",
});
const drainFor = duration("drainFor", {
  min: 0,
  max: PATIENCE_MS_MAX,
  fallback: 0,
  help: "After it was told to stop: for so long a process says that it is DOWN and goes on answering, so that a proxy in front of it sends others elsewhere first.",
});
const waitForStores = duration("waitForStores", {
  min: 0,
  max: PATIENCE_MS_MAX,
  fallback: 30_000,
  help: "For how long a service that starts waits for a Redis or a Postgres that cannot be used yet.",
});
const whenDown = (name: string, step: string, means: string) =>
  choice(name, ["closed", "open"], {
    fallback: "closed",
    help: `What the ${step} step does when nobody answers for it: closed refuses with 503, open ${means}.`,
  });
const protectWhenDown = whenDown("protectWhenDown", "protect", "lets everybody pass, blacklisted or not");
const policyWhenDown = whenDown("policyWhenDown", "policy", "lets everybody buy without a limit, as if the goods were in no sale");

export const TOPOLOGY_SETTINGS: readonly Setting<unknown>[] = [
  ...[gates, instance, metricsPort, advertise, gateUrl, registry],
  ...LINKED_SERVICES.map((service) => urlSettings[service]),
  ...[wholeTurns, redisReplicas, drainFor, waitForStores, protectWhenDown, policyWhenDown],
];

export function topologySettingsFrom(pick: <T>(setting: Setting<T>) => T): TopologySettings {
  return {
    gates: pick(gates),
    instance: pick(instance),
    metricsPort: pick(metricsPort),
    advertise: pick(advertise),
    gateUrl: pick(gateUrl),
    registries: pick(registry),
    services: {
      "safe-protector": pick(urlSettings["safe-protector"]),
      "policy-controller": pick(urlSettings["policy-controller"]),
      "inventory-manager": pick(urlSettings["inventory-manager"]),
      "shopping-cart": pick(urlSettings["shopping-cart"]),
    },
    wholeTurns: pick(wholeTurns),
    redisReplicasMin: pick(redisReplicas),
    drainForMs: pick(drainFor),
    waitForStoresMs: pick(waitForStores),
    whenDown: { protect: pick(protectWhenDown), policy: pick(policyWhenDown) },
  };
}
