/**
 * The book of sales. Every change is decided, saved and announced in one step, so that no two sales ever overlap and no event is lost or told
 * twice, whoever else has the book open. What a SKU's terms are at a moment is answered from memory and costs one look-up for a SKU that is in no sale.
 */
import type { Answer } from "../core/answer.ts";
import type { SaleId, Sku } from "../core/ids.ts";
import type { Clock, UnixMs } from "../core/time.ts";
import { SALES_MAX, SWEEP_ROWS_PER_TURN } from "../limits.ts";
import type { Decide } from "../tables/table.ts";
import { ANNOUNCED, eventOf, type SaleRecord } from "./announcements.ts";
import { type PlanRefusal, refusalOfPlan, type Sale, type SaleEvent, type SalePlan, type SaleTerms, statusOf } from "./sale.ts";
import { SaleDraft } from "./sale-draft.ts";
import type { SaleShelf } from "./sale-shelf.ts";
import type { SaleTable } from "./sale-table.ts";
import { boughtAt, overlapIn, termsAt } from "./timeline.ts";

export type SaleRefusal =
  | PlanRefusal
  | { readonly reason: "unknown-sale" | "id-taken" | "no-room" | "is-live" }
  /** Another sale has this SKU in a window that this one would touch. */
  | { readonly reason: "overlap"; readonly sku: Sku; readonly saleId: SaleId };

export type SaleReply = { readonly kind: "saved"; readonly sale: Sale } | ({ readonly kind: "refused" } & SaleRefusal);

export interface SaleBookParts {
  readonly sales: SaleTable;
  readonly clock: Clock;
  /** A fresh id for a sale that was given none. */
  readonly newId: () => SaleId;
}

/** A decision about the sales. */
type DecideSales<Reply> = Decide<SaleShelf, SaleRecord, SaleId, SaleEvent, Reply>;

export class SaleBook {
  readonly #parts: SaleBookParts;

  constructor(parts: SaleBookParts) {
    this.#parts = parts;
  }

  /** Whether what others have changed counts here. */
  get isCurrent(): boolean {
    return this.#parts.sales.table.isCurrent;
  }

  get size(): number {
    return this.#shelf.size;
  }

  /** The terms that count for a SKU at `now`: of the sale it is in, else of the next to come, else of the last; `null`: it is in no sale. */
  termsOf(sku: Sku, now: UnixMs): SaleTerms | null {
    const timeline = this.#shelf.timelineOf(sku);
    return timeline === undefined ? null : termsAt(timeline, now);
  }

  /** The terms on which a SKU in somebody's cart is paid at `now`: of the sale it is in, else of the last one that has ended; `null`: its own
   *  price counts. */
  boughtUnder(sku: Sku, now: UnixMs): SaleTerms | null {
    const timeline = this.#shelf.timelineOf(sku);
    return timeline === undefined ? null : boughtAt(timeline, now);
  }

  sale(id: SaleId): Sale | null {
    return this.#shelf.record(id)?.sale ?? null;
  }

