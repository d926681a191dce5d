/**
 * GateKeeper: the only public door. It gives every purchase its trace id, collects those of one turn of the event loop, sends them through
 * the steps together (`src/purchase.ts`), answers each, and writes its record.
 */
import type { Answer } from "../../core/answer.ts";
import { assert } from "../../core/assert.ts";
import { type HttpReply, on, type Route } from "../../core/endpoint.ts";
import { invalidKey, keyInFlight, ownKey, parseIdempotencyKey } from "../../core/idempotency-key.ts";
import type { IpAddress, SessionId, Sku, UserId } from "../../core/ids.ts";
import { parseIpAddress } from "../../core/ip-address.ts";
import { type Language, languageOf } from "../../core/language.ts";
import type { Clock, DurationMs, MonotonicUs } from "../../core/time.ts";
import type { Identity, Shopper } from "../../identity/identity.ts";
import type { Key } from "../../ledger/ledger.ts";
import { PURCHASES_IN_FLIGHT_MAX, TURN_LOOKS_MAX, TURN_PURCHASES_MAX } from "../../limits.ts";
import { type Course, type Outcome, type Purchase, type PurchaseGate, purchaseTogether } from "../../purchase.ts";
import { AccessRecords } from "./access-record.ts";
import { gateKeeperApi as api, type BuyBody } from "./api.ts";
import type { PurchaseTracer } from "./purchase-trace.ts";
import { PurchaseReplies } from "./reply.ts";
import { TurnPace } from "./turn-pace.ts";

export interface GateKeeperParts {
  /** How a turn is decided. */
  readonly purchase: PurchaseGate;
  /** How long goods stay frozen that are in no sale of their own time. */
  readonly frozenForMs: DurationMs;
  readonly clock: Clock;
  readonly nextTraceId: () => SessionId;
  /** The name of this gate among all instances. */
  readonly instance: string;
  /** Runs `work` in the next turn of the event loop. */
  readonly nextTurn: (work: () => void) => void;
  /** Runs `work` after so many milliseconds. */
  readonly after: (delayMs: DurationMs, work: () => void) => void;
  /** Takes a line, or drops it when the disk cannot follow; never waits. */
  readonly record: (line: string) => void;
  /** Counts a purchase: its end and its whole time. */
  readonly count: (outcome: Outcome, totalUs: number) => void;
  /** Takes the purchases that are traced; `null` where none is. */
  readonly trace: PurchaseTracer | null;
  readonly retryAfterSeconds: () => number;
  /** Hears of a bug on the way of a turn; its purchases are answered with a failure. */
  readonly onBug: (error: unknown) => void;
  /** The keys of requests on their way, of purchases and of all others: a key is one key whatever it is used for. */
  readonly keysInFlight: Set<string>;
  /** Whether a key belongs to its shopper alone (`Identity.isProven`). */
  readonly isIdentityProven: boolean;
}

const NO_COURSE: Course = { atUs: 0, steps: [], beganUs: [], stepUs: [] };
export class GateKeeper {
  readonly #parts: GateKeeperParts;
  readonly #replies: PurchaseReplies;
  readonly #records: AccessRecords;
  #waiting: Arrival[] = [];
  readonly #pace = new TurnPace();
  /** A look at the sockets is on its way, and a turn after it. */
  #isTurnScheduled = false;
  /** Those who wait go when a turn under way ends, or has been under way for too long. */
  #isHeldBack = false;
  #isTimerSet = false;
  #looks = 0;
  #inFlight = 0;
  #timeMs = 0;
  #timeText = "";

  constructor(parts: GateKeeperParts) {
    this.#parts = parts;
    this.#records = new AccessRecords(parts.instance);
    this.#replies = new PurchaseReplies(parts.frozenForMs, parts.retryAfterSeconds);
  }

  get purchasesInFlight(): number {
    return this.#inFlight;
  }

