/**
 * PolicyController: who may buy how much, by user level, and what each user has already ordered. Its answer to a purchase is the early one:
 * the limit it names is enforced again where the stock is frozen, in the same atomic step.
 */
import type { Answer } from "../../core/answer.ts";
import { type HttpReply, json, on, type Route } from "../../core/endpoint.ts";
import type { SessionId, Sku, UserId } from "../../core/ids.ts";
import { listReply } from "../../core/paging.ts";
import { problem } from "../../core/problem.ts";
import type { Throttle } from "../../core/throttle.ts";
import type { Clock, UnixMs } from "../../core/time.ts";
import { EMPTY_LINE } from "../../ledger/decision.ts";
import type { Ledger, Line, OrderRecord, RecordCommand } from "../../ledger/ledger.ts";
import { PAGE_ROWS_DEFAULT, POLICIES_MAX, TIERS_PER_SKU_MAX, USER_LEVEL_MAX } from "../../limits.ts";
import { refusalOf, type SaleTerms, type TermsRefusal } from "../../sales/sale.ts";
import type { SaleBook } from "../../sales/sale-book.ts";
import { policyControllerApi as api } from "./api.ts";
import type { PolicyTable } from "./policy-table.ts";
import { type PolicyRow, type Tier, type TierKey, type Tiers, tierFor } from "./tiers.ts";

export interface PolicyCheck {
  readonly sessionId: SessionId;
  readonly userId: UserId;
  readonly userLevel: number;
  readonly sku: Sku;
  readonly quantity: number;
}

export interface PolicyVerdict {
  readonly allowed: boolean;
  readonly reason: "throttled" | TermsRefusal | "level-too-low" | "limit-reached" | null;
  /** What the user would have after this purchase: ordered, pending and frozen, and what is asked. */
  readonly orderQuantity: number;
  /** The limit that counts for this user, the smaller of the tier's and the sale's; 0 means none. */
  readonly quantityLimit: number;
  /** The terms of the sale that counts for this SKU at this moment; `null` when it is in no sale. */
  readonly sale: SaleTerms | null;
}

/** Where the terms of a SKU are found. */
export type SaleTermsSource = Pick<SaleBook, "termsOf">;

export class PolicyController {
  readonly #policies: PolicyTable;
  readonly #ledger: Ledger;
  readonly #throttle: Throttle;
  readonly #clock: Clock;
  readonly #sales: SaleTermsSource;

  constructor(policies: PolicyTable, ledger: Ledger, throttle: Throttle, clock: Clock, sales: SaleTermsSource) {
    this.#policies = policies;
    this.#ledger = ledger;
    this.#throttle = throttle;
    this.#clock = clock;
    this.#sales = sales;
  }

  /** Whether what others have said is in force here. */
  get isCurrent(): boolean {
    return this.#policies.table.isCurrent;
  }

  /** SKUs with a policy. */
  get policies(): number {
    return this.#policies.table.view.size;
  }

  tiersOf(sku: Sku): Tiers {
    return this.#policies.table.view.of(sku) ?? [];
  }

  /** One verdict per check, in order. Its reasons in their order: throttled, what the sale says, the level, the limit. What a user has already
   *  counts as far as it is known here; where the stock is frozen all of it does. */
  validate(checks: readonly PolicyCheck[]): Promise<readonly PolicyVerdict[]> {
    return this.#validate(checks, (limited, now) => this.#ledger.glanceAtLines(limited, now));
  }

