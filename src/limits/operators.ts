/** The bounds of what operators see, each with what happens at it. The others stand in `../limits.ts`. */
import type { DurationMs } from "../core/time.ts";

// --- Stock -----------------------------------------------------------------------------------------------------------------
/** Goods of one page of the stock, and of one without a limit. More: 400. */
export const STOCK_PER_PAGE_MAX = 1_000;
/** SKUs of which the metrics tell where they stand: those of sales first. One more: it is only counted (`doorbuster_goods_not_shown`). */
export const STOCK_SHOWN_MAX = 200;
/** How old the figures of goods in the metrics may be. Older: the stores are asked again. */
export const STOCK_SHOWN_MS_MAX: DurationMs = 1_000;

// --- Audit trail -----------------------------------------------------------------------------------------------------------
/** How long an operator's change stays in the audit trail: an inspection of a whole year finds all of it. */
export const TRAIL_KEPT_MS: DurationMs = 400 * 24 * 3_600_000;
/** Changes in the trail. One more: the oldest goes. */
export const TRAIL_ENTRIES_MAX = 1_000_000;
/** What is kept of a request, of what was before, and of an answer. Longer ones are cut. */
export const TRAIL_TEXT_CHARS_MAX = 20_000;
/** Changes of one page when the request names no limit. */
export const TRAIL_PER_PAGE_DEFAULT = 50;
/** Changes of one page, each of which may have three texts of `TRAIL_TEXT_CHARS_MAX`. More: 400. */
export const TRAIL_PER_PAGE_MAX = 200;
/** Changes looked at for one page: a filter that few of them pass gets a shorter page, and where to ask on. */
export const TRAIL_LOOKED_AT_PER_PAGE = 10_000;
