/**
 * GateKeeper: the only public door. It gives every purchase its trace id, collects those of one turn of the event loop, sends them through
 * the steps together (`src/purchase.ts`), answers each, and writes its record.
 */
import { assert } from "../../core/assert.ts";
import { type HttpReply, on, type Route } from "../../core/endpoint.ts";
import type { IpAddress, SessionId, Sku, UserId } from "../../core/ids.ts";
import { parseIpAddress } from "../../core/ip-address.ts";
import { problem } from "../../core/problem.ts";
import type { Clock, MonotonicUs } from "../../core/time.ts";
import type { Key } from "../../ledger/ledger.ts";
import { IDEMPOTENCY_KEY_CHARS_MAX, PURCHASES_IN_FLIGHT_MAX, TURN_LOOKS_MAX, TURN_PURCHASES_MAX } from "../../limits.ts";
import { type Course, type Outcome, type Purchase, type PurchaseServices, purchaseTogether } from "../../purchase.ts";
import { AccessRecords } from "./access-record.ts";
import { gateKeeperApi as api, type BuyBody } from "./api.ts";
import { type Language, languageOf } from "./messages.ts";
import { PurchaseReplies } from "./reply.ts";

export interface GateKeeperParts {
  readonly services: PurchaseServices;
  readonly clock: Clock;
  readonly nextTraceId: () => SessionId;
  /** Runs `work` in the next turn of the event loop. */
  readonly nextTurn: (work: () => void) => void;
  /** Takes a line, or drops it when the disk cannot follow; never waits. */
  readonly record: (line: string) => void;
  /** Counts a purchase: its end and its whole time. */
  readonly count: (outcome: Outcome, totalUs: number) => void;
  readonly retryAfterSeconds: () => number;
  /** Hears of a bug on the way of a turn; its purchases are answered with a failure. */
  readonly onBug: (error: unknown) => void;
}

const NO_COURSE: Course = { atUs: 0, steps: [], stepUs: [] };
/** 1 to 255 visible ASCII characters. */
const keyPattern = new RegExp(`^[!-~]{1,${IDEMPOTENCY_KEY_CHARS_MAX}}$`);

export class GateKeeper {
  readonly #parts: GateKeeperParts;
  readonly #replies: PurchaseReplies;
  readonly #records = new AccessRecords();
  readonly #keysInFlight = new Set<string>();
  #waiting: Arrival[] = [];
  #isTurnScheduled = false;
  #looks = 0;
  #inFlight = 0;
  #timeMs = 0;
  #timeText = "";

  constructor(parts: GateKeeperParts) {
    this.#parts = parts;
    this.#replies = new PurchaseReplies(parts.services.shoppingCart.frozenForMs, parts.retryAfterSeconds);
  }

  get purchasesInFlight(): number {
    return this.#inFlight;
  }

  buy(body: BuyBody, keyText: string | null, language: Language): HttpReply | Promise<HttpReply> {
    const key = keyText === null ? null : keyOf(keyText, body);
    if (key === "invalid") {
      const detail = `must be 1 to ${IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters`;
      return problem(400, `the header Idempotency-Key ${detail}`, { errors: [{ pointer: "#/header/Idempotency-Key", detail }] });
    }
    if (key && this.#keysInFlight.has(key.text)) {
      return problem(409, "a purchase with this Idempotency-Key is on its way; ask again with the same key in a moment", {
        headers: { "retry-after": "1" },
      });
    }
    return new Promise((resolve) => this.#enter(new Arrival(this, body, key, language, resolve)));
  }

  /** Ends a purchase: writes its record, counts it, and tells the shopper. */
  finish(arrival: Arrival, outcome: Outcome, course: Course): HttpReply {
    this.#inFlight -= 1;
    if (arrival.key) this.#keysInFlight.delete(arrival.key.text);
    const totalUs = Math.max(0, course.atUs - arrival.receivedUs);
    this.#parts.record(this.#records.line(this.#time(), arrival, outcome, course, totalUs));
    this.#parts.count(outcome, totalUs);
    return this.#replies.of(outcome, arrival.sessionId, arrival.sku, arrival.quantity, arrival.language);
  }

  nextTraceId(): SessionId {
    return this.#parts.nextTraceId();
  }

  monotonicUs(): MonotonicUs {
    return this.#parts.clock.monotonicUs();
  }

  #enter(arrival: Arrival): void {
    this.#inFlight += 1;
    if (arrival.key) this.#keysInFlight.add(arrival.key.text);
    if (this.#inFlight > PURCHASES_IN_FLIGHT_MAX) {
      arrival.settle({ kind: "refused", step: "throttle", reason: "throttled" }, NO_COURSE);
      return;
    }
    this.#waiting.push(arrival);
    this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#isTurnScheduled) return;
    this.#isTurnScheduled = true;
    this.#looks = 0;
    this.#lookAgain();
  }

