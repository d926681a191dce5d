/**
 * The sales, in memory, found by SKU. Every change is decided, written and announced in one turn of the store, so that no two sales ever
 * overlap and no event is lost or told twice. What a SKU's terms are at a moment is answered from memory and costs one look-up for a SKU that
 * is in no sale.
 */
import type { SaleId, Sku } from "../core/ids.ts";
import type { Clock, UnixMs } from "../core/time.ts";
import { SALES_MAX } from "../limits.ts";
import { ANNOUNCED, type Announced, eventOf, eventsDue, nextAnnouncementOf, type SaleRecord } from "./announcements.ts";
import { type PlanRefusal, refusalOfPlan, type Sale, type SaleEvent, type SalePlan, type SaleTerms, statusOf, termsOf } from "./sale.ts";
import type { SaleStore } from "./sale-store.ts";
import { boughtAt, overlapIn, type Timeline, termsAt, withoutSale, withTerms } from "./timeline.ts";

export type SaleRefusal =
  | PlanRefusal
  | { readonly reason: "unknown-sale" | "id-taken" | "no-room" | "is-live" }
  /** Another sale has this SKU in a window that this one would touch. */
  | { readonly reason: "overlap"; readonly sku: Sku; readonly saleId: SaleId };

export type SaleReply = { readonly kind: "saved"; readonly sale: Sale } | ({ readonly kind: "refused" } & SaleRefusal);

export interface SaleBookParts {
  readonly store: SaleStore;
  /** One transaction for what is written in one turn of the event loop. */
  readonly turns: { turn<T>(work: () => T): Promise<T> };
  readonly clock: Clock;
  /** A fresh id for a sale that was given none. */
  readonly newId: () => SaleId;
  /** Takes an event, inside the turn whose commit saves the change. */
  readonly emit: (event: SaleEvent) => void;
}

export class SaleBook {
  readonly #parts: SaleBookParts;
  readonly #records = new Map<SaleId, SaleRecord>();
  readonly #timelines = new Map<Sku, Timeline>();
  #nextAnnouncementAt: UnixMs = Number.POSITIVE_INFINITY;

  constructor(parts: SaleBookParts) {
    this.#parts = parts;
    for (const record of parts.store.all()) this.#keep(record);
    this.#lookAhead();
  }

  get size(): number {
    return this.#records.size;
  }

  /** The terms that count for a SKU at `now`: of the sale it is in, else of the next to come, else of the last; `null`: it is in no sale. */
  termsOf(sku: Sku, now: UnixMs): SaleTerms | null {
    const timeline = this.#timelines.get(sku);
    return timeline === undefined ? null : termsAt(timeline, now);
  }

  /** The terms on which a SKU in somebody's cart is paid at `now`: of the sale it is in, else of the last one that has ended; `null`: its own
   *  price counts. */
  boughtUnder(sku: Sku, now: UnixMs): SaleTerms | null {
    const timeline = this.#timelines.get(sku);
    return timeline === undefined ? null : boughtAt(timeline, now);
  }

  sale(id: SaleId): Sale | null {
    return this.#records.get(id)?.sale ?? null;
  }

