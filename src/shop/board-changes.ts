/** What has changed on the board since the last look, as those who watch it are told. Pure. */
import { BOARD_PUSH_CHARS_MAX } from "../limits/shop.ts";

/** How the public board tells what is left of an item. */
export type Availability = number | "many" | "few" | "none";

export interface BoardItem {
  readonly goodsSKU: string;
  readonly availability: Availability;
}
export interface BoardSale {
  readonly id: string;
  readonly items: readonly BoardItem[];
}
/** `GET /sales`, as far as it matters here. */
export interface Board {
  readonly serverNow: number;
  readonly sales: readonly BoardSale[];
}

/**
 * One message to a watcher: the whole board, or what is left of those items of which it has changed, or that the board is too long to be
 * pushed and wants to be asked for.
 */
export type BoardMessage =
  | { readonly kind: "board"; readonly board: Board }
  | { readonly kind: "left"; readonly serverNow: number; readonly left: Readonly<Record<string, Readonly<Record<string, Availability>>>> }
  | { readonly kind: "ask"; readonly serverNow: number };

/** @returns `null`: nothing that a watcher has to hear */
export function changesOf(before: Board, after: Board): BoardMessage | null {
  if (headsOf(before) !== headsOf(after)) return wholeBoard(after);
  const left = after.sales.flatMap(({ id, items }, sale) => {
    const changed = items.filter(({ availability }, item) => before.sales[sale]?.items[item]?.availability !== availability);
    return changed.length === 0 ? [] : [[id, Object.fromEntries(changed.map((item) => [item.goodsSKU, item.availability]))] as const];
  });
  if (left.length === 0) return null;
  return bounded({ kind: "left", serverNow: after.serverNow, left: Object.fromEntries(left) }, after.serverNow);
}

export const wholeBoard = (board: Board): BoardMessage => bounded({ kind: "board", board }, board.serverNow);

const bounded = (message: BoardMessage, serverNow: number): BoardMessage =>
  JSON.stringify(message).length > BOARD_PUSH_CHARS_MAX ? { kind: "ask", serverNow } : message;

/** Everything but what is left, and the time. */
const headsOf = ({ sales }: Board): string => JSON.stringify(sales, (key, value: unknown) => (key === "availability" ? undefined : value));
