/**
 * Self-preservation, as Eureka has it. When many instances stop renewing at once, it is far likelier that the registry is cut off than that they
 * have all died. So leases that have lapsed are evicted only while enough of the others renew, and only a share of the registry at a time.
 * Pure: time is an argument.
 */
import type { UnixMs } from "../../core/time.ts";
import { LAPSED_KEPT_MS, REGISTRY_KEPT_PERCENT, RENEWALS_PER_MINUTE } from "../../limits/registry.ts";
import { type Lease, lapsesAt } from "./instance.ts";

const WINDOW_SECONDS = 60;

/** The renewals of the last minute, second by second. */
export class RenewalRate {
  readonly #bySecond = new Float64Array(WINDOW_SECONDS);
  /** The newest second that was seen. A clock that runs backwards a little stays in it; after a leap back, counting begins anew. */
  #second = 0;

  /** @param renewalSeconds how often the instance renews. All weigh the same: one that renews every second counts a thirtieth each time. */
  add(renewalSeconds: number, now: UnixMs): void {
    this.#moveTo(now);
    const every = Math.min(renewalSeconds, WINDOW_SECONDS);
    const slot = this.#second % WINDOW_SECONDS;
    this.#bySecond[slot] = (this.#bySecond[slot] as number) + (every * RENEWALS_PER_MINUTE) / WINDOW_SECONDS;
  }

  lastMinute(now: UnixMs): number {
    this.#moveTo(now);
    return this.#bySecond.reduce((sum, count) => sum + count, 0);
  }

  #moveTo(now: UnixMs): void {
    const second = Math.floor(now / 1_000);
    const hasLeapt = Math.abs(second - this.#second) >= WINDOW_SECONDS;
    if (hasLeapt) this.#bySecond.fill(0);
    else for (let passed = this.#second + 1; passed <= second; passed += 1) this.#bySecond[passed % WINDOW_SECONDS] = 0;
    this.#second = hasLeapt ? second : Math.max(this.#second, second);
  }
}

export interface Preservation {
  readonly renewalsLastMinute: number;
  /** Evictions need more renewals than this. */
  readonly threshold: number;
  /** Whether nobody is evicted. */
  readonly isOn: boolean;
}

export function preservationOf(instances: number, renewalsLastMinute: number): Preservation {
  const threshold = Math.floor((instances * RENEWALS_PER_MINUTE * REGISTRY_KEPT_PERCENT) / 100);
  return { renewalsLastMinute, threshold, isOn: instances > 0 && renewalsLastMinute <= threshold };
}

/** Whom one run evicts: those that lapsed first, and never so many that less than the kept share of the registry is left. */
export function evictionsOf(leases: readonly Lease[], renewalsLastMinute: number, now: UnixMs): Lease[] {
  const { isOn } = preservationOf(leases.length, renewalsLastMinute);
  const goneSince = isOn ? now - LAPSED_KEPT_MS : now;
  const most = leases.length - Math.floor((leases.length * REGISTRY_KEPT_PERCENT) / 100);
  return leases
    .filter((lease) => lapsesAt(lease) <= goneSince)
    .sort((a, b) => lapsesAt(a) - lapsesAt(b))
    .slice(0, most);
}