  async #validate(
    checks: readonly PolicyCheck[],
    linesOf: (limited: readonly PolicyCheck[], now: UnixMs) => Answer<readonly Line[]>,
  ): Promise<readonly PolicyVerdict[]> {
    const now = this.#clock.now();
    const served = this.#throttle.admit(checks.length);
    const sales = checks.map(({ sku }) => this.#sales.termsOf(sku, now));
    const early = checks.map((check, index) =>
      index < served ? this.#earlyVerdict(check, sales[index] ?? null, now) : refused(check, "throttled", null),
    );
    const limited = checks.filter((_, index) => early[index] === null);
    const lines = limited.length > 0 ? await linesOf(limited, now) : [];
    let next = 0;
    return checks.map((check, index) => {
      const verdict = early[index] ?? this.#limitedVerdict(check, lines[next] ?? EMPTY_LINE, sales[index] ?? null);
      if (early[index] === null) next += 1;
      return verdict;
    });
  }

  /** The verdict where it does not depend on what the user has already: nobody can buy now, or everybody can. */
  #earlyVerdict(check: PolicyCheck, sale: SaleTerms | null, now: UnixMs): PolicyVerdict | null {
    const refusal = sale && refusalOf(sale, now);
    if (refusal) return refused(check, refusal, sale);
    if (this.#policies.table.view.of(check.sku) !== undefined || (sale && sale.quantityLimit > 0)) return null;
    return { allowed: true, reason: null, orderQuantity: check.quantity, quantityLimit: 0, sale };
  }

  #limitedVerdict(check: PolicyCheck, line: Line, sale: SaleTerms | null): PolicyVerdict {
    const tiers = this.#policies.table.view.of(check.sku);
    const tier = tiers ? tierFor(tiers, check.userLevel) : null;
    const orderQuantity = line.ordered + line.pending + line.held + check.quantity;
    if (tiers && !tier) return { allowed: false, reason: "level-too-low", orderQuantity, quantityLimit: 0, sale };
    const quantityLimit = smallerLimit(tier?.quantityLimit ?? 0, sale?.quantityLimit ?? 0);
    const allowed = quantityLimit === 0 || orderQuantity <= quantityLimit;
    return { allowed, reason: allowed ? null : "limit-reached", orderQuantity, quantityLimit, sale };
  }

  /** The limit that counts for a user of this level who pays late; 0 means none. Somebody below the lowest tier has bought before it was
   *  raised, and is held to it. */
  limitOf(sku: Sku, userLevel: number, sale: Pick<SaleTerms, "quantityLimit"> | null): number {
    const tiers = this.tiersOf(sku);
    const tier = tierFor(tiers, userLevel) ?? tiers[0];
    return smallerLimit(tier?.quantityLimit ?? 0, sale?.quantityLimit ?? 0);
  }

  list(after: TierKey | null, limit: number): Answer<readonly PolicyRow[]> {
    return this.#policies.list(after, limit);
  }

  /** `missing`: an update of a tier that is not there; `full`: no room for one more. */
  put(sku: Sku, tier: Tier, mode: "add" | "update"): Promise<"done" | "missing" | "full"> {
    return this.#policies.table.change((policies) => {
      const tiers = policies.of(sku) ?? [];
      const isNew = !tiers.some(({ userLevel }) => userLevel === tier.userLevel);
      const hasRoom = tiers.length > 0 ? tiers.length < TIERS_PER_SKU_MAX : policies.size < POLICIES_MAX;
      if (isNew && mode === "update") return { reply: "missing", changes: [], events: [] };
      if (isNew && !hasRoom) return { reply: "full", changes: [], events: [] };
      return { reply: "done", changes: [{ put: { sku, ...tier } }], events: [] };
    });
  }

  remove(sku: Sku): Promise<void> {
    return this.#policies.table.change((policies) => {
      const tiers = policies.of(sku) ?? [];
      return { reply: undefined, changes: tiers.map(({ userLevel }) => ({ remove: { sku, userLevel } })), events: [] };
    });
  }

  async reply(check: PolicyCheck): Promise<HttpReply> {
    const [verdict] = (await this.#validate([check], (limited, now) => this.#ledger.lines(limited, now))) as [PolicyVerdict];
    const isThrottled = verdict.reason === "throttled";
    const body = {
      sessionID: check.sessionId,
      userID: check.userId,
      goodsSKU: check.sku,
      userLevel: check.userLevel,
      orderQuantity: verdict.orderQuantity,
      isAllowed: verdict.allowed,
      isThrottled,
      version: "1.0",
      quantityLimit: verdict.quantityLimit,
      ...(verdict.reason !== null && { reason: verdict.reason }),
      ...(verdict.reason === "not-started" && { opensAt: verdict.sale?.opensAt }),
    };
    return isThrottled ? this.#throttle.reply(body) : json(body);
  }

  record(command: RecordCommand): Promise<readonly { readonly kind: string }[]> {
    return this.#ledger.record([command], this.#clock.now());
  }

  async recordOf(userId: UserId, sku: Sku): Promise<OrderRecord | null> {
    const [line] = await this.#ledger.lines([{ userId, sku }], this.#clock.now());
    return line && line.userLevel !== null ? { userId, sku, userLevel: line.userLevel, ordered: line.ordered } : null;
  }

  records(after: OrderRecord | null, limit: number): Answer<readonly OrderRecord[]> {
    return this.#ledger.listRecords(after, limit);
  }
}

/** Refused without a look at what the user has. */
const refused = (check: PolicyCheck, reason: "throttled" | TermsRefusal, sale: SaleTerms | null): PolicyVerdict => ({
  allowed: false,
  reason,
  orderQuantity: check.quantity,
  quantityLimit: 0,
  sale,
});

/** Of two limits where 0 means none. */
const smallerLimit = (a: number, b: number): number => (a === 0 || b === 0 ? a + b : Math.min(a, b));

const policyBody = ({ sku, userLevel, quantityLimit }: PolicyRow) => ({ goodsSKU: sku, userLevel, quantityLimit });
const recordBody = ({ userId, sku, userLevel, ordered }: OrderRecord) => ({
  userID: userId,
  goodsSKU: sku,
  userLevel,
  orderQuantity: ordered,
});

