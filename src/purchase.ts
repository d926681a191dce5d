/**
 * One purchase, top to bottom. The purchases that arrived in one turn of the event loop go through the five steps together, in order of
 * arrival; each step answers the whole turn at once. The first step that refuses ends a purchase, and no later step hears of it.
 *
 * Only the cart step changes anything: the ledger checks stock and limit and freezes, in one atomic step, and answers when that is durable.
 * The steps before it are filters, and may be slightly stale. A crash at any line is safe, because holds end by themselves.
 */

import type { Answer } from "./core/answer.ts";
import { assert } from "./core/assert.ts";
import { Failure } from "./core/failure.ts";
import type { IpAddress, SessionId, Sku, UserId } from "./core/ids.ts";
import { type FailureReason, isFailure, type Reason, type Step } from "./core/reason.ts";
import type { Clock, DurationMs, MonotonicUs, UnixMs } from "./core/time.ts";
import type { KeptPurchase, KeptReply, Key } from "./ledger/ledger.ts";
import type { SaleTerms } from "./sales/sale.ts";
import type { InventoryManager, InventoryVerdict } from "./services/inventory-manager/service.ts";
import type { PolicyController, PolicyVerdict } from "./services/policy-controller/service.ts";
import type { SafeProtector, SafeVerdict } from "./services/safe-protector/service.ts";
import type { CartVerdict, ShoppingCart } from "./services/shopping-cart/service.ts";

/** A purchase on its way through the steps. */
export interface Purchase {
  /** The trace id, made by the gate. */
  readonly sessionId: SessionId;
  readonly userId: UserId;
  readonly userLevel: number;
  readonly clientIp: IpAddress;
  readonly sku: Sku;
  readonly quantity: number;
  readonly key: Key | null;
  /** The limit that the policy step has found; 0 means none. */
  quantityLimit: number;
  /** The terms of the sale that the policy step has found for the SKU; `null`: it is in none. */
  sale: Pick<SaleTerms, "opensAt" | "closesAt" | "frozenForMs"> | null;
  /** Ends the purchase: tells the shopper and writes the record. Called exactly once. */
  settle(outcome: Outcome, course: Course): void;
}

export type Outcome =
  | { readonly kind: "held"; readonly quantity: number; readonly heldUntil: UnixMs }
  | { readonly kind: "refused"; readonly step: Step; readonly reason: Reason }
  /** The key had its answer already: here it is again. */
  | { readonly kind: "repeated"; readonly reply: KeptPurchase }
  /** The key belongs to another request. */
  | { readonly kind: "key-reused" };

/** The steps that a turn has gone through so far, when each began, and the microseconds that it took for the whole turn. */
export interface Course {
  /** The end of the last step. */
  readonly atUs: MonotonicUs;
  readonly steps: readonly Step[];
  readonly beganUs: readonly MonotonicUs[];
  readonly stepUs: readonly number[];
}
/** The course of a turn that is on its way. */
export interface GrowingCourse extends Course {
  atUs: MonotonicUs;
  readonly steps: Step[];
  readonly beganUs: MonotonicUs[];
  readonly stepUs: number[];
}

/** What the gate does itself, and how its purchases go on from there. */
export interface PurchaseGate {
  /** How many of so many purchases the gate's own throttle lets through. */
  readonly admit: (wanted: number) => number;
  readonly walk: Walk;
  readonly clock: Clock;
}

/** Takes those whom the throttle has let through the other steps, and settles each. Over services, as they are in this process or at the far ends of
 *  links, it is `walkThrough`; where one other process has all of them, a turn goes there whole. */
export type Walk = (admitted: readonly Purchase[], course: GrowingCourse) => Promise<void>;

