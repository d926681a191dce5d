/**
 * The invariants, recomputed again and again while somebody looks. It never takes more than a share of the time, whatever the size of the store, and
 * nothing of it while nobody asks: what it says has an age, and is never assumed.
 */
import type { Clock, DurationMs, UnixMs } from "../core/time.ts";
import { AUDIT_IDLE_MS, AUDIT_REST_MS_MAX, AUDIT_REST_MS_MIN, AUDIT_SHARE, AUDIT_SHARE_MAX } from "../limits/ledger.ts";
import { type AuditReport, type CheckedPromise, isBroken } from "./report.ts";

export interface InvariantView {
  /** `unknown`: it was never computed, or could not be the last time. */
  readonly state: "holding" | "broken" | "unknown";
  /** When the last look that has ended began; `null`: none has. */
  readonly checkedAt: UnixMs | null;
  readonly tookMs: DurationMs | null;
  readonly checks: readonly CheckedPromise[];
  readonly notes: readonly string[];
  /** Why it could not be computed the last time; `null`: it could. */
  readonly why: string | null;
}

interface Parts {
  /** One look. Rejects when the store cannot be looked at. */
  readonly examine: () => Promise<AuditReport>;
  /** Nobody asks any more: gives back what looking needs. The next look takes it again. */
  readonly rest: () => void;
  readonly clock: Clock;
}

const NEVER: InvariantView = { state: "unknown", checkedAt: null, tookMs: null, checks: [], notes: [], why: null };

export class ContinuousAudit {
  readonly #parts: Parts;
  #view: InvariantView = NEVER;
  #isLooking = false;
  #dueAtUs = 0;
  #askedAtUs: number | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What was found last. Whoever asks again and again keeps it going. */
  ask(): InvariantView {
    const nowUs = this.#parts.clock.monotonicUs();
    this.#askedAtUs = nowUs;
    if (!this.#isLooking && nowUs >= this.#dueAtUs) void this.#look(nowUs);
    return this.#view;
  }

  /** To be called now and then. */
  tick(): void {
    const nowUs = this.#parts.clock.monotonicUs();
    if (this.#askedAtUs === null || this.#isLooking || nowUs - this.#askedAtUs < AUDIT_IDLE_MS * 1_000) return;
    this.#askedAtUs = null;
    this.#parts.rest();
  }

  async #look(beganUs: number): Promise<void> {
    const { examine, clock } = this.#parts;
    const checkedAt = clock.now();
    this.#isLooking = true;
    const found = await examine().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
    const endedUs = clock.monotonicUs();
    this.#isLooking = false;
    const tookUs = endedUs - beganUs;
    this.#dueAtUs = endedUs + restAfter(tookUs / 1_000) * 1_000;
    if (found instanceof Error) {
      this.#view = { ...this.#view, state: "unknown", why: found.message };
      return;
    }
    const state = found.checks.some(isBroken) ? "broken" : "holding";
    this.#view = { ...found, state, checkedAt, tookMs: tookUs / 1_000, why: null };
  }
}

/** How long it rests after a look that took so long. */
export function restAfter(tookMs: DurationMs): DurationMs {
  const restFor = (share: number): DurationMs => tookMs / share - tookMs;
  const rest = Math.min(restFor(AUDIT_SHARE), Math.max(AUDIT_REST_MS_MAX, restFor(AUDIT_SHARE_MAX)));
  return Math.max(AUDIT_REST_MS_MIN, rest);
}
