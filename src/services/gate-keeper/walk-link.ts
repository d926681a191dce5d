/**
 * A whole turn over a link: where one other process has all services behind the gate, the purchases that the throttle has let through go there in
 * one request, take the other steps together (`walkThrough`), and come back with their ends. A step costs no request of its own then.
 *
 * Who cannot be answered for ends at the cart, the last step that may have been reached: what is frozen then ends by itself.
 */
import Type from "typebox";
import { assert } from "../../core/assert.ts";
import type { Route } from "../../core/endpoint.ts";
import { Failure } from "../../core/failure.ts";
import { KeySchema } from "../../core/idempotency-key.ts";
import { type IpAddress, type SessionId, SessionIdSchema, type Sku, SkuSchema, type UserId, UserIdSchema } from "../../core/ids.ts";
import { PurchaseQuantity, UserLevel } from "../../core/quantity.ts";
import { type Reason, STEPS, type Step } from "../../core/reason.ts";
import type { Clock, DurationMs, MonotonicUs, UnixMs } from "../../core/time.ts";
import type { KeptPurchase, Key } from "../../ledger/ledger.ts";
import { LINK_DEADLINE_MS } from "../../limits/links.ts";
import { TURN_PURCHASES_MAX } from "../../limits.ts";
import { linkMethod, linkRoute } from "../../links/method.ts";
import type { Course, GrowingCourse, Outcome, Purchase, Walk } from "../../purchase.ts";
import { IpAddressText } from "../safe-protector/api.ts";

const Row = Type.Tuple([
  ...([SessionIdSchema, UserIdSchema, UserLevel, IpAddressText, SkuSchema, PurchaseQuantity] as const),
  Type.Union([KeySchema, Type.Null()]),
]);
type PurchaseRow = readonly [SessionId, UserId, number, IpAddress, Sku, number, Key | null];

/** How a purchase ended, and how many steps of its turn were over by then. */
interface End {
  readonly steps: number;
  readonly outcome: Outcome;
  readonly sale: Purchase["sale"];
}
interface Walked {
  /** The steps of the turn: when each began and ended, in microseconds since the turn came. */
  readonly steps: readonly (readonly [Step, number, number])[];
  /** In the order of the purchases. */
  readonly ends: readonly End[];
}

export const walkTurn = linkMethod<readonly Purchase[], Walked>({
  name: "walk",
  summary: "takes these turns of purchases through all steps behind the throttle, and tells how each has ended.",
  item: Type.Array(Row, { minItems: 1, maxItems: TURN_PURCHASES_MAX }),
  wire: (purchases) => purchases.map(rowOf),
  read: (crossed) => (crossed as readonly PurchaseRow[]).map((row) => new Walker(row)),
  wireReply: ({ steps, ends }) => [steps, ends.map(endRowOf)],
  readReply: (crossed) => {
    const [steps, ends] = crossed as readonly [Walked["steps"], readonly EndRow[]];
    if (!steps.every(([step]) => STEPS.includes(step))) throw new TypeError("there is no such step");
    return { steps, ends: ends.map(endOf) };
  },
  // With a key the second time gets the answer of the first; without one, twice is twice.
  isRepeatable: (turns) => (turns as readonly (readonly PurchaseRow[])[]).every((rows) => rows.every((row) => row[6] !== null)),
  deadlineMs: LINK_DEADLINE_MS,
  itemsMax: 1,
  isCollected: true,
});

function rowOf({ sessionId, userId, userLevel, clientIp, sku, quantity, key }: Purchase): PurchaseRow {
  return [sessionId, userId, userLevel, clientIp, sku, quantity, key];
}

/** A purchase at the far end: it keeps its end until those of its turn go back together. */
class Walker implements Purchase {
  readonly sessionId: SessionId;
  readonly userId: UserId;
  readonly userLevel: number;
  readonly clientIp: IpAddress;
  readonly sku: Sku;
  readonly quantity: number;
  readonly key: Key | null;
  quantityLimit = 0;
  sale: Purchase["sale"] = null;
  end: End | null = null;

  constructor([sessionId, userId, userLevel, clientIp, sku, quantity, key]: PurchaseRow) {
    this.sessionId = sessionId;
    this.userId = userId;
    this.userLevel = userLevel;
    this.clientIp = clientIp;
    this.sku = sku;
    this.quantity = quantity;
    this.key = key;
  }

  settle(outcome: Outcome, { steps }: Course): void {
    assert(this.end === null, "a purchase ends once");
    this.end = { steps: steps.length, outcome, sale: this.sale };
  }
}

interface WaitingTurn {
  readonly purchases: readonly Purchase[];
  readonly cameUs: MonotonicUs;
  readonly tell: (walk: Promise<GrowingCourse>) => void;
}

/**
 * The far end, where all services are. The turns of several gates that arrive in one turn of its own event loop walk together, and share a commit.
 * @param nextTurn runs `work` when this turn of the event loop is over
 */