/** The services behind the gate. */
export interface PurchaseServices {
  readonly safeProtector: Pick<SafeProtector, "validate">;
  readonly policyController: Pick<PolicyController, "validate">;
  readonly inventoryManager: Pick<InventoryManager, "validate">;
  readonly shoppingCart: Pick<ShoppingCart, "add"> & { readonly frozenForMs: DurationMs };
  readonly replies: {
    recall(keys: readonly Key[], now: UnixMs): Answer<readonly (KeptReply | null)[]>;
    /** Keeps refusals, as `Ledger.remember` does. */
    remember(replies: readonly KeptPurchase[], now: UnixMs): Promise<readonly (KeptReply | null)[]>;
  };
  readonly clock: Clock;
}

export async function purchaseTogether(arrived: readonly Purchase[], { admit, walk, clock }: PurchaseGate): Promise<void> {
  const turn = new Turn(arrived, { atUs: clock.monotonicUs(), steps: [], beganUs: [], stepUs: [] }, clock);
  await turn.step("throttle", (purchases) => admitted(admit(purchases.length), purchases.length));
  if (turn.standing.length > 0) await walk(turn.standing, turn.course);
}

export function walkThrough(services: PurchaseServices): Walk {
  const { safeProtector, policyController, inventoryManager, shoppingCart, clock } = services;
  return async (admitted, course) => {
    const turn = new Turn(admitted, course, clock);
    await turn.repeatKnownReplies(services);
    await turn.step("protect", (purchases) => safeProtector.validate(purchases));
    await turn.step(
      "policy",
      (purchases) => policyController.validate(purchases),
      (purchase, { quantityLimit, sale }) => {
        purchase.quantityLimit = quantityLimit;
        purchase.sale = sale;
      },
    );
    await turn.step("inventory", (purchases) => inventoryManager.validate(purchases));
    await turn.step("cart", (purchases) => shoppingCart.add(purchases));
    await turn.rememberRefusals(services);
  };
}

/** What a step says of one purchase. */
type Verdict = SafeVerdict | PolicyVerdict | InventoryVerdict | CartVerdict | { readonly allowed: boolean; readonly reason: FailureReason };

const PASSED = { allowed: true } as const;
/** Refusals that pass with time: the same key may buy later. */
const PASSES: ReadonlySet<Reason> = new Set(["throttled", "not-started", "paused"]);
const THROTTLED = { allowed: false, reason: "throttled" } as const;

const admitted = (count: number, wanted: number): readonly Verdict[] =>
  Array.from({ length: wanted }, (_, index) => (index < count ? PASSED : THROTTLED));

/** The purchases of one turn that are still standing, and how they leave. */
class Turn {
  readonly course: GrowingCourse;
  readonly #clock: Clock;
  /** Refused before the cart, with a key: their refusal is made durable before they hear it. */
  readonly #toRemember: { readonly purchase: Purchase; readonly step: Step; readonly reason: Reason }[] = [];
  #standing: readonly Purchase[];

  constructor(arrived: readonly Purchase[], course: GrowingCourse, clock: Clock) {
    this.#standing = arrived;
    this.course = course;
    this.#clock = clock;
  }

  get standing(): readonly Purchase[] {
    return this.#standing;
  }

  /** Asks one service about everyone who stands; `learn` takes what its verdict adds to a purchase, and who is refused leaves. */
  async step<V extends Verdict>(
    step: Step,
    ask: (standing: readonly Purchase[]) => Answer<readonly V[]>,
    learn?: (purchase: Purchase, verdict: V) => void,
  ): Promise<void> {
    const asked = this.#standing;
    if (asked.length === 0) return;
    const beganUs = this.course.atUs;
    const verdicts = await answerOf(() => ask(asked));
    this.course.atUs = this.#clock.monotonicUs();
    this.course.steps.push(step);
    this.course.beganUs.push(beganUs);
    this.course.stepUs.push(this.course.atUs - beganUs);

    const passed: Purchase[] = [];
    for (let i = 0; i < asked.length; i += 1) {
      const purchase = asked[i] as Purchase;
      const verdict = verdicts instanceof Failure ? ({ allowed: false, reason: `${step}-unavailable` } as const) : (verdicts[i] as V);
      if (learn && !(verdicts instanceof Failure)) learn(purchase, verdict as V);
      if (!verdict.allowed) this.#leave(purchase, step, verdict);
      else if ("heldUntil" in verdict)
        purchase.settle({ kind: "held", quantity: verdict.quantity, heldUntil: verdict.heldUntil }, this.course);
      else passed.push(purchase);
    }
    this.#standing = passed;
  }

