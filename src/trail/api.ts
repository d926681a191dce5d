/** The route of the audit trail, which PolicyController's port serves. */
import Type from "typebox";
import type { Endpoint } from "../core/endpoint.ts";
import { ID_PATTERN } from "../core/ids.ts";
import { reply } from "../core/reply-schema.ts";
import { TRAIL_PER_PAGE_MAX } from "../limits/operators.ts";
import { OperatorName } from "./operator-name.ts";

const name = (description: string) =>
  Type.Optional(Type.String({ pattern: ID_PATTERN, description: `${description}; 1-128 characters, no control characters` }));
const time = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: `${description}, in unix ms` }));
const kept = (description: string) => Type.Unknown({ description: `${description}; what was too long is \`{"cut": "its beginning"}\`` });

const ChangeDocument = Type.Object({
  id: Type.Integer({ minimum: 1, description: "a later change has a higher one" }),
  at: Type.Integer({ description: "when it was put down, before it was made, in unix ms" }),
  who: Type.String({ description: "the address that asked" }),
  operator: OperatorName,
  service: Type.String(),
  operation: Type.String(),
  asked: kept("path and body of the request, without secrets"),
  before: kept("what it changed, as it was just before; null: there was nothing, or it is not known"),
  status: Type.Union([Type.Integer(), Type.Null()], {
    description: "of the answer; null: its end was not put down, so it may have happened or not",
  }),
  after: kept("the answer"),
});
const TrailDocument = Type.Object({
  changes: Type.Array(ChangeDocument),
  next: Type.Union([Type.Integer(), Type.Null()], { description: "ask on with `before`; null: there is nothing older" }),
});

const goods = { goodsSKU: "SKU0001", goodsPrice: 45.9 };
const changeExample = {
  ...{ id: 812, at: 1_795_341_602_120, who: "10.0.0.7", operator: "Wang Fang", service: "InventoryManager", operation: "updateGoods" },
  ...{ asked: { ...goods, goodsQuantity: 1_500 }, before: { ...goods, goodsQuantity: 1_000 } },
  ...{ status: 200, after: { ...goods, goodsQuantity: 1_500 } },
};

export const trailApi = {
  findChanges: {
    name: "findChanges",
    method: "GET",
    path: "/trail",
    params: Type.Object({}),
    query: Type.Object({
      before: Type.Optional(
        Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: "the id of a change: only older ones" }),
      ),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: TRAIL_PER_PAGE_MAX, description: `a number from 1 to ${TRAIL_PER_PAGE_MAX}` }),
      ),
      operation: name("the operation's name in this description"),
      service: name("the service that made the change"),
      who: name("an address, or an operator's name"),
      since: time("the first instant"),
      until: time("the first instant that is too late"),
    }),
    body: null,
    needsAdminKey: true,
    summary: "What operators have changed, newest first: who, when, what, and how it was before and after.",
    replies: {
      200: reply("A page of changes. Where a filter passes few, it may be short, or empty, and still go on.", TrailDocument, {
        changes: [changeExample],
        next: 811,
      }),
    },
    example: { query: { limit: 10, operation: "updateGoods" } },
  },
} satisfies Record<string, Endpoint>;