  *all(): Iterable<Sale> {
    for (const { sale } of this.#shelf.records()) yield sale;
  }

  /** Up to `limit` sales in the order of their ids' UTF-8 bytes, from behind `after`. */
  list(after: SaleId | null, limit: number): Answer<readonly Sale[]> {
    const records = this.#parts.sales.list(after, limit);
    return records instanceof Promise ? records.then(salesOf) : salesOf(records);
  }

  create(id: SaleId | null, plan: SalePlan): Promise<SaleReply> {
    return this.#change((draft, now) => {
      const saleId = id ?? this.#parts.newId();
      if (draft.record(saleId)) return { kind: "refused", reason: "id-taken" };
      if (draft.shelf.size >= SALES_MAX) return { kind: "refused", reason: "no-room" };
      return carryOut(draft, saleId, plan, now);
    });
  }

  replace(id: SaleId, plan: SalePlan): Promise<SaleReply> {
    return this.#change((draft, now) => {
      return draft.record(id) ? carryOut(draft, id, plan, now) : { kind: "refused", reason: "unknown-sale" };
    });
  }

  /** Pauses or resumes. Asked for what is so already, it changes nothing and tells nobody. */
  setPaused(id: SaleId, isPaused: boolean): Promise<SaleReply> {
    return this.#change((draft, now) => {
      const current = draft.record(id);
      if (!current) return { kind: "refused", reason: "unknown-sale" };
      if (now >= current.sale.endsAt) return { kind: "refused", reason: "has-ended" };
      if (current.sale.isPaused === isPaused) return { kind: "saved", sale: current.sale };
      const sale: Sale = { ...current.sale, isPaused };
      draft.put({ sale, announced: current.announced });
      draft.tell(eventOf(isPaused ? "sale.paused" : "sale.resumed", sale, now));
      return { kind: "saved", sale };
    });
  }

  /** Its goods are then in no sale: open to everyone at their own price. Removing what is not there is no mistake. */
  remove(id: SaleId): Promise<"removed" | "is-live"> {
    return this.#change((draft, now) => {
      const current = draft.record(id);
      if (!current) return "removed";
      const status = statusOf(current.sale, now);
      if (status === "live" || status === "paused") return "is-live";
      draft.remove(id);
      return "removed";
    });
  }

  /** The next start or end that has not been announced, in the past when it is overdue; infinite when there is none. */
  get nextChangeAt(): UnixMs {
    return this.#shelf.nextAnnouncementAt;
  }

  /** Announces some of the starts and ends that are due. Resolves with whether more is due at once. */
  async announce(now: UnixMs): Promise<boolean> {
    if (now < this.nextChangeAt) return false;
    await this.#parts.sales.table.change(this.tellDue(SWEEP_ROWS_PER_TURN));
    return this.#parts.clock.now() >= this.nextChangeAt;
  }

  /** The decision that announces the starts and ends that are due when it is made. @param eventsMax the rest stays for the next one */
  tellDue(eventsMax = Number.POSITIVE_INFINITY): DecideSales<void> {
    return (shelf) => {
      const draft = new SaleDraft(shelf);
      draft.tellDue(this.#parts.clock.now(), eventsMax);
      return draft.done(undefined);
    };
  }

  get #shelf(): SaleShelf {
    return this.#parts.sales.table.view;
  }

  /** What the clock has done is announced before the change, which may remove the sale, and what the change has caused after it. */
  #change<Reply>(work: (draft: SaleDraft, now: UnixMs) => Reply): Promise<Reply> {
    return this.#parts.sales.table.change((shelf) => {
      const now = this.#parts.clock.now();
      const draft = new SaleDraft(shelf);
      draft.tellDue(now);
      const reply = work(draft, now);
      draft.tellDueOfChanged(now);
      return draft.done(reply);
    });
  }
}

const salesOf = (records: readonly SaleRecord[]): readonly Sale[] => records.map(({ sale }) => sale);

function carryOut(draft: SaleDraft, id: SaleId, plan: SalePlan, now: UnixMs): SaleReply {
  const current = draft.record(id);
  const refusal = refusalOfPlan(plan, current?.sale ?? null, now) ?? overlapOf(draft.shelf, plan, id);
  if (refusal) return { kind: "refused", ...refusal };
  const sale: Sale = { id, ...plan, isPaused: current?.sale.isPaused ?? false };
  draft.put({ sale, announced: current?.announced ?? ANNOUNCED[0] });
  return { kind: "saved", sale };
}

function overlapOf(shelf: SaleShelf, plan: SalePlan, own: SaleId): SaleRefusal | null {
  for (const { sku } of plan.items) {
    const other = overlapIn(shelf.timelineOf(sku) ?? [], plan, own);
    if (other) return { reason: "overlap", sku, saleId: other.saleId };
  }
  return null;
}
