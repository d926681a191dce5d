/**
 * Who the buyers of a stampede are and what each of them sends. Every request is put together as one piece of text, so that sending it costs
 * one write.
 */
import type { StampedeSettings } from "./options.ts";

/** `eager` buys once; `repeater` asks again with the same key; `cutter` hangs up right after asking and then asks again with the same key. */
export type Role = "eager" | "repeater" | "cutter" | "blacklisted" | "malformed";

export interface Buyer {
  readonly role: Role;
  readonly userId: string;
  readonly request: string;
}

/** Of those who ask again, one in so many does because the connection was cut. */
const CUTTERS_ONE_IN = 4;

/** @param draw from 0 to just below 1 */
export function roleOf(draw: number, settings: Pick<StampedeSettings, "badShare" | "repeatShare">, canBlacklist: boolean): Role {
  if (draw < settings.badShare) return canBlacklist && draw < settings.badShare / 2 ? "blacklisted" : "malformed";
  const rest = draw - settings.badShare;
  if (rest >= settings.repeatShare) return "eager";
  return rest < settings.repeatShare / CUTTERS_ONE_IN ? "cutter" : "repeater";
}

export type CrowdOf = Pick<StampedeSettings, "gate" | "sku" | "quantity" | "userLevel" | "bots">;

/** Among attackers, of all people one in so many has the address of one mobile carrier. */
const CARRIER_ONE_IN = 33;
const CARRIER_ADDRESS = "241.0.0.1";

/** Makes the buyers of one run. `runId` keeps them apart from those of every other run. */
export class BuyerMaker {
  readonly #head: string;
  readonly #tail: string;

  constructor(
    readonly of: CrowdOf,
    readonly runId: string,
    readonly random: () => number,
  ) {
    this.#head = `POST /buy HTTP/1.1\r\nhost: ${new URL(of.gate.origin).host}\r\naccept: application/json\r\n`;
    this.#tail = `,"userLevel":${of.userLevel},"goodsSKU":${JSON.stringify(of.sku)},"goodsQuantity":${of.quantity}}`;
  }

  buyer(index: number, role: Role): Buyer {
    const userId = role === "blacklisted" ? this.blacklistedUser(index) : `${this.runId}-${index}`;
    const key = `${this.runId}-${index}`;
    const body = `{"sessionID":"${this.runId}","clientIP":"${this.#address()}","userID":"${userId}"${this.#tail}`;
    return { role, userId, request: role === "malformed" ? this.#malformed(index, body, key) : this.#post(body, key, "application/json") };
  }

  /** There are few blacklisted users, and each of them comes again and again. */
  blacklistedUser(index: number): string {
    return `${this.runId}-bad-${index % BLACKLISTED_USERS}`;
  }

  /** Any of the 16 million addresses of 10.0.0.0/8. Nothing is learned about private addresses, so among attackers it is 240.0.0.0/8, which nobody has. */
  #address(): string {
    if (this.of.bots > 0 && this.random() * CARRIER_ONE_IN < 1) return CARRIER_ADDRESS;
    const drawn = Math.floor(this.random() * 0x1000000);
    return `${this.of.bots > 0 ? 240 : 10}.${drawn >> 16}.${(drawn >> 8) & 255}.${drawn & 255}`;
  }

  #post(body: string, key: string, contentType: string): string {
    const length = Buffer.byteLength(body);
    return `${this.#head}content-type: ${contentType}\r\nidempotency-key: ${key}\r\ncontent-length: ${length}\r\n\r\n${body}`;
  }

  #malformed(index: number, body: string, key: string): string {
    const variants = [
      () => this.#post(body.slice(0, -1), key, "application/json"),
      () => this.#post(body.replace('"userID"', '"user"'), key, "application/json"),
      () => this.#post(body.replace(/"goodsQuantity":\d+/, '"goodsQuantity":0'), key, "application/json"),
      () => this.#post(body.replace(/"userLevel":\d+/, '"userLevel":"high"'), key, "application/json"),
      () => this.#post(body.replace(/"clientIP":"[^"]*"/, '"clientIP":"999.1.1.1"'), key, "application/json"),
      () => this.#post("[]", key, "application/json"),
      () => this.#post(body, key, "text/plain"),
      () => `GET /buy HTTP/1.1\r\nhost: ${new URL(this.of.gate.origin).host}\r\n\r\n`,
    ];
    return (variants[index % variants.length] as () => string)();
  }
}

/** How many users are blacklisted for a run. */
export const BLACKLISTED_USERS = 50;
