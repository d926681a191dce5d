/**
 * The protocol's JSON. Its mappers are strict: a field they do not know, an object where an array is meant, or a number where they
 * expect text makes a client drop the whole answer. So nothing is added here, and `application` and `instance` are always arrays.
 */
import { LIST_CHUNK_ROWS } from "../../limits.ts";
import type { Application, Lease } from "./instance.ts";

/** The whole registry, made piece by piece while it is sent: ten thousand instances are some megabytes of text. */
export async function* applicationsText(applications: readonly Application[]): AsyncGenerator<string> {
  yield `{"applications":{"versions__delta":"1","apps__hashcode":${JSON.stringify(hashcodeOf(applications))},"application":[`;
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

export const applicationJson = ({ name, leases }: Application) => ({ application: { name, instance: leases.map(oneInstance) } });

export const instanceJson = (lease: Lease) => ({ instance: oneInstance(lease) });

/** `DOWN_1_UP_4_`, over the whole registry: by this a client that follows changes only checks that it has missed none. */
export function hashcodeOf(applications: readonly Application[]): string {
  const counts = new Map<string, number>();
  for (const { leases } of applications) {
    for (const { instance } of leases) counts.set(instance.status, (counts.get(instance.status) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([status, count]) => `${status}_${count}_`)
    .join("");
}

const onePort = (port: { readonly number: number; readonly enabled: boolean }) => ({ $: port.number, "@enabled": String(port.enabled) });

function oneInstance({ instance, registeredAt, renewedAt, upSince, updatedAt }: Lease): Record<string, unknown> {
  const { dataCenter } = instance;
  return {
    instanceId: instance.instanceId,
    hostName: instance.hostName,
    app: instance.app,
    ...known("ipAddr", instance.ipAddr),
    status: instance.status,
    overriddenStatus: "UNKNOWN",
    port: onePort(instance.port),
    securePort: onePort(instance.securePort),
    countryId: instance.countryId,
    dataCenterInfo: { "@class": dataCenter.className, name: dataCenter.name, ...known("metadata", dataCenter.metadata) },
    leaseInfo: {
      renewalIntervalInSecs: instance.renewalSeconds,
      durationInSecs: instance.leaseSeconds,
      registrationTimestamp: registeredAt,
      lastRenewalTimestamp: renewedAt,
      evictionTimestamp: 0,
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
    actionType: "ADDED",
  };
}

/** What is not known is left out: the protocol has no `null`. */
const known = (name: string, value: unknown) => (value === null ? {} : { [name]: value });