  *all(): Iterable<Sale> {
    for (const { sale } of this.#records.values()) yield sale;
  }

  /** Up to `limit` sales in the order of their ids' UTF-8 bytes, from behind `after`. */
  list(after: SaleId | null, limit: number): readonly Sale[] {
    return this.#parts.store.listIds(after, limit).flatMap((id) => this.sale(id) ?? []);
  }

  create(id: SaleId | null, plan: SalePlan): Promise<SaleReply> {
    return this.#change((now) => {
      const saleId = id ?? this.#parts.newId();
      if (this.#records.has(saleId)) return { kind: "refused", reason: "id-taken" };
      if (this.#records.size >= SALES_MAX) return { kind: "refused", reason: "no-room" };
      return this.#carryOut(saleId, plan, null, now);
    });
  }

  replace(id: SaleId, plan: SalePlan): Promise<SaleReply> {
    return this.#change((now) => {
      const current = this.sale(id);
      return current ? this.#carryOut(id, plan, current, now) : { kind: "refused", reason: "unknown-sale" };
    });
  }

  /** Pauses or resumes. Asked for what is so already, it changes nothing and tells nobody. */
  setPaused(id: SaleId, isPaused: boolean): Promise<SaleReply> {
    return this.#change((now) => {
      const current = this.sale(id);
      if (!current) return { kind: "refused", reason: "unknown-sale" };
      if (now >= current.endsAt) return { kind: "refused", reason: "has-ended" };
      if (current.isPaused === isPaused) return { kind: "saved", sale: current };
      const sale: Sale = { ...current, isPaused };
      this.#save({ sale, announced: this.#announcedOf(id) });
      this.#parts.emit(eventOf(isPaused ? "sale.paused" : "sale.resumed", sale, now));
      return { kind: "saved", sale };
    });
  }

  /** Its goods are then in no sale: open to everyone at their own price. Removing what is not there is no mistake. */
  remove(id: SaleId): Promise<"removed" | "is-live"> {
    return this.#change((now) => {
      const current = this.sale(id);
      if (!current) return "removed";
      const status = statusOf(current, now);
      if (status === "live" || status === "paused") return "is-live";
      this.#parts.store.remove(id);
      this.#forget(current);
      return "removed";
    });
  }

  /** The next start or end that has not been announced, in the past when it is overdue; infinite when there is none. */
  get nextChangeAt(): UnixMs {
    return this.#nextAnnouncementAt;
  }

  /** Announces the starts and ends that are due. Resolves with whether more is due at once, which is never so: the bound is `SALES_MAX`. */
  async announce(now: UnixMs): Promise<boolean> {
    if (now >= this.#nextAnnouncementAt) await this.#change(() => undefined);
    return false;
  }

  /** One turn. What the clock has done is announced before the change, which may remove the sale, and what the change has caused after it. */
  #change<T>(work: (now: UnixMs) => T): Promise<T> {
    return this.#parts.turns.turn(() => {
      const now = this.#parts.clock.now();
      this.tellDue(now);
      const reply = work(now);
      this.#lookAhead();
      this.tellDue(now);
      return reply;
    });
  }

  /** Within a turn: announces the starts and ends that are due by then. */
  tellDue(now: UnixMs): void {
    if (now < this.#nextAnnouncementAt) return;
    for (const event of eventsDue(this.#records.values(), now)) {
      const announced = event.type === "sale.started" ? "start" : "end";
      this.#parts.store.saveAnnounced(event.saleId, announced);
      this.#records.set(event.saleId, { sale: this.sale(event.saleId) as Sale, announced });
      this.#parts.emit(event);
    }
    this.#lookAhead();
  }

  #lookAhead(): void {
    let nextAt = Number.POSITIVE_INFINITY;
    for (const record of this.#records.values()) nextAt = Math.min(nextAt, nextAnnouncementOf(record));
    this.#nextAnnouncementAt = nextAt;
  }

  #carryOut(id: SaleId, plan: SalePlan, current: Sale | null, now: UnixMs): SaleReply {
    const refusal = refusalOfPlan(plan, current, now) ?? this.#overlapOf(plan, id);
    if (refusal) return { kind: "refused", ...refusal };
    const sale: Sale = { id, ...plan, isPaused: current?.isPaused ?? false };
    this.#save({ sale, announced: this.#announcedOf(id) });
    return { kind: "saved", sale };
  }

  #overlapOf(plan: SalePlan, own: SaleId): SaleRefusal | null {
    for (const { sku } of plan.items) {
      const other = overlapIn(this.#timelines.get(sku) ?? [], plan, own);
      if (other) return { reason: "overlap", sku, saleId: other.saleId };
    }
    return null;
  }

  #announcedOf(id: SaleId): Announced {
    return this.#records.get(id)?.announced ?? ANNOUNCED[0];
  }

  #save(record: SaleRecord): void {
    this.#parts.store.save(record);
    const current = this.sale(record.sale.id);
    if (current) this.#forget(current);
    this.#keep(record);
  }

  #keep(record: SaleRecord): void {
    const { sale } = record;
    this.#records.set(sale.id, record);
    for (const item of sale.items) this.#timelines.set(item.sku, withTerms(this.#timelines.get(item.sku) ?? [], termsOf(sale, item)));
  }

  #forget(sale: Sale): void {
    this.#records.delete(sale.id);
    for (const { sku } of sale.items) {
      const left = withoutSale(this.#timelines.get(sku) ?? [], sale.id);
      if (left.length > 0) this.#timelines.set(sku, left);
      else this.#timelines.delete(sku);
    }
  }
}
