/**
 * The Eureka REST protocol. It lives under two roots and tolerates a trailing slash, so each operation is declared once, relative to the root,
 * and served at every variant. Bodies come as JSON or XML; answers are XML unless `Accept` speaks of JSON.
 */
import Type, { type Static, type TObject, type TSchema } from "typebox";
import type { Endpoint } from "../../core/endpoint.ts";
import { PEER_BATCH_BYTES_MAX, PEER_BATCH_OPERATIONS_MAX } from "../../limits/registry.ts";
import { described, registrationXml } from "./described.ts";
import { readXml } from "./xml-body.ts";

const ROOTS = ["/eureka", "/eureka/v2"] as const;

/** What XML cannot carry is refused in JSON too: every instance can be told in both. */
const NOT_IN_XML = "\\p{Cc}\\p{Cs}\\uFFFE\\uFFFF";
const word = (charsMax: number) =>
  Type.String({ pattern: `^[^${NOT_IN_XML}]{1,${charsMax}}$`, description: `1-${charsMax} characters, no control characters` });
/** Java clients write `null` for what they do not know, others leave it out: both mean the same. */
const maybe = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));
const longText = Type.String({ pattern: `^[^${NOT_IN_XML}]{0,2048}$`, description: "at most 2048 characters, no control characters" });
const digits = Type.String({ pattern: "^[0-9]{1,16}$", description: "a whole number as text" });

const portNumber = Type.Integer({ minimum: 0, maximum: 65_535 });
const flag = Type.Union([Type.Boolean(), Type.Literal("true"), Type.Literal("false")]);
const port = Type.Union([
  portNumber,
  Type.String({ pattern: "^[0-9]{1,5}$" }),
  Type.Object({ $: Type.Union([portNumber, Type.String({ pattern: "^[0-9]{1,5}$" })]), "@enabled": maybe(flag) }),
]);
const timestamp = Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), digits]);
/** Zero and below mean "the default" to the clients that send them. */
const seconds = Type.Union([Type.Integer({ minimum: -1, maximum: 86_400 }), Type.String({ pattern: "^(-1|[0-9]{1,5})$" })]);
const properties = Type.Record(Type.String(), Type.Union([longText, Type.Number(), Type.Boolean(), Type.Null()]), { maxProperties: 100 });

export const STATUSES = ["UP", "DOWN", "STARTING", "OUT_OF_SERVICE", "UNKNOWN"] as const;
export type InstanceStatus = (typeof STATUSES)[number];

export const InstanceBody = Type.Object({
  instanceId: maybe(word(512)),
  hostName: word(255),
  app: word(128),
  ipAddr: maybe(word(255)),
  status: maybe(Type.Enum(STATUSES)),
  overriddenStatus: maybe(Type.Enum(STATUSES)),
  overriddenstatus: maybe(Type.Enum(STATUSES)),
  port: maybe(port),
  securePort: maybe(port),
  countryId: maybe(Type.Union([Type.Integer({ minimum: 0, maximum: 1_000_000 }), Type.String({ pattern: "^[0-9]{1,6}$" })])),
  dataCenterInfo: maybe(Type.Object({ "@class": maybe(longText), name: maybe(longText), metadata: maybe(properties) })),
  leaseInfo: maybe(Type.Object({ renewalIntervalInSecs: maybe(seconds), durationInSecs: maybe(seconds) })),
  metadata: maybe(properties),
  homePageUrl: maybe(longText),
  statusPageUrl: maybe(longText),
  healthCheckUrl: maybe(longText),
  secureHealthCheckUrl: maybe(longText),
  vipAddress: maybe(longText),
  secureVipAddress: maybe(longText),
  lastDirtyTimestamp: maybe(timestamp),
});
export type InstanceBody = Static<typeof InstanceBody>;

const xmlForm = { parse: readXml, example: registrationXml } as const;
const XML_BODIES = { "application/xml": xmlForm, "text/xml": xmlForm } as const;

const AppParams = Type.Object({ app: word(128) });
const InstanceParams = Type.Object({ app: word(128), id: word(512) });
const nothing = Type.Object({});
const reading = { method: "GET", query: nothing, body: null, needsAdminKey: false } as const;

