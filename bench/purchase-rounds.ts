/**
 * What a purchase costs, in processor time per request, next to the two floors. A round starts every contender in a fresh process, one after the
 * other, warms it up, and measures one window; the next round goes in the opposite order. What was answered is checked where
 * it must show: in the inventory.
 */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { CONNECTIONS, type LoadResult, type Purchases, runLoad } from "./load.ts";
import { Child, makeFolder, removeFolder } from "./processes.ts";
import { System } from "./system.ts";
import { signTokens, TOKEN_FLAGS } from "./tokens.ts";

export const ADDRESS = "202.100.100.1";
const SKU = "SKU0001";
/** The filled store of `atScale`: every user has one hold. */
export const SCALE = { holds: 1_000_000, skus: 100_000, blacklistEntries: 1_000_000 } as const;
const PLENTY = 1_000_000_000;
/** So many different users that nobody comes twice. */
const ALL_NEW = {
  users: 9_999_999_999,
  stride: 1,
  skus: 1,
  address: ADDRESS,
  hasKeys: false,
  tokens: null,
  refreshed: null,
} as const satisfies Purchases;
/** So few that each of their tokens is known to the gate after the warm-up; they come again and again, and add to what they hold. */
const REGULARS = { ...ALL_NEW, users: 2_000 } as const satisfies Purchases;
const SALE = "bench";
/** Users of the warm-up and of the window are numbered apart. */
const WINDOW_FIRST = 1_000_000;

export interface Windows {
  readonly warmUpSeconds: number;
  readonly measuredSeconds: number;
}

interface Shop {
  readonly flags: readonly string[];
  readonly prepare: (system: System) => Promise<void>;
  readonly purchases: Purchases;
  /** What everyone must be told; `null`: accepted. */
  readonly reason: string | null;
  /** Whether the crowd carries signed tokens, which the system must be told to believe. */
  readonly hasTokens: boolean;
  /** The goods whose frozen quantity is counted; `null`: all of them. */
  readonly counted: string | null;
  /** How many are frozen before the crowd comes. */
  readonly frozenBefore: number;
}

async function openSale(system: System): Promise<void> {
  await system.putGoods(SKU, PLENTY);
  await system.putPolicy(SKU, 1, 1);
  await system.putPolicy(SKU, 5, 5);
}

const openToRegulars = async (system: System): Promise<void> => system.putGoods(SKU, PLENTY);
async function openDrop(system: System): Promise<void> {
  await openToRegulars(system);
  await system.putSale(SALE, SKU);
}

const accepted: Shop = {
  ...{ flags: [], prepare: openSale, purchases: ALL_NEW, reason: null, counted: SKU, frozenBefore: 0, hasTokens: false },
};
const crowd: Shop = { ...accepted, purchases: { ...ALL_NEW, address: "crowd" } };
const regulars: Shop = { ...accepted, prepare: openToRegulars, purchases: REGULARS };

export const SHOPS = {
  purchase: accepted,
  /** The same while nobody looks at the traffic. */
  unseen: { ...accepted, flags: ["--traffic", "off"] },
  keyed: { ...accepted, purchases: { ...ALL_NEW, hasKeys: true } },
  soldOut: {
    ...accepted,
    reason: "sold-out",
    frozenBefore: 1,
    prepare: async (system) => {
      await openSale(system);
      await system.putGoods(SKU, 1);
      const last = await system.buy("the-last-buyer", SKU, ADDRESS);
      if (!last.isAccepted) throw new Error("the last unit could not be bought");
    },
  },
  blacklisted: {
    ...accepted,
    reason: "blacklisted",
    prepare: async (system) => {
      await openSale(system);
      await system.blockAddress(ADDRESS);
    },
  },
  /** As many addresses as purchases. */
  crowd,
  /** The same crowd, and nobody of it is on the long lists that the store was filled with. */
  listed: crowd,
  throttled: { ...accepted, reason: "throttled", flags: ["--gate-keeper-rate", "1", "--gate-keeper-burst", "1"] },
  regulars,
  token: { ...regulars, hasTokens: true },
  /** Everything on: the goods are in a sale, who buys has a token, and every purchase has a key. */
  drop: { ...regulars, prepare: openDrop, purchases: { ...REGULARS, hasKeys: true }, hasTokens: true },
  /** Nobody buys: the page of the sale is asked for again and again. */
  sale: { ...regulars, prepare: openDrop, purchases: { ...REGULARS, refreshed: `/sales/${SALE}` } },
  /** A million users who have something frozen already buy some other of 100,000 goods; the store was filled beforehand. */
  atScale: {
    ...accepted,
    prepare: async () => {},
    purchases: { ...ALL_NEW, users: SCALE.holds, stride: 7_919, skus: SCALE.skus },
    counted: null,
    frozenBefore: SCALE.holds,
  },
} as const satisfies Record<string, Shop>;
export type ShopName = keyof typeof SHOPS;
export type Contender = "static" | "bare" | ShopName;

