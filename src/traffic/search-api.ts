/** Where operators search the traffic of the last hours, and have it summed up: two routes of SafeProtector. */
import Type from "typebox";
import type { Endpoint } from "../core/endpoint.ts";
import { SkuSchema, UserIdSchema } from "../core/ids.ts";
import { parseCidrRange, parseIpAddress } from "../core/ip-address.ts";
import { reply } from "../core/reply-schema.ts";
import { EVENTS_FOUND_DEFAULT, EVENTS_FOUND_MAX } from "../limits/event-store.ts";
import type { DropReport } from "./event-store.ts";

const none = Type.Object({});
const read = { method: "GET", params: none, body: null, needsAdminKey: true } as const;
const Time = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000, description: "a time in unix ms" });
const Count = Type.Integer({ minimum: 0 });
const Counts = Type.Record(Type.String(), Count);
const TextOrNull = Type.Union([Type.String(), Type.Null()]);
const AddressOrRange = Type.Refine(
  Type.String({ description: "an IPv4 or IPv6 address, or a CIDR range" }),
  (text) => parseIpAddress(text) !== null || parseCidrRange(text) !== null,
  () => "must be an IPv4 or IPv6 address, or a CIDR range",
);
const Name = Type.String({ pattern: "^[a-z-]{1,40}$", description: "1 to 40 lower-case letters and dashes" });

const TrafficEventSchema = Type.Object({
  at: Time,
  traceId: TextOrNull,
  clientIP: Type.String(),
  userID: TextOrNull,
  goodsSKU: TextOrNull,
  goodsQuantity: Count,
  steps: Type.Array(Type.Object({ step: Type.String(), outcome: Type.String(), us: Count }), { description: "empty: it was no purchase" }),
  reason: Type.Union([Type.String(), Type.Null()], { description: "null: it went well" }),
  totalUs: Count,
  instance: Type.String({ description: "the gate that was asked" }),
  request: Type.Union([Type.String(), Type.Null()], { description: "method and path; null: a purchase" }),
  status: Type.Union([Type.Integer(), Type.Null()]),
});
const FoundSchema = Type.Object({
  events: Type.Array(TrafficEventSchema),
  next: Type.Union([Type.String(), Type.Null()], { description: "`before` of the next page; null: there is none" }),
  tookMs: Type.Number(),
});
const eventExample = {
  ...{ at: 1_795_000_000_123, traceId: "4bf92f3577b34da6a3ce929d0e0e4736", clientIP: "202.100.100.1", userID: "UID0000000001" },
  ...{ goodsSKU: "SKU0001", goodsQuantity: 1, reason: "blacklisted", totalUs: 84, instance: "shop-1:GateKeeper:8080" },
  ...{ request: null, status: null },
  steps: [
    { step: "throttle", outcome: "allowed", us: 3 },
    { step: "protect", outcome: "blacklisted", us: 5 },
  ],
};

