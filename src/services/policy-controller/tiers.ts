/** Tiers: user level -> how many of a SKU. Pure. */

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
