/**
 * Goods as this process has last seen them, for filters. What is remembered can only let somebody through, to where it is decided; nobody is
 * refused before a new look. So it may be older than what others have done since.
 */
import type { Sku } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import { GLANCE_MS_MAX, GLANCED_SKUS_MAX } from "../../limits/ledger.ts";
import { availableOf } from "../decision.ts";
import type { Goods } from "../ledger.ts";

export class GlancedGoods {
  readonly #glances = new Map<Sku, { readonly goods: Goods; readonly at: UnixMs }>();

  /** The goods, if they were seen not long ago and there was as much of them; `null`: look again. */
  withEnough(sku: Sku, quantity: number, now: UnixMs): Goods | null {
    const glance = this.#glances.get(sku);
    // A clock that was set back makes it no younger.
    if (!glance || Math.abs(now - glance.at) >= GLANCE_MS_MAX) return null;
    return availableOf(glance.goods) >= quantity ? glance.goods : null;
  }

  note(goods: Goods, at: UnixMs): void {
    if (this.#glances.size >= GLANCED_SKUS_MAX) this.#glances.clear();
    this.#glances.set(goods.sku, { goods, at });
  }

  /** Something is not as it was seen. */
  forget(sku: Sku): void {
    this.#glances.delete(sku);
  }
}