  /** A key that has its answer gets it again; nothing is done twice. */
  async repeatKnownReplies({ replies }: Pick<PurchaseServices, "replies">): Promise<void> {
    const keyed = this.#standing.filter(({ key }) => key !== null);
    if (keyed.length === 0) return;
    const keys = keyed.map(({ key }) => key as Key);
    const kept = await answerOf(() => replies.recall(keys, this.#clock.now()));
    this.course.atUs = this.#clock.monotonicUs();
    const answered = new Set<Purchase>();
    keyed.forEach((purchase, index) => {
      const reply = kept instanceof Failure ? null : kept[index];
      if (!reply && !(kept instanceof Failure)) return;
      answered.add(purchase);
      // Without an answer nobody knows whether this purchase has happened, and so it must not happen now.
      purchase.settle(reply ? outcomeOfKept(reply, purchase) : { kind: "refused", step: "cart", reason: "cart-unavailable" }, this.course);
    });
    if (answered.size > 0) this.#standing = this.#standing.filter((purchase) => !answered.has(purchase));
  }

  async rememberRefusals({ replies, shoppingCart }: Pick<PurchaseServices, "replies" | "shoppingCart">): Promise<void> {
    if (this.#toRemember.length === 0) return;
    const toKeep = this.#toRemember.map(({ purchase, step, reason }): KeptPurchase => {
      const { key, sessionId, sku, quantity } = purchase;
      assert(key !== null, "only a purchase with a key is remembered");
      return { kind: "purchase", key, sessionId, step, reason, sku, quantity, heldUntil: 0, frozenForMs: shoppingCart.frozenForMs };
    });
    const kept = await answerOf(() => replies.remember(toKeep, this.#clock.now()));
    this.course.atUs = this.#clock.monotonicUs();
    this.#toRemember.forEach(({ purchase, step, reason }, index) => {
      const reply = kept instanceof Failure ? null : kept[index];
      if (!reply) purchase.settle({ kind: "refused", step, reason: `${step}-unavailable` }, this.course);
      else if (reply.kind === "purchase" && reply.sessionId === purchase.sessionId)
        purchase.settle({ kind: "refused", step, reason }, this.course);
      else purchase.settle(outcomeOfKept(reply, purchase), this.course);
    });
  }

  #leave(purchase: Purchase, step: Step, verdict: Exclude<Verdict, { allowed: true }>): void {
    const { reason } = verdict;
    if (reason === "repeated" || reason === "key-reused") {
      purchase.settle(reason === "repeated" ? { kind: "repeated", reply: verdict.kept } : { kind: reason }, this.course);
      return;
    }
    assert(reason !== null && reason !== "no-hold", "who is refused is told why");
    const told: Reason = reason === "no-room-for-key" ? `${step}-unavailable` : reason;
    // The ledger has remembered its own refusals. Who came too early, or was not heard, was not decided about: the key stays free.
    const isDecided = step !== "cart" && !PASSES.has(told) && !isFailure(told);
    if (purchase.key !== null && isDecided) this.#toRemember.push({ purchase, step, reason: told });
    else purchase.settle({ kind: "refused", step, reason: told }, this.course);
  }
}

const outcomeOfKept = (reply: KeptReply, purchase: Purchase): Outcome =>
  reply.kind === "purchase" && reply.key.fingerprint === purchase.key?.fingerprint ? { kind: "repeated", reply } : { kind: "key-reused" };

/** A failure is an answer here: the step is unavailable. Anything else that is thrown is a bug and goes on up. */
async function answerOf<T>(ask: () => Answer<T>): Promise<T | Failure> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}
