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

export const ADDRESS = "202.100.100.1";
const SKU = "SKU0001";
/** The filled store of `atScale`: every user has one hold. */
export const SCALE = { holds: 1_000_000, skus: 100_000, blacklistEntries: 1_000_000 } as const;
const PLENTY = 1_000_000_000;
/** So many different users that nobody comes twice. */
const ALL_NEW = { users: 9_999_999_999, stride: 1, skus: 1, address: ADDRESS, hasKeys: false } as const satisfies Purchases;
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

const accepted: Shop = { flags: [], prepare: openSale, purchases: ALL_NEW, reason: null, counted: SKU, frozenBefore: 0 };

export const SHOPS = {
  purchase: accepted,
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
  throttled: { ...accepted, reason: "throttled", flags: ["--gate-keeper-rate", "1", "--gate-keeper-burst", "1"] },
  /** A million users who have something frozen already buy some other of 100,000 goods; the store was filled beforehand. */
  atScale: {
    ...accepted,
    prepare: async () => {},
    purchases: { users: SCALE.holds, stride: 7_919, skus: SCALE.skus, address: ADDRESS, hasKeys: false },
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

/** @param filledStore copied for this run; `null` for an empty one */
export async function measureShop(
  name: ShopName,
  filledStore: string | null,
  windows: Windows,
  bunFlags: readonly string[] = [],
): Promise<LoadResult> {
  const shop: Shop = SHOPS[name];
  const folder = makeFolder(name);
  if (filledStore) cpSync(filledStore, folder, { recursive: true });
  return withSystem(
    folder,
    shop,
    async (system) => {
      const warmUp = await runLoad(system, shop.purchases, 0, windows.warmUpSeconds);
      const result = await runLoad(system, shop.purchases, WINDOW_FIRST, windows.measuredSeconds);
      await check(name, shop, system, (await system.frozen(shop.counted)) - shop.frozenBefore, warmUp, result);
      return result;
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
  const system = await System.start(folder, shop.flags, bunFlags);
  await shop.prepare(system);
  const result = await work(system);
  await system.stop();
  removeFolder(folder);
  return result;
}

/** Throws unless the whole crowd got the one answer that this contender is about. */
async function check(name: ShopName, shop: Shop, system: System, frozen: number, warmUp: LoadResult, measured: LoadResult): Promise<void> {
  const requests = warmUp.requests + measured.requests;
  const notOk = warmUp.notOk + measured.notOk;
  const fail = (what: string): never => {
    throw new Error(
      `${name}: ${what} (${requests} requests, ${notOk} not 2xx, ${frozen} frozen): this round does not measure what it should`,
    );
  };
  if (warmUp.broken + measured.broken > 0) fail("connections broke");
  // A token a second, and one to begin with, for about as long as the round has taken.
  const tokensMax = shop.reason === "throttled" ? 60 : 0;
  if (shop.reason === null) {
    // At the end of each run, every connection may have one purchase whose answer nobody waited for.
    if (frozen < requests || frozen > requests + 2 * CONNECTIONS) fail("not every purchase was accepted once");
  } else if (frozen > tokensMax) fail("something was sold that should have been refused");
  if (shop.reason === "throttled" ? notOk < requests - tokensMax : notOk > 0) fail("unexpected status");
  // Asked twice, because by now a throttled shop has a token again.
  await system.buy("UID-sample", shop.purchases.skus > 1 ? "S000001" : SKU, shop.purchases.address);
  const sample = await system.buy("UID-sample", shop.purchases.skus > 1 ? "S000001" : SKU, shop.purchases.address);
  if (sample.reason !== shop.reason) fail(`a single purchase was told ${sample.reason ?? "accepted"}`);
}