  /** @param shopper who buys; what the body says of that counts only where the shop trusts it, and is the shopper's own then */
  buy(shopper: Shopper, body: BuyBody, keyText: string | null, language: Language): HttpReply | Promise<HttpReply> {
    const key = keyText === null ? null : keyOf(keyText, shopper, body, this.#parts.isIdentityProven);
    if (key === "invalid") return invalidKey();
    if (key && this.#parts.keysInFlight.has(key.text)) return keyInFlight();
    return new Promise((resolve) => this.#enter(new Arrival(this, shopper, body, key, language, resolve)));
  }

  /** Ends a purchase: writes its record, counts it, and tells the shopper. */
  finish(arrival: Arrival, outcome: Outcome, course: Course): HttpReply {
    this.#inFlight -= 1;
    if (arrival.key) this.#parts.keysInFlight.delete(arrival.key.text);
    const totalUs = Math.max(0, course.atUs - arrival.receivedUs);
    this.#parts.record(this.#records.line(this.#time(), arrival, outcome, course, totalUs));
    this.#parts.count(outcome, totalUs);
    this.#parts.trace?.(arrival, outcome, course, arrival.receivedUs);
    return this.#replies.of(outcome, arrival);
  }

  nextTraceId(): SessionId {
    return this.#parts.nextTraceId();
  }

  monotonicUs(): MonotonicUs {
    return this.#parts.clock.monotonicUs();
  }

  #enter(arrival: Arrival): void {
    this.#inFlight += 1;
    if (arrival.key) this.#parts.keysInFlight.add(arrival.key.text);
    if (this.#inFlight > PURCHASES_IN_FLIGHT_MAX) {
      arrival.settle({ kind: "refused", step: "throttle", reason: "throttled" }, NO_COURSE);
      return;
    }
    this.#waiting.push(arrival);
    this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#isTurnScheduled || this.#isHeldBack) return;
    const waitUs = this.#pace.waitUs(this.#parts.clock.monotonicUs());
    if (waitUs > 0) {
      this.#holdBack(waitUs);
      return;
    }
    this.#isTurnScheduled = true;
    this.#looks = 0;
    this.#lookAgain();
  }

  #holdBack(waitUs: number): void {
    this.#isHeldBack = true;
    // One that was set for an earlier turn rings first, and sets another when that is still needed.
    if (this.#isTimerSet) return;
    this.#isTimerSet = true;
    this.#parts.after(Math.ceil(waitUs / 1_000), () => {
      this.#isTimerSet = false;
      this.#letGo();
    });
  }

  #letGo(): void {
    this.#isHeldBack = false;
    if (this.#waiting.length > 0) this.#scheduleTurn();
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
    const underWay = this.#pace.began(this.#parts.clock.monotonicUs());
    if (this.#waiting.length > 0) this.#scheduleTurn();
    purchaseTogether(turn, this.#parts.purchase)
      .catch((error: unknown) => {
        this.#parts.onBug(error);
        for (const arrival of turn) arrival.failUnlessSettled();
      })
      .finally(() => {
        this.#pace.ended(underWay);
        this.#letGo();
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
  sale: Purchase["sale"] = null;
  readonly #gate: GateKeeper;
  readonly #reply: (reply: HttpReply) => void;
  #isSettled = false;

  constructor(gate: GateKeeper, shopper: Shopper, body: BuyBody, key: Key | null, language: Language, reply: (reply: HttpReply) => void) {
    this.#gate = gate;
    this.#reply = reply;
    this.sessionId = gate.nextTraceId();
    this.userId = shopper.userId;
    this.userLevel = shopper.userLevel;
    this.clientIp = shopper.clientIp;
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

/** The key with everything of the request that matters. Where the body need not say it, an address or a level that changes on the way, as
 *  a phone's does, makes no other request. What the client sends as `sessionID` does not matter. */
function keyOf(
  header: string,
  shopper: Shopper,
  { userLevel, clientIP, goodsSKU, goodsQuantity }: BuyBody,
  isOwned: boolean,
): Key | "invalid" {
  const bare = parseIdempotencyKey(header);
  if (bare === null) return "invalid";
  const text = isOwned ? ownKey(shopper.userId, bare) : bare;
  const address = clientIP === undefined ? "" : parseIpAddress(clientIP);
  // Ids have no control characters, so two different purchases never read the same.
  return { text, fingerprint: [shopper.userId, userLevel ?? "", address, goodsSKU, goodsQuantity].join("\n") };
}

export function routes(gate: GateKeeper, identity: Identity): Route[] {
  const buy = (shopper: Shopper | Refused, { body, headers }: BuyInput): Answer<HttpReply> =>
    "refusal" in shopper
      ? shopper.refusal
      : gate.buy(shopper, body, headers.get("idempotency-key"), languageOf(headers.get("accept-language")));
  return [
    // What the two declare differently is only which fields may be left out.
    on(identity.isProven ? api.buyWithToken : (api.buy as unknown as typeof api.buyWithToken), (input) => {
      const shopper = identity.shopper(input, input.body);
      return shopper instanceof Promise ? shopper.then((known) => buy(known, input)) : buy(shopper, input);
    }),
  ];
}

interface Refused {
  readonly refusal: HttpReply;
}
interface BuyInput {
  readonly body: BuyBody;
  readonly headers: { get(name: string): string | null };
}