/** The length of a real reply: both floors answer as many bytes. */
export async function realReplyBytes(): Promise<number> {
  return withSystem(makeFolder("reply"), accepted, async (system) => (await system.buy("UID0000000000", SKU, ADDRESS)).bodyBytes);
}

export async function measureFloor(floor: "static" | "bare", replyBytes: number, windows: Windows): Promise<LoadResult> {
  const child = new Child(`the ${floor} floor`, [join(import.meta.dir, "floor.ts"), floor, `${replyBytes}`]);
  const port = Number((await child.ready()).split(" ")[1]);
  const target = { pid: child.pid, port };
  await runLoad(target, ALL_NEW, 0, windows.warmUpSeconds);
  const result = await runLoad(target, ALL_NEW, WINDOW_FIRST, windows.measuredSeconds);
  await child.stop();
  if (result.notOk + result.broken > 0) throw new Error(`the ${floor} floor refused ${result.notOk} and lost ${result.broken} requests`);
  return result;
}

export interface ShopResult extends LoadResult {
  /** Milliseconds from the start of the process to the end of the measured window. */
  readonly windowEndedMs: number;
}

/** @param filledStore copied for this run; `null` for an empty one */
export async function measureShop(
  name: ShopName,
  filledStore: string | null,
  windows: Windows,
  bunFlags: readonly string[] = [],
): Promise<ShopResult> {
  const shop: Shop = SHOPS[name];
  const folder = makeFolder(name);
  if (filledStore) cpSync(filledStore, folder, { recursive: true });
  const tokens = shop.hasTokens ? await signTokens(folder, shop.purchases.users) : null;
  const purchases = { ...shop.purchases, tokens };
  return withSystem(
    folder,
    shop,
    async (system) => {
      const warmUp = await runLoad(system, purchases, 0, windows.warmUpSeconds);
      const result = await runLoad(system, purchases, WINDOW_FIRST, windows.measuredSeconds);
      const windowEndedMs = system.ageMs();
      await check(name, shop, system, warmUp, result);
      return { ...result, windowEndedMs };
    },
    bunFlags,
  );
}

async function withSystem<T>(
  folder: string,
  shop: Shop,
  work: (system: System) => Promise<T>,
  bunFlags: readonly string[] = [],
): Promise<T> {
  const flags = shop.hasTokens ? [...shop.flags, ...TOKEN_FLAGS] : shop.flags;
  const system = await System.start(folder, flags, bunFlags);
  await shop.prepare(system);
  const result = await work(system);
  await system.stop();
  removeFolder(folder);
  return result;
}

/** Throws unless the whole crowd got the one answer that this contender is about: by the gate's count, by status, and in the inventory. */
async function check(name: ShopName, shop: Shop, system: System, warmUp: LoadResult, measured: LoadResult): Promise<void> {
  const requests = warmUp.requests + measured.requests;
  const notOk = warmUp.notOk + measured.notOk;
  // At the end of each run, every connection may have one purchase whose answer nobody waited for.
  const unheardMax = 2 * CONNECTIONS;
  // A throttled gate has a token to begin with and one for every second.
  const tokensMax = shop.reason === "throttled" ? Math.ceil(system.ageMs() / 1_000) + 1 : 0;
  if (shop.purchases.refreshed !== null) {
    if (notOk + warmUp.broken + measured.broken > 0)
      throw new Error(`${name}: ${notOk} of ${requests} requests were not answered with 200`);
    return;
  }
  const ended = await system.ended(shop.reason);
  const frozen = (await system.frozen(shop.counted)) - shop.frozenBefore;
  const dropped = await system.recordsDropped();
  const expect = (isAsExpected: boolean, what: string): void => {
    if (isAsExpected) return;
    const counts = `${requests} requests, ${notOk} of them not 2xx, ${ended} ended as expected, ${frozen} frozen, ${dropped} records dropped`;
    throw new Error(`${name}: ${what}, so this round does not measure what it should (${counts})`);
  };
  expect(warmUp.broken + measured.broken === 0, "connections broke");
  expect(ended >= requests - tokensMax && ended <= requests + unheardMax, "not everyone got the same answer");
  expect(shop.reason === "throttled" ? notOk >= requests - tokensMax : notOk === 0, "the statuses are not those of that answer");
  if (shop.reason === null) expect(frozen >= requests && frozen <= requests + unheardMax, "not every purchase was frozen once");
  else expect(frozen <= tokensMax, "something was frozen that should have been refused");
  expect(dropped === 0, "the access log did not keep up");
}
