/** Money is integer cents inside; the wire carries a JSON number with at most two decimals. */
export type Cents = number;

/** The cents of a price as the wire carries it, or `null` when it has more than two decimals. The nearest double of a decimal
 *  with two places is unique in our range, so the comparison is exact. */
export function centsOf(price: number): Cents | null {
  return Number(price.toFixed(2)) === price ? Math.round(price * 100) : null;
}

export const priceOf = (cents: Cents): number => cents / 100;
