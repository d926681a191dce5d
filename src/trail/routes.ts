/** The audit trail, for an operator to read. */
import { json, on, type Route } from "../core/endpoint.ts";
import { TRAIL_PER_PAGE_DEFAULT } from "../limits/operators.ts";
import { trailApi as api } from "./api.ts";
import type { OperatorTrail } from "./operator-trail.ts";

export const trailRoutes = (trail: OperatorTrail): Route[] => [
  on(api.findChanges, async ({ query: { before = null, limit = TRAIL_PER_PAGE_DEFAULT, ...filter } }) =>
    json(await trail.page(filter, before, limit)),
  ),
];