  /** A turn begins when a look at the sockets has brought nobody new: those who arrive together go together, and share one commit. */
  #lookAgain(): void {
    const before = this.#waiting.length;
    this.#looks += 1;
    this.#parts.nextTurn(() => {
      const isStillComing = this.#waiting.length > before && this.#waiting.length < TURN_PURCHASES_MAX && this.#looks < TURN_LOOKS_MAX;
      if (isStillComing) this.#lookAgain();
      else this.#runTurn();
    });
  }

  #runTurn(): void {
    this.#isTurnScheduled = false;
    const turn = this.#waiting;
    this.#waiting = turn.length > TURN_PURCHASES_MAX ? turn.splice(TURN_PURCHASES_MAX) : [];
    if (this.#waiting.length > 0) this.#scheduleTurn();
    purchaseTogether(turn, this.#parts.services).catch((error: unknown) => {
      this.#parts.onBug(error);
      for (const arrival of turn) arrival.failUnlessSettled();
    });
  }

  /** The wall-clock time as text, made once per millisecond. */
  #time(): string {
    const now = this.#parts.clock.now();
    if (now !== this.#timeMs) {
      this.#timeMs = now;
      this.#timeText = new Date(now).toISOString();
    }
    return this.#timeText;
  }
}

/** A purchase on its way, and who waits for its reply. */
class Arrival implements Purchase {
  readonly sessionId: SessionId;
  readonly userId: UserId;
  readonly userLevel: number;
  readonly clientIp: IpAddress;
  readonly sku: Sku;
  readonly quantity: number;
  readonly key: Key | null;
  readonly language: Language;
  readonly receivedUs: MonotonicUs;
  quantityLimit = 0;
  readonly #gate: GateKeeper;
  readonly #reply: (reply: HttpReply) => void;
  #isSettled = false;

  constructor(gate: GateKeeper, body: BuyBody, key: Key | null, language: Language, reply: (reply: HttpReply) => void) {
    this.#gate = gate;
    this.#reply = reply;
    this.sessionId = gate.nextTraceId();
    this.userId = body.userID;
    this.userLevel = body.userLevel;
    this.clientIp = parseIpAddress(body.clientIP) as IpAddress;
    this.sku = body.goodsSKU;
    this.quantity = body.goodsQuantity;
    this.key = key;
    this.language = language;
    this.receivedUs = gate.monotonicUs();
  }

  settle(outcome: Outcome, course: Course): void {
    assert(!this.#isSettled, "a purchase ends once");
    this.#isSettled = true;
    this.#reply(this.#gate.finish(this, outcome, course));
  }

  failUnlessSettled(): void {
    if (!this.#isSettled) this.settle({ kind: "refused", step: "cart", reason: "cart-unavailable" }, NO_COURSE);
  }
}

/** The key, quoted or bare, with everything of the body that matters; what the client sends as `sessionID` does not. */
function keyOf(text: string, body: BuyBody): Key | "invalid" {
  const bare = text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
  if (!keyPattern.test(bare)) return "invalid";
  // Ids have no control characters, so two different purchases never read the same.
  const fingerprint = [body.userID, body.userLevel, parseIpAddress(body.clientIP), body.goodsSKU, body.goodsQuantity].join("\n");
  return { text: bare, fingerprint };
}

export function routes(gate: GateKeeper): Route[] {
  return [on(api.buy, ({ body, headers }) => gate.buy(body, headers.get("idempotency-key"), languageOf(headers.get("accept-language"))))];
}
