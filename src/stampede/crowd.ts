/**
 * The crowd: lets every buyer arrive when the schedule says so, whatever has been answered by then, and follows each of them to the end of their
 * purchase. A buyer whose connection was cut does not know the outcome, and asks again with the same key.
 */
import { assert } from "../core/assert.ts";
import type { Clock, MonotonicUs } from "../core/time.ts";
import { type BuyAnswer, readAnswer } from "./answer.ts";
import { type Buyer, type BuyerMaker, roleOf } from "./buyer.ts";
import type { Exchange, LoadClient, Timers } from "./io.ts";
import type { StampedeSettings } from "./options.ts";
import type { Tally } from "./tally.ts";

/** How often the schedule is looked at. */
const TICK_MS = 1;
/** Buyers let in at one tick; the rest come at the next, so that answers are read in between. */
const ARRIVALS_PER_TICK_MAX = 2_000;
/** An arrival that is sent this much after its moment counts as late. */
const LATE_US = 10_000;
/** A buyer without an answer asks this often, waiting longer each time. */
const TRIES_MAX = 10;
const RETRY_MS_MIN = 20;
const RETRY_MS_MAX = 1_000;

export interface CrowdWorld {
  readonly client: LoadClient;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: () => number;
}

/** One buyer on the way. `firstBody` is what they were told first, once they ask again only to hear the same. */
interface Shopper {
  readonly buyer: Buyer;
  readonly scheduledUs: MonotonicUs;
  tries: number;
  isOutcomeUnknown: boolean;
  firstBody: string | null;
}

export class Crowd {
  #launched = 0;
  #underWay = 0;
  #stopTicking: () => void = () => undefined;
  #resolve: () => void = () => undefined;

  constructor(
    readonly settings: Pick<StampedeSettings, "buyers" | "repeatShare" | "badShare" | "quantity">,
    readonly maker: BuyerMaker,
    readonly canBlacklist: boolean,
    readonly world: CrowdWorld,
    readonly tally: Tally,
  ) {}

