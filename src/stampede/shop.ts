/** What a stampede asks the services behind the gate: the goods, the carts, and a blacklist for the time of the run. */
import { fieldsOf, isFields, jsonOf } from "./answer.ts";
import type { Exchange, LoadClient, StampedeIo } from "./io.ts";
import type { StampedeSettings, Target } from "./options.ts";
import type { CartReading, GoodsReading } from "./verify.ts";

/** The stampede cannot be run, or its result cannot be checked. The message is for the person at the command line. */
export class CannotTest extends Error {
  override readonly name = "CannotTest";
}

/** Requests to one service behind the gate at the same time. */
const PARALLEL_MAX = 32;
const REPLY_SECONDS_MAX = 30;
const READ_TRIES_MAX = 3;
/** Should the run be killed, its blacklist ends by itself. */
const BLACKLISTED_SECONDS = 3_600;

export class Shop {
  private constructor(
    readonly settings: StampedeSettings,
    readonly io: StampedeIo,
    readonly inventory: LoadClient,
    readonly cart: LoadClient,
  ) {}

  /** @throws CannotTest when a service is not there */
  static async open(settings: StampedeSettings, io: StampedeIo): Promise<Shop> {
    const inventory = await reach("the InventoryManager", settings.inventory, io);
    try {
      return new Shop(settings, io, inventory, await reach("the ShoppingCart", settings.cart, io));
    } catch (error) {
      inventory.close();
      throw error;
    }
  }

  close(): void {
    this.inventory.close();
    this.cart.close();
  }

  /** @throws CannotTest */
  async goods(): Promise<GoodsReading> {
    const { sku, inventory } = this.settings;
    const reply = await read(this.inventory, get(inventory, `/sku/${encodeURIComponent(sku)}`));
    if (reply?.status === 404) throw new CannotTest(`there are no goods ${sku} at ${inventory.origin}`);
    const goods = reply?.status === 200 ? fieldsOf(reply.body) : null;
    const { goodsQuantity: onHand, frozenQuantity: frozen, availableQuantity: available } = goods ?? {};
    if (typeof onHand !== "number" || typeof frozen !== "number" || typeof available !== "number")
      throw new CannotTest(`the InventoryManager at ${inventory.origin} does not tell its goods (${heard(reply)})`);
    return { onHand, frozen, available, readAt: this.io.clock.now() };
  }

  /** @throws CannotTest */
  async carts(userIds: readonly string[]): Promise<ReadonlyMap<string, CartReading>> {
    const readings = new Map<string, CartReading>();
    await eachInParallel(userIds, async (userId) => {
      readings.set(userId, await this.#cartOf(userId));
    });
    return readings;
  }

  async #cartOf(userId: string): Promise<CartReading> {
    const reply = await read(this.cart, get(this.settings.cart, `/all/userid/${encodeURIComponent(userId)}`));
    const lines = reply?.status === 200 ? jsonOf(reply.body) : undefined;
    if (!Array.isArray(lines))
      throw new CannotTest(`the ShoppingCart at ${this.settings.cart.origin} does not tell a cart (${heard(reply)})`);
    let quantity = 0;
    for (const line of lines as readonly unknown[]) {
      const { goodsSKU, goodsQuantity } = isFields(line) ? line : {};
      if (goodsSKU === this.settings.sku) quantity += Number(goodsQuantity);
    }
    return { quantity, readAt: this.io.clock.now() };
  }

  /** Blacklists users, or lets them go again. False when the protector does not let us, or is not there. */
  async blacklist(userIds: readonly string[], isBad: boolean): Promise<boolean> {
    const { protector } = this.settings;
    let allDone = true;
    try {
      const client = await reach("the SafeProtector", protector, this.io);
      await eachInParallel(userIds, async (userId) => {
        const reply = await read(client, isBad ? this.#addition(userId) : this.#removal(userId));
        allDone &&= reply?.status === 200;
      });
      client.close();
      return allDone;
    } catch (error) {
      if (error instanceof CannotTest) return false;
      throw error;
    }
  }

  #addition(userId: string): string {
    const body = JSON.stringify({ userID: userId, isBadGuy: true, durationSeconds: BLACKLISTED_SECONDS, note: "doorbuster stampede" });
    const type = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
    return `POST /badguy/add HTTP/1.1\r\nhost: ${hostOf(this.settings.protector)}\r\n${this.#authorization()}${type}\r\n${body}`;
  }

  #removal(userId: string): string {
    const path = `/badguy/delete/userid/${encodeURIComponent(userId)}`;
    return `DELETE ${path} HTTP/1.1\r\nhost: ${hostOf(this.settings.protector)}\r\n${this.#authorization()}\r\n`;
  }

  #authorization(): string {
    return this.settings.adminKey === null ? "" : `authorization: Bearer ${this.settings.adminKey}\r\n`;
  }
}

/** @throws CannotTest */
export async function reach(
  what: string,
  target: Target,
  io: StampedeIo,
  connections = PARALLEL_MAX,
  waitingMax = PARALLEL_MAX,
): Promise<LoadClient> {
  try {
    return await io.openClient(target, { connections, waitingMax, replySecondsMax: REPLY_SECONDS_MAX });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CannotTest(`cannot reach ${what} at ${target.origin} (${why.trim()}): is the system running there?`);
  }
}

const hostOf = (target: Target): string => new URL(target.origin).host;
const get = (target: Target, path: string): string => `GET ${path} HTTP/1.1\r\nhost: ${hostOf(target)}\r\n\r\n`;

type Reply = Extract<Exchange, { readonly kind: "reply" }>;

/** Reads, and operators' calls that may be repeated: an idle connection may just have been closed by the other side. */
async function read(client: LoadClient, request: string): Promise<Reply | null> {
  for (let tries = 0; tries < READ_TRIES_MAX; tries += 1) {
    const exchange = await client.ask(request);
    if (exchange.kind === "reply") return exchange;
  }
  return null;
}

const heard = (reply: Reply | null): string => (reply ? `HTTP ${reply.status}: ${reply.body.slice(0, 200)}` : "no reply");

async function eachInParallel<T>(items: readonly T[], visit: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next] as T;
      next += 1;
      await visit(item);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_MAX }, worker));
}
