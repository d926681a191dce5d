/**
 * The audit trail of operators' changes: who, when, what, and how it was before and after. A change is put down before it is made, so that none is
 * missing. Two stores keep it, `embedded-trail.ts` and `postgres-trail.ts`; they pass one suite.
 */
import type { UnixMs } from "../core/time.ts";
import { TRAIL_TEXT_CHARS_MAX } from "../limits/operators.ts";

export interface OperatorChange {
  /** The address that asked. */
  readonly who: string;
  /** The name that the request gave; `null`: none. There is one admin key, so nobody has checked it. */
  readonly operator: string | null;
  /** As its port is named. */
  readonly service: string;
  /** The endpoint's name. */
  readonly operation: string;
  readonly asked: unknown;
  /** `null`: there was nothing, or it is not known. */
  readonly before: unknown;
}

/** A change as it was put down. */
export interface TrailEntry extends OperatorChange {
  readonly id: number;
  readonly at: UnixMs;
  /** `null`: its end was not put down, because its process died or the store was away. It may have happened. */
  readonly status: number | null;
  readonly after: unknown;
}

/** Which changes somebody wants to see; what is `undefined` does not count. */
export interface TrailFilter {
  readonly operation?: string | undefined;
  readonly service?: string | undefined;
  /** An address, or the name of an operator. */
  readonly who?: string | undefined;
  readonly since?: UnixMs | undefined;
  /** The first millisecond that is too late. */
  readonly until?: UnixMs | undefined;
}

export interface TrailPage {
  /** Newest first. */
  readonly changes: readonly TrailEntry[];
  /** Where to ask on (`before`); `null`: there is nothing older. A filter that few changes pass may give a page that is not full, or empty, and go on. */
  readonly next: number | null;
}

export interface OperatorTrail {
  /** Puts down that a change is about to be made, and resolves with its id when that is durable. Whoever cannot put it down must not make it. */
  begin(change: OperatorChange): Promise<number>;
  /** Puts down what became of it. It has happened by then: that this cannot be put down is told, and changes nothing. */
  end(id: number, status: number, after: unknown): Promise<void>;
  /** Up to `limit` changes that pass the filter. Looks at no more than `TRAIL_LOOKED_AT_PER_PAGE`.
   *  @param before an id; `null`: from the newest */
  page(filter: TrailFilter, before: number | null, limit: number): Promise<TrailPage>;
  /** Removes some of what was kept long enough, or is more than `TRAIL_ENTRIES_MAX`; resolves with whether more is left. */
  sweep(now: UnixMs): Promise<boolean>;
}

/** JSON, cut where it is too long, and without secrets. As JSON it has no zero character, which Postgres would not take. */
export function trailText(value: unknown): string {
  const text = JSON.stringify(value ?? null, (key, inner: unknown) => (key === "secrets" ? "[not kept]" : inner));
  return text.length <= TRAIL_TEXT_CHARS_MAX ? text : JSON.stringify({ cut: text.slice(0, TRAIL_TEXT_CHARS_MAX) });
}

/** A change as both stores have it in a row. */
export interface TrailRow {
  readonly id: number;
  readonly at: UnixMs;
  readonly who: string;
  readonly operator: string | null;
  readonly service: string;
  readonly operation: string;
  readonly status: number | null;
  readonly asked: string;
  readonly before: string | null;
  readonly after: string | null;
}

const read = (text: string | null): unknown => (text === null ? null : (JSON.parse(text) as unknown));

export const entryOf = ({ id, at, who, operator, service, operation, status, asked, before, after }: TrailRow): TrailEntry => ({
  ...{ id, at, who, operator, service, operation, asked: read(asked), before: read(before), status, after: read(after) },
});

/** @param lookedAt how many were looked at, and the oldest of them; of no interest when the page is full */
export function pageOf(
  rows: readonly TrailRow[],
  limit: number,
  lookedAt: { readonly oldest: number | null; readonly isAll: boolean },
): TrailPage {
  const last = rows.at(-1);
  const next = rows.length === limit && last ? last.id : lookedAt.isAll ? null : lookedAt.oldest;
  return { changes: rows.map(entryOf), next };
}
