/** The protocol's JSON as schemas, for the API's description; `protocol-json.ts` makes it. */
import Type from "typebox";
import { noContent, type ReplySchema, reply } from "../../core/reply-schema.ts";

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
  overriddenStatus: Type.Enum(["UP", "DOWN", "STARTING", "OUT_OF_SERVICE", "UNKNOWN"]),
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
  actionType: Type.Enum(["ADDED", "MODIFIED", "DELETED"]),
});
const Application = Type.Object({ name: text, instance: Type.Array(Instance) });
const Applications = Type.Object({
  applications: Type.Object({ versions__delta: text, apps__hashcode: text, application: Type.Array(Application) }),
});

export const registrationXml = `<instance>
  <instanceId>shop-1:checkout:9000</instanceId><hostName>shop-1</hostName><app>CHECKOUT</app><ipAddr>192.0.2.10</ipAddr>
  <status>UP</status><port enabled="true">9000</port><vipAddress>checkout</vipAddress>
  <dataCenterInfo class="com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo"><name>MyOwn</name></dataCenterInfo>
</instance>`;

export const registrationExample = {
  ...{ instanceId: "shop-1:checkout:9000", hostName: "shop-1", app: "CHECKOUT", ipAddr: "192.0.2.10", status: "UP" },
  port: { $: 9000, "@enabled": "true" },
  dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
  ...{ vipAddress: "checkout", secureVipAddress: "checkout" },
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
/** Both forms say the same. XML is what is answered to whoever does not ask for JSON. */
const inBothForms = (json: ReplySchema): ReplySchema => ({
  ...json,
  otherForms: { "application/xml": Type.String() },
  headers: { "Server-Now": "The registry's clock, in unix ms: `lastRenewalTimestamp` is told by the same." },
});
const instanceReply = { 200: inBothForms(reply("The instance.", Type.Object({ instance: Instance }), { instance: instanceExample })) };
const listReply = (description: string) =>
  inBothForms(
    reply(description, Applications, {
      applications: { versions__delta: "1", apps__hashcode: "UP_1_", application: [applicationExample] },
    }),
  );
const oneAddress = { params: { address: registrationExample.vipAddress } };
const noContentOrUnknown = { 200: noContent("It is so now."), 404: noContent("No such instance is registered.") };

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
    summary: "All applications, with every instance that has not been evicted; `leaseInfo` tells who has stopped renewing.",
    replies: {
      200: listReply("The whole registry."),
    },
  },
  delta: {
    summary: "What has changed in the last three minutes, each instance once, with what happened to it last.",
    replies: { 200: listReply("The changes; the hash code is that of the whole registry.") },
  },
  vip: {
    summary: "The instances at a virtual address.",
    replies: { 200: listReply("Those that have the address, alone or among others.") },
    problems: { 404: "No instance has that address." },
    example: oneAddress,
  },
  svip: {
    summary: "The instances at a secure virtual address.",
    replies: { 200: listReply("Those that have the address, alone or among others.") },
    problems: { 404: "No instance has that address." },
    example: oneAddress,
  },
  setStatus: {
    summary: "Puts an operator's status in the place of the instance's own, for instance to take it out of service.",
    replies: noContentOrUnknown,
    example: { ...oneInstance, query: { value: "OUT_OF_SERVICE" } },
  },
  clearStatus: {
    summary: "Takes the operator's status back; without a value the instance registers again and says its own.",
    replies: noContentOrUnknown,
    example: { ...oneInstance, query: { value: "UP" } },
  },
  addMetadata: {
    summary: "Adds each parameter to the instance's metadata, or replaces the entry of that name.",
    replies: noContentOrUnknown,
    example: oneInstance,
  },
  replicate: {
    summary: "What the clients of another registry have done. For registries only.",
    replies: {
      200: reply(
        "For each operation the status that the same request would have had alone; to a renewal of an older state, the newer one.",
        Type.Object({
          responseList: Type.Array(Type.Object({ statusCode: Type.Integer(), responseEntity: Type.Optional(Instance) })),
        }),
        { responseList: [{ statusCode: 200 }] },
      ),
    },
    example: {
      body: { replicationList: [{ action: "Heartbeat", appName: "CHECKOUT", id: registrationExample.instanceId, status: "UP" }] },
    },
  },
  application: {
    summary: "One application.",
    replies: {
      200: inBothForms(reply("Its instances.", Type.Object({ application: Application }), { application: applicationExample })),
    },
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