export function walkLinkRoutes(walk: Walk, clock: Clock, nextTurn: (work: () => void) => void): Route[] {
  let waiting: WaitingTurn[] = [];
  const go = (): void => {
    const turns = waiting;
    waiting = [];
    const course: GrowingCourse = { atUs: clock.monotonicUs(), steps: [], beganUs: [], stepUs: [] };
    const all = turns.length === 1 ? (turns[0] as WaitingTurn).purchases : turns.flatMap(({ purchases }) => purchases);
    const walked = walk(all, course).then(() => course);
    for (const { tell } of turns) tell(walked);
  };
  const serve = async ([purchases]: readonly (readonly Purchase[])[]): Promise<readonly Walked[]> => {
    assert(purchases !== undefined, "a request carries one turn");
    const cameUs = clock.monotonicUs();
    const course = await new Promise<GrowingCourse>((tell) => {
      waiting.push({ purchases, cameUs, tell });
      if (waiting.length === 1) nextTurn(go);
    });
    const steps = course.steps.map((step, index) => {
      const beganUs = (course.beganUs[index] as number) - cameUs;
      return [step, Math.round(beganUs), Math.round(beganUs + (course.stepUs[index] as number))] as const;
    });
    return [{ steps, ends: purchases.map(endOfWalk) }];
  };
  return [linkRoute(walkTurn, serve)];
}

function endOfWalk(purchase: Purchase): End {
  const { end } = purchase as Walker;
  assert(end !== null, "a walk settles everybody");
  return end;
}

/** The near end: what the gate has in place of the services. */
export function walkOver(ask: (turns: readonly (readonly Purchase[])[]) => Promise<readonly Walked[]>, clock: Clock): Walk {
  return async (admitted, course) => {
    const sentUs = course.atUs;
    try {
      const [walked] = await ask([admitted]);
      if (walked?.ends.length !== admitted.length) throw new Failure("unreachable", "the answer is another turn's", false);
      settleAll(admitted, walked, course, clock.monotonicUs());
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      course.atUs = clock.monotonicUs();
      grow(course, "cart", sentUs, course.atUs);
      for (const purchase of admitted) purchase.settle({ kind: "refused", step: "cart", reason: "cart-unavailable" }, course);
    }
  };
}

function settleAll(admitted: readonly Purchase[], { steps, ends }: Walked, course: GrowingCourse, nowUs: number): void {
  // The far end's clock is another one: the way there and the way back are taken to be equally long.
  const walkUs = steps.at(-1)?.[2] ?? 0;
  const cameUs = Math.max(course.atUs, (course.atUs + nowUs - walkUs) / 2);
  const before = course.steps.length;
  course.atUs = nowUs;
  for (const [step, beganUs, endedUs] of steps) grow(course, step, cameUs + beganUs, cameUs + endedUs);
  const courses: (Course | undefined)[] = [];
  admitted.forEach((purchase, index) => {
    const { outcome, sale, steps: count } = ends[index] as End;
    purchase.sale = sale;
    // Who left the turn early has the steps that were over by then; all who left together share them.
    const own = courses[count] ?? (count === steps.length ? course : shortened(course, before + count));
    courses[count] = own;
    purchase.settle(outcome, own);
  });
}

function grow({ steps, beganUs, stepUs }: GrowingCourse, step: Step, fromUs: number, toUs: number): void {
  steps.push(step);
  beganUs.push(fromUs);
  stepUs.push(toUs - fromUs);
}

const shortened = ({ atUs, steps, beganUs, stepUs }: Course, count: number): Course => ({
  atUs,
  steps: steps.slice(0, count),
  beganUs: beganUs.slice(0, count),
  stepUs: stepUs.slice(0, count),
});

// --- How an end crosses ----------------------------------------------------------------------------------------------------

type SaleRow = readonly [opensAt: UnixMs, closesAt: UnixMs, frozenForMs: DurationMs | null] | null;
type EndRow =
  | readonly [kind: "held", steps: number, sale: SaleRow, quantity: number, heldUntil: UnixMs]
  | readonly [kind: "refused", steps: number, sale: SaleRow, step: Step, reason: Reason]
  | readonly [kind: "repeated", steps: number, sale: SaleRow, reply: KeptPurchase]
  | readonly [kind: "key-reused", steps: number, sale: SaleRow];

function endRowOf({ steps, outcome, sale }: End): EndRow {
  const saleRow: SaleRow = sale && [sale.opensAt, sale.closesAt, sale.frozenForMs];
  switch (outcome.kind) {
    case "held":
      return ["held", steps, saleRow, outcome.quantity, outcome.heldUntil];
    case "refused":
      return ["refused", steps, saleRow, outcome.step, outcome.reason];
    case "repeated":
      return ["repeated", steps, saleRow, outcome.reply];
    case "key-reused":
      return ["key-reused", steps, saleRow];
  }
}

function endOf(row: EndRow): End {
  const [kind, steps, saleRow] = row;
  const sale = saleRow && { opensAt: saleRow[0], closesAt: saleRow[1], frozenForMs: saleRow[2] };
  if (!(steps >= 0)) throw new TypeError("an end has so many steps before it");
  switch (kind) {
    case "held":
      return { steps, sale, outcome: { kind, quantity: row[3], heldUntil: row[4] } };
    case "refused":
      return { steps, sale, outcome: { kind, step: row[3], reason: row[4] } };
    case "repeated":
      return { steps, sale, outcome: { kind, reply: row[3] } };
    case "key-reused":
      return { steps, sale, outcome: { kind } };
    default:
      throw new TypeError("there is no such end");
  }
}
