/** Tiers: user level -> how many of a SKU. Pure. */
import type { Sku } from "../../core/ids.ts";
import type { View } from "../../tables/table.ts";

export interface Tier {
  readonly userLevel: number;
  readonly quantityLimit: number;
}

/** Tiers of one SKU, lowest level first. */
export type Tiers = readonly Tier[];

/** The tier that counts: the highest whose level the user reaches; `null` below the lowest. */
export function tierFor(tiers: Tiers, userLevel: number): Tier | null {
  let reached: Tier | null = null;
  for (const tier of tiers) {
    if (tier.userLevel > userLevel) break;
    reached = tier;
  }
  return reached;
}

/** The tiers with this one added, or in place of the one of its level. */
export function withTier(tiers: Tiers, tier: Tier): Tiers {
  return [...tiers.filter(({ userLevel }) => userLevel !== tier.userLevel), tier].sort((a, b) => a.userLevel - b.userLevel);
}

/** Names a tier. */
export interface TierKey {
  readonly sku: Sku;
  readonly userLevel: number;
}

/** A tier of a SKU, as stores keep it: one row each. */
export type PolicyRow = TierKey & Tier;

/** All policies in memory. */
export class Policies implements View<PolicyRow, TierKey> {
  readonly #tiers = new Map<Sku, Tiers>();

  /** SKUs with a policy. */
  get size(): number {
    return this.#tiers.size;
  }

  /** `undefined`: the SKU has no policy. */
  of(sku: Sku): Tiers | undefined {
    return this.#tiers.get(sku);
  }

  add({ sku, userLevel, quantityLimit }: PolicyRow): void {
    this.#tiers.set(sku, withTier(this.#tiers.get(sku) ?? [], { userLevel, quantityLimit }));
  }

  remove({ sku, userLevel }: TierKey): void {
    const left = (this.#tiers.get(sku) ?? []).filter((tier) => tier.userLevel !== userLevel);
    if (left.length > 0) this.#tiers.set(sku, left);
    else this.#tiers.delete(sku);
  }
}
