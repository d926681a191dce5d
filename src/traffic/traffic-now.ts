/** What the analysis shows: the last seconds and minutes, and a point for every second of the last hour. */
import Type, { type Static } from "typebox";

const Count = Type.Integer({ minimum: 0 });
const Counts = Type.Record(Type.String(), Count);
const Group = Type.Enum(["address", "network", "account"]);
const Heavy = Type.Object({
  value: Type.String(),
  requests: Type.Integer({ minimum: 0, description: "never too small" }),
  errorMax: Type.Integer({ minimum: 0, description: "too large by at most this" }),
});
const Heavies = Type.Array(Heavy);

export const TrafficWindowSchema = Type.Object({
  seconds: Count,
  coveredSeconds: Type.Integer({ minimum: 0, description: "of these seconds, how many are in the figures" }),
  requests: Count,
  purchases: Count,
  held: Count,
  failed: Type.Integer({ minimum: 0, description: "answered 503" }),
  funnel: Type.Array(
    Type.Object({ step: Type.Enum(["throttle", "protect", "policy", "inventory", "cart"]), entered: Count, refused: Counts }),
  ),
  other: Type.Record(Type.String(), Count, { description: "requests that are no purchase, by reason" }),
  latencyUs: Type.Object({ p50: Count, p95: Count, p99: Count, max: Count }),
  distinct: Type.Object({ users: Count, addresses: Count }, { description: "estimates, off by 1.6 % at one standard error" }),
  skus: Type.Array(Type.Object({ goodsSKU: Type.String(), requests: Count, held: Count, refused: Count })),
  heaviest: Type.Object({ addresses: Heavies, networks: Heavies, accounts: Heavies }),
});

export const TrafficNowSchema = Type.Object({
  at: Type.Integer({ description: "when it was made, in unix ms" }),
  eventsSeen: Count,
  eventsDropped: Type.Integer({ minimum: 0, description: "not analysed, because the analysis was behind or had died" }),
  isSampled: Type.Boolean({ description: "whether events of the last ten minutes are among them" }),
  windows: Type.Array(TrafficWindowSchema),
  scenarios: Type.Array(
    Type.Object({ name: Type.String(), group: Group, action: Type.Enum(["block", "throttle", "observe"]), offencesInHour: Count }),
  ),
  observed: Type.Array(Type.Object({ scope: Group, value: Type.String(), seen: Count, bought: Count })),
});

export const TrafficPointSchema = Type.Object({
  ...{
    at: Type.Integer({ description: "the second's beginning, in unix ms" }),
    requests: Count,
    purchases: Count,
    held: Count,
    failed: Count,
  },
  refused: Counts,
  ...{ p50Us: Count, p95Us: Count, p99Us: Count, users: Count, addresses: Count },
});
export const TrafficHistorySchema = Type.Object({ points: Type.Array(TrafficPointSchema) });

export type TrafficNow = Static<typeof TrafficNowSchema>;
export type TrafficWindow = Static<typeof TrafficWindowSchema>;
export type TrafficPoint = Static<typeof TrafficPointSchema>;
export type Heavy = Static<typeof Heavy>;
