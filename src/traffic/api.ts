/** Where operators see the traffic: two routes of SafeProtector. */
import Type from "typebox";
import type { Endpoint } from "../core/endpoint.ts";
import { reply } from "../core/reply-schema.ts";
import type { TrafficNow, TrafficPoint } from "./traffic-now.ts";
import { TrafficHistorySchema, TrafficNowSchema } from "./traffic-now.ts";

const none = Type.Object({});
const read = { method: "GET", params: none, body: null, needsAdminKey: true } as const;
const nowExample: TrafficNow = {
  ...{ at: 1_795_000_000_000, eventsSeen: 12_000, eventsDropped: 0, isSampled: false, windows: [], observed: [] },
  scenarios: [{ name: "request-flood-account", group: "account", action: "block", offencesInHour: 2 }],
};
const pointExample: TrafficPoint = {
  ...{ at: 1_795_000_000_000, requests: 4_000, purchases: 3_900, held: 20, failed: 0, refused: { "sold-out": 3_880 } },
  ...{ p50Us: 900, p95Us: 2_100, p99Us: 4_000, users: 3_100, addresses: 2_900 },
};

export const trafficApi = {
  now: {
    ...read,
    name: "trafficNow",
    path: "/traffic/now",
    query: none,
    summary: "What the gates see: the last 1, 10, 60 and 600 seconds, remade every second.",
    replies: { 200: reply("The traffic.", TrafficNowSchema, nowExample) },
  },
  history: {
    ...read,
    name: "trafficHistory",
    path: "/traffic/history",
    query: Type.Object({
      since: Type.Optional(Type.Integer({ minimum: 0, maximum: 9_007_199_254_740_991, description: "a time in unix ms" })),
    }),
    summary: "A point for every second of the last hour.",
    replies: { 200: reply("The points, the oldest first.", TrafficHistorySchema, { points: [pointExample] }) },
    example: { query: { since: 1_795_000_000_000 } },
  },
} satisfies Record<string, Endpoint>;
