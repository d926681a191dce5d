/**
 * The protocol's JSON. Its mappers are strict: a field they do not know, an object where an array is meant, or a number where they
 * expect text makes a client drop the whole answer. So nothing is added here, and `application` and `instance` are always arrays.
 */
import { LIST_CHUNK_ROWS } from "../../limits.ts";
import type { Lease } from "./instance.ts";
import type { Listing, ProtocolForm } from "./protocol-form.ts";

export const jsonForm: ProtocolForm = {
  contentType: "application/json",
  listing: listingText,
  application: ({ name, leases }) => JSON.stringify({ application: { name, instance: leases.map(oneInstance) } }),
  instance: (lease) => JSON.stringify({ instance: oneInstance(lease) }),
};

async function* listingText({ applications, hashcode, version }: Listing): AsyncGenerator<string> {
  yield `{"applications":{"versions__delta":"${version}","apps__hashcode":${JSON.stringify(hashcode)},"application":[`;
  for (const [index, { name, leases }] of applications.entries()) {
    yield `${index === 0 ? "" : ","}{"name":${JSON.stringify(name)},"instance":[`;
    for (let start = 0; start < leases.length; start += LIST_CHUNK_ROWS) {
      const chunk = leases.slice(start, start + LIST_CHUNK_ROWS).map((lease) => JSON.stringify(oneInstance(lease)));
      yield `${start === 0 ? "" : ","}${chunk.join(",")}`;
    }
    yield "]}";
  }
  yield "]}}";
}

const onePort = (port: { readonly number: number; readonly enabled: boolean }) => ({ $: port.number, "@enabled": String(port.enabled) });

export function oneInstance({ instance, lastChange, registeredAt, renewedAt, upSince, updatedAt, endedAt }: Lease) {
  const { dataCenter } = instance;
  return {
    instanceId: instance.instanceId,
    hostName: instance.hostName,
    app: instance.app,
    ...known("ipAddr", instance.ipAddr),
    status: instance.status,
    overriddenStatus: instance.override ?? "UNKNOWN",
    port: onePort(instance.port),
    securePort: onePort(instance.securePort),
    countryId: instance.countryId,
    dataCenterInfo: { "@class": dataCenter.className, name: dataCenter.name, ...known("metadata", dataCenter.metadata) },
    leaseInfo: {
      renewalIntervalInSecs: instance.renewalSeconds,
      durationInSecs: instance.leaseSeconds,
      registrationTimestamp: registeredAt,
      lastRenewalTimestamp: renewedAt,
      evictionTimestamp: endedAt,
      serviceUpTimestamp: upSince,
    },
    metadata: instance.metadata,
    ...known("homePageUrl", instance.homePageUrl),
    ...known("statusPageUrl", instance.statusPageUrl),
    ...known("healthCheckUrl", instance.healthCheckUrl),
    ...known("secureHealthCheckUrl", instance.secureHealthCheckUrl),
    ...known("vipAddress", instance.vipAddress),
    ...known("secureVipAddress", instance.secureVipAddress),
    isCoordinatingDiscoveryServer: "false",
    lastUpdatedTimestamp: String(updatedAt),
    lastDirtyTimestamp: String(instance.dirtyAt),
    actionType: lastChange,
  };
}

/** What is not known is left out: the protocol has no `null`. */
const known = (name: string, value: unknown) => (value === null ? {} : { [name]: value });
