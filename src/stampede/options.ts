/**
 * What `stampede` can be told, in the same words as the settings of `start`: each option once, with its unit, its bounds and its default.
 * Pure: text in, settings or one clear line out.
 */
import { isId, type Sku } from "../core/ids.ts";
import { PURCHASE_QUANTITY_MAX, USER_LEVEL_MAX } from "../limits.ts";
import { flagOf, integer, list, onOff, type Parsed, type Setting, text } from "../settings/kinds.ts";
import { BOT_KINDS, type BotKind } from "./bot-kinds.ts";

/** Where a service listens. */
export interface Target {
  /** A host name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** `http://host:port`, as people write it. */
  readonly origin: string;
}

export interface StampedeSettings {
  readonly gate: Target;
  readonly protector: Target;
  readonly inventory: Target;
  readonly cart: Target;
  readonly sku: Sku;
  readonly buyers: number;
  readonly ratePerSecond: number;
  readonly connections: number;
  /** Of all buyers, how many ask again with the same key: 0 to 1. */
  readonly repeatShare: number;
  /** Of all buyers, how many are blacklisted or send nonsense: 0 to 1. */
  readonly badShare: number;
  readonly quantity: number;
  readonly userLevel: number;
  readonly seed: number;
  readonly adminKey: string | null;
  /** Others buy the same goods meanwhile: totals are not compared. */
  readonly isShared: boolean;
  /** Attackers beside the crowd. */
  readonly bots: number;
  readonly botKinds: readonly BotKind[];
  /** Of each bot. */
  readonly botRatePerSecond: number;
}

const LAST_PORT = 65_535;

function parseTarget(given: string): Parsed<Target> {
  const url = URL.parse(given);
  if (url?.protocol !== "http:") return { fault: "is no http:// URL" };
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "")
    return { fault: "is more than http://host:port" };
  return { value: { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(url.port || 80), origin: url.origin } };
}

const target = <F extends Target | null>(name: string, fallback: F, defaultText: string, help: string): Setting<Target | F> => ({
  ...{ name, kind: "text", unit: null, allowed: "http://host:port", fallback, defaultText, help },
  parse: parseTarget,
});

function share(name: string, fallback: number, help: string): Setting<number> {
  const parse = (given: string): Parsed<number> => {
    if (!/^\d{1,3}(\.\d{1,9})?$/.test(given)) return { fault: "is no share" };
    return Number(given) <= 1 ? { value: Number(given) } : { fault: "is out of range" };
  };
  const allowed = "a number from 0 to 1, for example 0.05";
  return { name, kind: "number", unit: "of all buyers", allowed, fallback, defaultText: String(fallback), help, parse };
}

const DEFAULT_GATE: Target = { host: "127.0.0.1", port: 8080, origin: "http://127.0.0.1:8080" };

const url = target("url", null, DEFAULT_GATE.origin, "The gate. The other services are looked for on the ports behind it.");
const neighbour = (name: string, step: number, what: string) =>
  target(name, null, `the gate's port + ${step}`, `The ${what}, when it is elsewhere.`);
const portOffset = integer("portOffset", "ports", {
  ...{ min: 0, max: 50_000, fallback: 0 },
  help: "As `start` was given it: the gate of this machine is so many ports further.",
});
const protectUrl = neighbour("protectUrl", 1, "SafeProtector");
const inventoryUrl = neighbour("inventoryUrl", 3, "InventoryManager");
const cartUrl = neighbour("cartUrl", 4, "ShoppingCart");
const sku: Setting<string> = {
  ...text("sku", "text", {
    pattern: /^/,
    fault: "",
    allowed: "1 to 128 characters",
    fallback: "SKU0001",
    help: "The goods that everybody wants.",
  }),
  parse: (given) => (isId(given) ? { value: given } : { fault: "is no SKU" }),
};
const buyers = integer("buyers", "buyers", { min: 1, max: 10_000_000, fallback: 20_000, help: "How many different buyers come." });
const rate = integer("rate", "buyers per second", {
  ...{ min: 1, max: 1_000_000, fallback: 5_000 },
  help: "How many buyers arrive per second, at random moments; nobody waits for the answer of another.",
});
const connections = integer("connections", "connections", {
  min: 1,
  max: 20_000,
  fallback: 200,
  help: "Keep-alive connections to the gate.",
});
const repeatShare = share("repeatShare", 0.05, "Buyers who ask again with the same key, some of them after a cut connection.");
const badShare = share("badShare", 0.02, "Buyers who are blacklisted or send nonsense.");
const quantity = integer("quantity", "units", {
  min: 1,
  max: PURCHASE_QUANTITY_MAX,
  fallback: 1,
  help: "How many units each buyer wants.",
});
const userLevel = integer("userLevel", "level", { min: 0, max: USER_LEVEL_MAX, fallback: 5, help: "The level of every buyer." });
const seed = integer("seed", "seed", { min: 0, max: 4_294_967_295, fallback: 1, help: "The same seed gives the same crowd." });
const adminKey = text("adminKey", "key", {
  ...{ pattern: /^[\x21-\x7e]{1,256}$/, fault: "is no usable key", allowed: "visible ASCII characters", fallback: null },
  help: "The operators' key, needed to blacklist buyers where one is configured; without it bad buyers only send nonsense.",
});
const shared = onOff("shared", { help: "Others buy the same goods meanwhile: every buyer is checked, totals are not." });
const bots = integer("bots", "bots", {
  ...{ min: 0, max: 10_000, fallback: 0 },
  help: "Attackers beside the crowd, dealt out over the kinds. They attack until the crowd is done, for ten seconds at least; with them people have public addresses, one in 33 of them that of one mobile carrier.",
});
const botKinds: Setting<readonly BotKind[]> = {
  ...list<BotKind>("botKinds", "text", {
    parse: (given) => {
      const kind = BOT_KINDS.find((known) => known === given);
      return kind === undefined ? { fault: "is no kind of bot" } : { value: kind };
    },
    allowed: `some of ${BOT_KINDS.join(", ")}, separated by commas`,
    help: "flood: one account and address, again and again; accounts: many accounts behind one address; rotating: one account from many addresses; early: there five seconds before the crowd; squat: buys and gives back; malformed: sends nonsense.",
  }),
  fallback: BOT_KINDS,
  defaultText: "all",
};
const botRate = integer("botRate", "requests per second", {
  ...{ min: 1, max: 1_000, fallback: 20 },
  help: "How often each bot asks, at most: it waits for every answer.",
});

