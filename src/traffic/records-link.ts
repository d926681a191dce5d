/** Access records over a link, for gates in processes of their own that share no Redis with the analysis. */
import Type from "typebox";
import type { Route } from "../core/endpoint.ts";
import { LINK_DEADLINE_MS } from "../limits/links.ts";
import { type LinkMethod, linkMethod, linkRoute } from "../links/method.ts";

/** Pages of one call. The rest go with the next. */
export const PAGES_PER_CALL = 8;

/** An item is a page: whole records, each with its line feed. */
export const takeRecords: LinkMethod<string, null> = linkMethod<string, null>({
  name: "take-records",
  summary: "access records for the analysis of the traffic.",
  item: Type.String(),
  wire: (page) => page,
  // What is told twice is counted twice.
  isRepeatable: false,
  deadlineMs: LINK_DEADLINE_MS,
  itemsMax: PAGES_PER_CALL,
});

export const recordsLinkRoutes = (take: (pages: readonly string[]) => void): Route[] => [
  linkRoute(takeRecords, (pages) => {
    take(pages);
    return pages.map(() => null);
  }),
];