const Step = Type.Object({ step: Type.String(), entered: Count, refused: Counts });
const Point = Type.Object({ at: Time, requests: Count, purchases: Count, held: Count, failed: Count, blocked: Count });
const DropReportSchema = Type.Object({
  from: Time,
  until: Time,
  seen: Type.Union([Type.Object({ first: Time, last: Time }), Type.Null()], {
    description: "the oldest and the newest event in that time; what is older may be kept no more",
  }),
  requests: Count,
  purchases: Count,
  held: Type.Integer({ minimum: 0, description: "purchases that froze goods" }),
  heldUnits: Count,
  failed: Type.Integer({ minimum: 0, description: "answered 503" }),
  funnel: Type.Array(Step),
  other: Type.Record(Type.String(), Count, { description: "requests that are no purchase, by reason; `fine` without one" }),
  latencyUs: Type.Object({ p50: Count, p95: Count, p99: Count, max: Count }),
  distinct: Type.Object({ users: Count, addresses: Count }, { description: "estimates, a few percent off at most" }),
  blocked: Type.Array(Type.Object({ reason: Type.String(), requests: Count, users: Count, addresses: Count })),
  conversion: Type.Object({ users: Count, usersWhoHeld: Count, ordersPlaced: Count, ordersCancelled: Count, holdsReleased: Count }),
  bucketMs: Count,
  timeline: Type.Array(Point),
  skus: Type.Array(
    Type.Object({
      goodsSKU: Type.String(),
      purchases: Count,
      heldUnits: Count,
      heldOverTime: Type.Array(Count, { description: "units, in pieces of time as in `timeline`" }),
    }),
    { description: "those of which most was held" },
  ),
});
const reportExample: DropReport = {
  ...{ from: 1_795_000_000_000, until: 1_795_000_060_000, seen: { first: 1_795_000_000_004, last: 1_795_000_000_900 } },
  ...{ requests: 4_000, purchases: 3_990, held: 20, heldUnits: 25, failed: 0, other: { malformed: 10 }, bucketMs: 1_000 },
  funnel: [{ step: "throttle", entered: 3_990, refused: {} }],
  latencyUs: { p50: 900, p95: 2_100, p99: 4_000, max: 9_120 },
  distinct: { users: 3_100, addresses: 2_900 },
  blocked: [{ reason: "blacklisted", requests: 500, users: 2, addresses: 2 }],
  conversion: { users: 3_100, usersWhoHeld: 20, ordersPlaced: 19, ordersCancelled: 1, holdsReleased: 0 },
  timeline: [{ at: 1_795_000_000_004, requests: 4_000, purchases: 3_990, held: 20, failed: 0, blocked: 500 }],
  skus: [{ goodsSKU: "SKU0001", purchases: 3_990, heldUnits: 25, heldOverTime: [25] }],
};

const unavailable = {
  503: "It takes too long, too many ask at once, or no events are kept here; the detail says which, and `code` is `too-long`, `too-many` or `unavailable`.",
} as const;

export const searchApi = {
  search: {
    ...read,
    name: "searchTraffic",
    path: "/traffic/search",
    query: Type.Object({
      traceId: Type.Optional(Type.String({ pattern: "^[0-9a-f]{32}$", description: "32 lower-case hex digits" })),
      userID: Type.Optional(UserIdSchema),
      clientIP: Type.Optional(AddressOrRange),
      goodsSKU: Type.Optional(SkuSchema),
      reason: Type.Optional({ ...Name, description: "a reason; `held`: purchases that froze goods" }),
      step: Type.Optional({ ...Name, description: "the step at which the purchase ended" }),
      from: Type.Optional(Time),
      until: Type.Optional({ ...Time, description: "a time in unix ms; only what was before it" }),
      before: Type.Optional(Type.String({ pattern: "^\\d{1,9}\\.\\d{1,12}$", description: "the `next` of a page" })),
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: EVENTS_FOUND_MAX,
          description: `a number from 1 to ${EVENTS_FOUND_MAX}; ${EVENTS_FOUND_DEFAULT} without it`,
        }),
      ),
    }),
    summary:
      "What the gates were asked in the last hours, the newest first: all that fits everything that is given. It has what this process has seen.",
    replies: { 200: reply("The events.", FoundSchema, { events: [eventExample], next: "7.41230", tookMs: 12.5 }) },
    problems: unavailable,
    example: { query: { userID: "UID0000000001", goodsSKU: "SKU0001" } },
  },
  report: {
    ...read,
    name: "trafficReport",
    path: "/traffic/report",
    query: Type.Object({ from: Type.Optional(Time), until: Type.Optional(Time) }),
    summary:
      "What happened in a span of time, or in all that is kept: funnel, reasons, what was held when, latencies, who was kept away, conversion.",
    replies: { 200: reply("The report.", DropReportSchema, reportExample) },
    problems: unavailable,
    example: { query: { from: 1_795_000_000_000, until: 1_795_000_060_000 } },
  },
} satisfies Record<string, Endpoint>;