  /** Answers when the last buyer is done. */
  run(nextArrivalUs: () => number): Promise<void> {
    const startedUs = this.world.clock.monotonicUs();
    let dueUs = startedUs + nextArrivalUs();
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#stopTicking = this.world.timers.every(TICK_MS, () => {
        const nowUs = this.world.clock.monotonicUs();
        for (let i = 0; i < ARRIVALS_PER_TICK_MAX && dueUs <= nowUs && this.#launched < this.settings.buyers; i += 1) {
          this.#arrive(dueUs);
          dueUs = startedUs + nextArrivalUs();
        }
        this.#endWhenAllAreDone();
      });
    });
  }

  #endWhenAllAreDone(): void {
    if (this.#launched < this.settings.buyers || this.#underWay > 0) return;
    this.#stopTicking();
    this.#resolve();
  }

  #arrive(scheduledUs: MonotonicUs): void {
    const role = roleOf(this.world.random(), this.settings, this.canBlacklist);
    const buyer = this.maker.buyer(this.#launched, role);
    this.#launched += 1;
    this.#underWay += 1;
    this.tally.arrived += 1;
    const isBehind = this.world.clock.monotonicUs() - scheduledUs > LATE_US;
    const sent = this.#ask({ buyer, scheduledUs, tries: 0, isOutcomeUnknown: false, firstBody: null });
    if (sent === "full") {
      this.tally.notSent += 1;
      this.#done();
    } else if (sent === "waiting" || isBehind) this.tally.late += 1;
  }

  #ask(shopper: Shopper): "sent" | "waiting" | "full" {
    shopper.tries += 1;
    const { client } = this.world;
    const onEnd = (exchange: Exchange): void => this.#heard(shopper, exchange);
    const hangsUp = shopper.buyer.role === "cutter" && shopper.tries === 1;
    return hangsUp ? client.sendAndCut(shopper.buyer.request, onEnd) : client.send(shopper.buyer.request, onEnd);
  }

  #heard(shopper: Shopper, exchange: Exchange): void {
    if (exchange.kind !== "reply") {
      if (exchange.kind === "cut") shopper.isOutcomeUnknown = true;
      this.#askLater(shopper);
      return;
    }
    const answer = readAnswer(exchange.status, exchange.body);
    const isStillInFlight = answer.kind === "rejected" && answer.status === 409 && shopper.tries > 1;
    if (isStillInFlight) this.#askLater(shopper);
    else if (shopper.firstBody === null) this.#firstAnswer(shopper, answer, exchange.body);
    else this.#secondAnswer(shopper, answer, exchange.body);
  }

  #askLater(shopper: Shopper): void {
    if (shopper.tries >= TRIES_MAX) {
      if (shopper.firstBody === null) {
        this.tally.count("no answer");
        if (shopper.isOutcomeUnknown) this.tally.undecided.push(shopper.buyer.userId);
      }
      this.#done();
      return;
    }
    const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** (shopper.tries - 1));
    this.world.timers.after(delayMs, () => {
      if (this.#ask(shopper) === "full") this.#askLater(shopper);
    });
  }

  #firstAnswer(shopper: Shopper, answer: BuyAnswer, body: string): void {
    const { role, userId } = shopper.buyer;
    this.tally.firstAnswer(outcomeOf(answer, role), this.world.clock.monotonicUs() - shopper.scheduledUs);
    const fault = faultOf(answer, role, body);
    if (fault) this.tally.fault(`${userId} (${role}): ${fault}`);
    if (answer.kind === "refused" && answer.reason === "blacklisted" && role !== "blacklisted") this.tally.blocked(userId);
    if (answer.kind === "held") this.tally.winners.push({ userId, quantity: answer.quantity, expiresAt: answer.expiresAt });
    else if (answer.kind === "failed" || answer.kind === "strange" || (shopper.isOutcomeUnknown && !isKept(answer)))
      this.tally.undecided.push(userId);
    if ((role === "repeater" || role === "cutter") && isKept(answer)) {
      shopper.firstBody = body;
      this.tally.askedAgain += 1;
      if (role === "cutter") this.tally.askedAgainAfterCut += 1;
      if (this.#ask(shopper) === "full") this.#askLater(shopper);
    } else this.#done();
  }

  #secondAnswer(shopper: Shopper, answer: BuyAnswer, body: string): void {
    // Throttled and failed requests are not told what the first one was told; nothing can be compared then.
    if (body === shopper.firstBody) this.tally.gotSameReply += 1;
    else if (answer.kind === "held" || isKept(answer) || answer.kind === "rejected" || answer.kind === "strange")
      this.tally.fault(`${shopper.buyer.userId}: the same key got another reply: first ${shopper.firstBody}, then ${body}`);
    this.#done();
  }

  #done(): void {
    this.#underWay -= 1;
    assert(this.#underWay >= 0, "no buyer is done twice");
    this.#endWhenAllAreDone();
  }
}

/** Whether the shop keeps this answer and gives it again for the same key. */
const isKept = (answer: BuyAnswer): boolean => answer.kind === "held" || (answer.kind === "refused" && answer.reason !== "throttled");

function outcomeOf(answer: BuyAnswer, role: Buyer["role"]): string {
  if (answer.kind === "held") return "held";
  if (answer.kind === "refused" || answer.kind === "failed") return answer.reason;
  if (answer.kind === "strange") return `strange (HTTP ${answer.status})`;
  return role === "malformed" ? "malformed" : `rejected (HTTP ${answer.status})`;
}

/** What is wrong with giving this answer to such a buyer, or `null`. */
function faultOf(answer: BuyAnswer, role: Buyer["role"], body: string): string | null {
  const isThrottled = answer.kind === "refused" && answer.reason === "throttled";
  if (isThrottled || answer.kind === "failed") return null;
  if (answer.kind === "strange") return `an answer outside the contract: HTTP ${answer.status} ${body.slice(0, 200)}`;
  if (role === "malformed")
    return answer.kind === "rejected" ? null : `a malformed request was not refused with 4xx: ${body.slice(0, 200)}`;
  if (answer.kind === "rejected") return `a proper purchase was refused as malformed: HTTP ${answer.status} ${body.slice(0, 200)}`;
  const isBlacklisted = answer.kind === "refused" && answer.reason === "blacklisted";
  if (role === "blacklisted" && !isBlacklisted) return `a blacklisted user got past the protection: ${body.slice(0, 200)}`;
  return null;
}
