/** The protocol's JSON as schemas, for the API's description; `protocol-json.ts` makes it. */
import Type from "typebox";
import { noContent, reply } from "../../core/reply-schema.ts";

const text = Type.String();
const unixMs = Type.Integer({ description: "unix ms" });
const port = Type.Object({ $: Type.Integer(), "@enabled": Type.Enum(["true", "false"]) });
const properties = Type.Record(Type.String(), Type.String());

const Instance = Type.Object({
  instanceId: text,
  hostName: text,
  app: text,
  ipAddr: Type.Optional(text),
  status: Type.Enum(["UP", "DOWN", "STARTING", "OUT_OF_SERVICE", "UNKNOWN"]),
  overriddenStatus: text,
  port,
  securePort: port,
  countryId: Type.Integer(),
  dataCenterInfo: Type.Object({ "@class": text, name: text, metadata: Type.Optional(properties) }),
  leaseInfo: Type.Object({
    renewalIntervalInSecs: Type.Integer(),
    durationInSecs: Type.Integer(),
    registrationTimestamp: unixMs,
    lastRenewalTimestamp: unixMs,
    evictionTimestamp: unixMs,
    serviceUpTimestamp: unixMs,
  }),
  metadata: properties,
  homePageUrl: Type.Optional(text),
  statusPageUrl: Type.Optional(text),
  healthCheckUrl: Type.Optional(text),
  secureHealthCheckUrl: Type.Optional(text),
  vipAddress: Type.Optional(text),
  secureVipAddress: Type.Optional(text),
  isCoordinatingDiscoveryServer: text,
  lastUpdatedTimestamp: text,
  lastDirtyTimestamp: text,
  actionType: text,
});
const Application = Type.Object({ name: text, instance: Type.Array(Instance) });
const Applications = Type.Object({
  applications: Type.Object({ versions__delta: text, apps__hashcode: text, application: Type.Array(Application) }),
});

export const registrationExample = {
  ...{ instanceId: "shop-1:checkout:9000", hostName: "shop-1", app: "CHECKOUT", ipAddr: "192.0.2.10", status: "UP" },
  port: { $: 9000, "@enabled": "true" },
  dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
  vipAddress: "checkout",
} as const;

const instanceExample = {
  ...registrationExample,
  overriddenStatus: "UNKNOWN",
  securePort: { $: 7002, "@enabled": "false" },
  countryId: 1,
  leaseInfo: {
    ...{ renewalIntervalInSecs: 30, durationInSecs: 90, registrationTimestamp: 1_795_320_600_000 },
    ...{ lastRenewalTimestamp: 1_795_320_600_000, evictionTimestamp: 0, serviceUpTimestamp: 1_795_320_600_000 },
  },
  metadata: {},
  isCoordinatingDiscoveryServer: "false",
  ...{ lastUpdatedTimestamp: "1795320600000", lastDirtyTimestamp: "1795320600000", actionType: "ADDED" },
};
const applicationExample = { name: "CHECKOUT", instance: [instanceExample] };

const noInstance = { 404: "No such instance is registered." } as const;
const oneApp = { params: { app: "CHECKOUT" } };
const oneInstance = { params: { app: "CHECKOUT", id: registrationExample.instanceId } };
const instanceReply = { 200: reply("The instance.", Type.Object({ instance: Instance }), { instance: instanceExample }) };

/** What is said of each operation beside its route. */
export const described = {
  register: {
    summary: "Registers an instance, or replaces its registration, and starts its lease.",
    replies: { 204: noContent("It is registered.") },
    problems: { 503: "The registry is full." },
    example: { params: oneApp.params, body: { instance: registrationExample } },
  },
  renew: {
    summary: "Renews an instance's lease.",
    replies: {
      200: noContent("The lease holds for another term."),
      404: noContent("The instance is not known, or has changed since: register again."),
    },
    example: oneInstance,
  },
  cancel: {
    summary: "Ends an instance's lease.",
    replies: { 200: noContent("It is gone."), 404: noContent("It was not there.") },
    example: oneInstance,
  },
  applications: {
    summary: "All applications with a live instance.",
    replies: {
      200: reply("The whole registry.", Applications, {
        applications: { versions__delta: "1", apps__hashcode: "UP_1_", application: [applicationExample] },
      }),
    },
  },
  application: {
    summary: "One application.",
    replies: { 200: reply("Its live instances.", Type.Object({ application: Application }), { application: applicationExample }) },
    problems: { 404: "No instance of that application is registered." },
    example: oneApp,
  },
  instanceOfApplication: {
    summary: "One instance of an application.",
    replies: instanceReply,
    problems: noInstance,
    example: oneInstance,
  },
  instance: {
    summary: "One instance, whatever its application.",
    replies: instanceReply,
    problems: noInstance,
    example: { params: { id: registrationExample.instanceId } },
  },
} as const;