/** In the order in which `stampede --help` lists them. */
export const STAMPEDE_OPTIONS: readonly Setting<unknown>[] = [
  ...[url, portOffset, sku, buyers, rate, connections, repeatShare, badShare, quantity, userLevel, seed],
  ...[bots, botKinds, botRate, protectUrl, inventoryUrl, cartUrl, adminKey, shared],
];

/** @param given by option name (`repeatShare`), as the command line has it: text, or `true` for a bare switch */
export function readStampedeSettings(
  given: Readonly<Record<string, unknown>>,
): { readonly settings: StampedeSettings } | { readonly error: string } {
  const values = new Map<Setting<unknown>, unknown>();
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const option = STAMPEDE_OPTIONS.find((candidate) => candidate.name === name);
    if (!option) return { error: `--${name}: there is no such option; "doorbuster stampede --help" lists them` };
    const parsed = option.parse(String(value));
    // The key is a secret, and messages end up in logs.
    const shown = option.kind === "key" ? "what was given" : JSON.stringify(String(value).slice(0, 60));
    if ("fault" in parsed) return { error: `${flagOf(option)}: ${shown} ${parsed.fault}; give ${option.allowed}` };
    values.set(option, parsed.value);
  }
  return assemble(<T>(option: Setting<T>): T => (values.has(option) ? (values.get(option) as T) : option.fallback));
}

function assemble(pick: <T>(option: Setting<T>) => T): { readonly settings: StampedeSettings } | { readonly error: string } {
  if (pick(url) && pick(portOffset) > 0)
    return { error: "--port-offset: goes with the default --url only; --url says the gate's port itself" };
  const gate = pick(url) ?? besides(DEFAULT_GATE, pick(portOffset));
  const near = (option: Setting<Target | null>, step: number): Target => pick(option) ?? besides(gate, step);
  const targets = { gate, protector: near(protectUrl, 1), inventory: near(inventoryUrl, 3), cart: near(cartUrl, 4) };
  const beyond = Object.values(targets).find((one) => one.port > LAST_PORT);
  if (beyond) return { error: `--url: port ${beyond.port} does not exist; give --protect-url, --inventory-url and --cart-url` };
  if (pick(repeatShare) + pick(badShare) > 1) return { error: "--repeat-share and --bad-share: together they are more than 1; give less" };
  return {
    settings: {
      ...targets,
      sku: pick(sku) as Sku,
      buyers: pick(buyers),
      ratePerSecond: pick(rate),
      connections: pick(connections),
      repeatShare: pick(repeatShare),
      badShare: pick(badShare),
      quantity: pick(quantity),
      userLevel: pick(userLevel),
      seed: pick(seed),
      adminKey: pick(adminKey),
      // What bots buy is nobody's to check.
      isShared: pick(shared) || pick(bots) > 0,
      bots: pick(bots),
      botKinds: pick(botKinds),
      botRatePerSecond: pick(botRate),
    },
  };
}

function besides(gate: Target, step: number): Target {
  const port = gate.port + step;
  const host = gate.host.includes(":") ? `[${gate.host}]` : gate.host;
  return { host: gate.host, port, origin: `http://${host}:${port}` };
}
