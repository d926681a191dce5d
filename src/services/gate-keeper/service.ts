/**
 * GateKeeper: the only public door. It gives every purchase its trace id, collects those of one turn of the event loop, sends them through
 * the steps together (`src/purchase.ts`), answers each, and writes its record.
 */
import { assert } from "../../core/assert.ts";
import { type HttpReply, on, type Route } from "../../core/endpoint.ts";
import type { IpAddress, SessionId } from "../../core/ids.ts";
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

interface Waiting {
  readonly purchase: Purchase;
  /** Answers it with a failure unless it has its answer. */
  readonly fail: () => void;
}

const NO_COURSE: Course = { atUs: 0, steps: [], stepUs: [] };
/** 1 to 255 visible ASCII characters. */
const keyPattern = new RegExp(`^[!-~]{1,${IDEMPOTENCY_KEY_CHARS_MAX}}$`);

export class GateKeeper {
  readonly #parts: GateKeeperParts;
  readonly #replies: PurchaseReplies;
  readonly #records = new AccessRecords();
  readonly #keysInFlight = new Set<string>();
  #waiting: Waiting[] = [];
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
    return new Promise((resolve) => this.#enter(body, key, language, resolve));
  }

  #enter(body: BuyBody, key: Key | null, language: Language, reply: (reply: HttpReply) => void): void {
    const { clock } = this.#parts;
    const receivedUs = clock.monotonicUs();
    const sessionId = this.#parts.nextTraceId();
    let isSettled = false;
    const settle = (outcome: Outcome, course: Course): void => {
      assert(!isSettled, "a purchase ends once");
      isSettled = true;
      this.#inFlight -= 1;
      if (key) this.#keysInFlight.delete(key.text);
      this.#finish(purchase, outcome, course, receivedUs);
      reply(this.#replies.of(outcome, sessionId, purchase.sku, language));
    };
    const purchase: Purchase = {
      sessionId,
      userId: body.userID,
      userLevel: body.userLevel,
      clientIp: parseIpAddress(body.clientIP) as IpAddress,
      sku: body.goodsSKU,
      quantity: body.goodsQuantity,
      key,
      quantityLimit: 0,
      settle,
    };
    this.#inFlight += 1;
    if (key) this.#keysInFlight.add(key.text);
    if (this.#inFlight > PURCHASES_IN_FLIGHT_MAX) {
      settle({ kind: "refused", step: "throttle", reason: "throttled" }, NO_COURSE);
      return;
    }
    const fail = (): void => {
      if (!isSettled) settle({ kind: "refused", step: "cart", reason: "cart-unavailable" }, NO_COURSE);
    };
    this.#waiting.push({ purchase, fail });
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
    const purchases = turn.map(({ purchase }) => purchase);
    purchaseTogether(purchases, this.#parts.services).catch((error: unknown) => {
      this.#parts.onBug(error);
      for (const { fail } of turn) fail();
    });
  }

  #finish(purchase: Purchase, outcome: Outcome, course: Course, receivedUs: MonotonicUs): void {
    const totalUs = Math.max(0, course.atUs - receivedUs);
    this.#parts.record(this.#records.line(this.#time(), purchase, outcome, course, totalUs));
    this.#parts.count(outcome, totalUs);
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

/** The key, quoted or bare, with everything of the body that matters; what the client sends as `sessionID` does not. */
function keyOf(text: string, body: BuyBody): Key | "invalid" {
  const bare = text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
  if (!keyPattern.test(bare)) return "invalid";
  // Ids have no control characters, so two different purchases never read the same.
  const fingerprint = [body.userID, body.userLevel, parseIpAddress(body.clientIP), body.goodsSKU, body.goodsQuantity].join("\n");
  return { text: bare, fingerprint };
}

export function routes(gate: GateKeeper): Route[] {
  return [on(api.buy, ({ body, header }) => gate.buy(body, header("idempotency-key"), languageOf(header("accept-language"))))];
}