export function routes(controller: PolicyController): Route[] {
  return [...policyRoutes(controller), ...userOrderRoutes(controller)];
}

function policyRoutes(controller: PolicyController): Route[] {
  const put = async (mode: "add" | "update", body: { goodsSKU: Sku; userLevel: number; quantityLimit: number }): Promise<HttpReply> => {
    const { goodsSKU, userLevel, quantityLimit } = body;
    const outcome = await controller.put(goodsSKU, { userLevel, quantityLimit }, mode);
    if (outcome === "missing") return problem(404, `${goodsSKU} has no tier for level ${userLevel}; add it with POST /policy/add`);
    if (outcome === "full") return problem(409, `no room for one more tier (${TIERS_PER_SKU_MAX} of a SKU, ${POLICIES_MAX} SKUs)`);
    return json({ goodsSKU, userLevel, quantityLimit });
  };
  return [
    on(api.doPolicyValidation, ({ params }) =>
      controller.reply({ sessionId: params.sid, userId: params.uid, userLevel: params.level, sku: params.sku, quantity: params.qty }),
    ),
    on(api.addPolicy, ({ body }) => put("add", body)),
    on(api.updatePolicy, ({ body }) => put("update", body)),
    on(api.getPolicy, ({ params }) => {
      const tiers = controller.tiersOf(params.sku);
      const [lowest] = tiers;
      if (!lowest) return problem(404, `${params.sku} has no policy: it is open to everyone, without a limit`);
      return json({ ...policyBody({ sku: params.sku, ...lowest }), tiers });
    }),
    on(api.findAllPolicies, ({ query }) =>
      listReply<PolicyRow, TierKey>({
        read: (after, limit) => controller.list(after, limit),
        cursorOf: (row) => row,
        // Without a level, a page begins behind all tiers of the SKU.
        after: query.after === undefined ? null : { sku: query.after, userLevel: query.afterLevel ?? USER_LEVEL_MAX },
        limit: query.limit ?? Number.POSITIVE_INFINITY,
        show: policyBody,
        nextPage: ({ sku, userLevel }) =>
          `/policy/all?after=${encodeURIComponent(sku)}&afterLevel=${userLevel}&limit=${query.limit ?? PAGE_ROWS_DEFAULT}`,
      }),
    ),
    on(api.removePolicy, async ({ params }) => {
      await controller.remove(params.sku);
      return json({ goodsSKU: null, userLevel: 0, quantityLimit: 0 });
    }),
  ];
}

function userOrderRoutes(controller: PolicyController): Route[] {
  const record = async (
    mode: "put" | "update",
    body: { userID: UserId; goodsSKU: Sku; userLevel: number; orderQuantity: number },
  ): Promise<HttpReply> => {
    const { userID, goodsSKU, userLevel, orderQuantity } = body;
    const [reply] = await controller.record({ verb: "record", mode, userId: userID, sku: goodsSKU, userLevel, ordered: orderQuantity });
    if (reply?.kind !== "recorded") return problem(404, `${userID} has no record for ${goodsSKU}; add it with POST /user/add`);
    return json({ userID, goodsSKU, userLevel, orderQuantity });
  };
  return [
    on(api.addUserOrders, ({ body }) => record("put", body)),
    on(api.updateUserOrders, ({ body }) => record("update", body)),
    on(api.getUserOrders, async ({ params }) => {
      const found = await controller.recordOf(params.uid, params.sku);
      return found ? json(recordBody(found)) : problem(404, `${params.uid} has no record for ${params.sku}`);
    }),
    on(api.findAllUserOrders, ({ query }) =>
      listReply<OrderRecord, OrderRecord>({
        read: (after, limit) => controller.records(after, limit),
        cursorOf: (row) => row,
        after: query.after === undefined ? null : { userId: query.after, sku: query.afterSku ?? LAST_SKU, userLevel: 0, ordered: 0 },
        limit: query.limit ?? PAGE_ROWS_DEFAULT,
        show: recordBody,
        nextPage: ({ userId, sku }) =>
          `/user/all?after=${encodeURIComponent(userId)}&afterSku=${encodeURIComponent(sku)}&limit=${query.limit ?? PAGE_ROWS_DEFAULT}`,
      }),
    ),
    on(api.removeUserOrders, async ({ params }) => {
      await controller.record({ verb: "record", mode: "remove", userId: params.uid, sku: params.sku });
      return json({ userID: null, goodsSKU: null, userLevel: 0, orderQuantity: 0, quantityLimit: 0 });
    }),
  ];
}

/** Behind every SKU: where a page begins that names a user and no SKU. */
const LAST_SKU = "\u{10ffff}".repeat(128) as Sku;
