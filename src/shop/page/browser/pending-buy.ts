/**
 * A purchase that was sent and not answered yet: its key is kept in this tab, so that a second click, or the page loaded again, asks for the same
 * purchase and never makes another.
 */
export interface PendingBuy {
  readonly idempotencyKey: string;
  readonly quantity: number;
}

const keyOf = (userID: string, sku: string): string => `doorbuster-buy ${userID} ${sku}`;

export function pendingBuy(userID: string, sku: string): PendingBuy | null {
  const kept = sessionStorage.getItem(keyOf(userID, sku));
  return kept === null ? null : (JSON.parse(kept) as PendingBuy);
}

/** The one that is under way, or a new one. */
export function beginBuy(userID: string, sku: string, quantity: number): PendingBuy {
  const known = pendingBuy(userID, sku);
  if (known) return known;
  const begun = { idempotencyKey: crypto.randomUUID?.() ?? randomKey(), quantity };
  sessionStorage.setItem(keyOf(userID, sku), JSON.stringify(begun));
  return begun;
}

export const endBuy = (userID: string, sku: string): void => sessionStorage.removeItem(keyOf(userID, sku));

/** Without https, browsers have no `randomUUID`. */
const randomKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