export const REGISTER = {
  ...{ ...reading, name: "register", ...described.register, path: "/apps/{app}", params: AppParams },
  method: "POST",
  body: Type.Object({ instance: InstanceBody }),
  otherBodies: XML_BODIES,
} as const;
export const RENEW = {
  ...{ ...reading, name: "renew", ...described.renew, path: "/apps/{app}/{id}", params: InstanceParams },
  method: "PUT",
  query: Type.Object({
    status: Type.Optional(longText),
    lastDirtyTimestamp: Type.Optional(longText),
    overriddenstatus: Type.Optional(longText),
  }),
} as const;
export const CANCEL = {
  ...reading,
  name: "cancel",
  ...described.cancel,
  method: "DELETE",
  path: "/apps/{app}/{id}",
  params: InstanceParams,
} as const;
export const ALL_APPLICATIONS = { ...reading, name: "applications", ...described.applications, path: "/apps", params: nothing } as const;
export const ONE_APPLICATION = {
  ...reading,
  name: "application",
  ...described.application,
  path: "/apps/{app}",
  params: AppParams,
} as const;
export const ONE_INSTANCE = {
  ...reading,
  name: "instanceOfApplication",
  ...described.instanceOfApplication,
  path: "/apps/{app}/{id}",
  params: InstanceParams,
} as const;
export const ANY_INSTANCE = {
  ...reading,
  name: "instance",
  ...described.instance,
  path: "/instances/{id}",
  params: Type.Object({ id: word(512) }),
} as const;

export const SET_STATUS = {
  ...reading,
  name: "setStatus",
  ...described.setStatus,
  method: "PUT",
  path: "/apps/{app}/{id}/status",
  params: InstanceParams,
  query: Type.Object({ value: Type.Enum(STATUSES), lastDirtyTimestamp: Type.Optional(longText) }),
} as const;
export const CLEAR_STATUS = {
  ...reading,
  name: "clearStatus",
  ...described.clearStatus,
  method: "DELETE",
  path: "/apps/{app}/{id}/status",
  params: InstanceParams,
  query: Type.Object({ value: Type.Optional(Type.Enum(STATUSES)), lastDirtyTimestamp: Type.Optional(longText) }),
} as const;
export const ADD_METADATA = {
  ...reading,
  name: "addMetadata",
  ...described.addMetadata,
  method: "PUT",
  path: "/apps/{app}/{id}/metadata",
  params: InstanceParams,
  query: Type.Object({}, { additionalProperties: longText }),
} as const;
export const DELTA = { ...reading, name: "delta", ...described.delta, path: "/apps/delta", params: nothing } as const;
const AddressParams = Type.Object({ address: longText });
export const AT_VIP = { ...reading, name: "vip", ...described.vip, path: "/vips/{address}", params: AddressParams } as const;
export const AT_SECURE_VIP = { ...reading, name: "svip", ...described.svip, path: "/svips/{address}", params: AddressParams } as const;

export const ACTIONS = ["Heartbeat", "Register", "Cancel", "StatusUpdate", "DeleteStatusOverride"] as const;
export const ReplicationBody = Type.Object({
  replicationList: Type.Array(
    Type.Object({
      action: Type.Enum(ACTIONS),
      appName: word(128),
      id: word(512),
      lastDirtyTimestamp: maybe(timestamp),
      status: maybe(Type.Enum(STATUSES)),
      overriddenStatus: maybe(Type.Enum(STATUSES)),
      instanceInfo: maybe(InstanceBody),
    }),
    { maxItems: PEER_BATCH_OPERATIONS_MAX },
  ),
});
export type ReplicationOperation = Static<typeof ReplicationBody>["replicationList"][number];
export const REPLICATE = {
  ...reading,
  name: "replicate",
  ...described.replicate,
  method: "POST",
  path: "/peerreplication/batch",
  params: nothing,
  body: ReplicationBody,
  bodyBytesMax: PEER_BATCH_BYTES_MAX,
} as const;

/** The same operation under both roots, with and without a trailing slash. */
export function everywhere<P extends TObject, Q extends TObject, B extends TSchema>(relative: Endpoint<P, Q, B>): Endpoint<P, Q, B>[] {
  return ROOTS.flatMap((root) => ["", "/"].map((end) => ({ ...relative, path: `${root}${relative.path}${end}` })));
}
