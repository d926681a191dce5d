/** What the registry knows about one instance, apart from how the protocol spells it. */
import type { UnixMs } from "../../core/time.ts";
import type { InstanceBody, InstanceStatus } from "./api.ts";

export interface InstancePort {
  readonly number: number;
  readonly enabled: boolean;
}

export interface Instance {
  readonly instanceId: string;
  /** In upper case, as the protocol answers it. */
  readonly app: string;
  readonly hostName: string;
  readonly ipAddr: string | null;
  /** What counts: the client's own, or what an operator has put in its place. */
  readonly status: InstanceStatus;
  /** What an operator has put in the place of UP and OUT_OF_SERVICE; `null` when nobody has. */
  readonly override: InstanceStatus | null;
  readonly port: InstancePort;
  readonly securePort: InstancePort;
  readonly countryId: number;
  readonly dataCenter: { readonly className: string; readonly name: string; readonly metadata: Readonly<Record<string, string>> | null };
  readonly renewalSeconds: number;
  readonly leaseSeconds: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly homePageUrl: string | null;
  readonly statusPageUrl: string | null;
  readonly healthCheckUrl: string | null;
  readonly secureHealthCheckUrl: string | null;
  readonly vipAddress: string | null;
  readonly secureVipAddress: string | null;
  /** When the instance last changed, by its own clock: the newer of two registrations wins. */
  readonly dirtyAt: UnixMs;
}

/**
 * An instance with its time here. It is *current* until its duration has passed since the last renewal. Then it has *lapsed*: it stays in the
 * registry until it is evicted, and its times tell every reader that it has lapsed. A renewal makes it current again.
 */
export interface Lease {
  readonly instance: Instance;
  /** What has happened last to what is known about the instance. */
  readonly lastChange: "ADDED" | "MODIFIED" | "DELETED";
  readonly registeredAt: UnixMs;
  readonly renewedAt: UnixMs;
  /** Since when it has been UP; 0 while it has never been. */
  readonly upSince: UnixMs;
  /** When what is known about the instance last changed here. */
  readonly updatedAt: UnixMs;
  /** When it was cancelled or evicted; 0 before. */
  readonly endedAt: UnixMs;
}

export const lapsesAt = ({ instance, renewedAt }: Lease): UnixMs => renewedAt + instance.leaseSeconds * 1_000;

export interface Application {
  readonly name: string;
  readonly leases: readonly Lease[];
}

/** In the order of names, so that two answers can be compared. */
export function byApplication(leases: Iterable<Lease>): Application[] {
  const found = new Map<string, Lease[]>();
  for (const lease of leases) {
    const others = found.get(lease.instance.app);
    if (others) others.push(lease);
    else found.set(lease.instance.app, [lease]);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, leases]) => ({ name, leases }));
}

const DEFAULT_RENEWAL_SECONDS = 30;
const DEFAULT_LEASE_SECONDS = 90;
const OWN_DATA_CENTER = { className: "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn", metadata: null } as const;

/** One name for an application, however a client spells it. */
export const applicationName = (given: string): string => given.toUpperCase();

/** Reads a registration as its client meant it: what is left out gets the protocol's default. */
export function instanceFrom(body: InstanceBody, now: UnixMs): Instance {
  const dataCenter = dataCenterFrom(body.dataCenterInfo);
  return {
    instanceId: body.instanceId ?? dataCenter.metadata?.["instance-id"] ?? body.hostName,
    app: applicationName(body.app),
    hostName: body.hostName,
    ipAddr: body.ipAddr ?? null,
    status: body.status ?? "UP",
    override: overrideFrom(body),
    port: portFrom(body.port, { number: 7001, enabled: true }),
    securePort: portFrom(body.securePort, { number: 7002, enabled: false }),
    countryId: Number(body.countryId ?? 1),
    dataCenter,
    renewalSeconds: positiveOr(body.leaseInfo?.renewalIntervalInSecs, DEFAULT_RENEWAL_SECONDS),
    leaseSeconds: positiveOr(body.leaseInfo?.durationInSecs, DEFAULT_LEASE_SECONDS),
    metadata: propertiesFrom(body.metadata),
    homePageUrl: body.homePageUrl ?? null,
    statusPageUrl: body.statusPageUrl ?? null,
    healthCheckUrl: body.healthCheckUrl ?? null,
    secureHealthCheckUrl: body.secureHealthCheckUrl ?? null,
    vipAddress: body.vipAddress ?? null,
    secureVipAddress: body.secureVipAddress ?? null,
    dirtyAt: Number(body.lastDirtyTimestamp ?? now),
  };
}

/** The one name of an instance: in the registry, in metrics, in access records, in traces and in `/health`. */
export const instanceIdOf = (host: string, app: string, port: number): string => `${host}:${app.toLowerCase()}:${port}`;

/** The record under which a service of our own registers.
 *  @param host an address or name under which the others reach it */
export function ourInstance(own: {
  readonly app: string;
  readonly host: string;
  readonly port: number;
  /** Where this instance tells of itself: of those that share a port, each has one of its own. */
  readonly ownPort?: number;
  readonly now: UnixMs;
  readonly leaseSeconds: number;
}): Instance {
  const ownPort = own.ownPort ?? own.port;
  const root = `http://${own.host.includes(":") ? `[${own.host}]` : own.host}:${ownPort}`;
  const vipAddress = own.app.toLowerCase();
  return {
    instanceId: instanceIdOf(own.host, own.app, ownPort),
    app: applicationName(own.app),
    hostName: own.host,
    ipAddr: own.host,
    status: "UP",
    override: null,
    port: { number: own.port, enabled: true },
    securePort: { number: 443, enabled: false },
    countryId: 1,
    dataCenter: OWN_DATA_CENTER,
    renewalSeconds: Math.max(1, Math.floor(own.leaseSeconds / 3)),
    leaseSeconds: own.leaseSeconds,
    metadata: {},
    homePageUrl: `${root}/`,
    statusPageUrl: `${root}/health`,
    healthCheckUrl: `${root}/health`,
    secureHealthCheckUrl: null,
    vipAddress,
    secureVipAddress: vipAddress,
    dirtyAt: own.now,
  };
}

const positiveOr = (given: number | string | null | undefined, fallback: number): number => (Number(given) > 0 ? Number(given) : fallback);

/** Two spellings are about; UNKNOWN is how the protocol says that there is none. */
function overrideFrom({ overriddenStatus, overriddenstatus }: InstanceBody): InstanceStatus | null {
  const override = overriddenStatus ?? overriddenstatus ?? "UNKNOWN";
  return override === "UNKNOWN" ? null : override;
}

function portFrom(given: InstanceBody["port"], fallback: InstancePort): InstancePort {
  if (given === null || given === undefined) return fallback;
  if (typeof given !== "object") return { number: Number(given), enabled: fallback.enabled };
  const enabled = given["@enabled"];
  return { number: Number(given.$), enabled: enabled === null || enabled === undefined ? fallback.enabled : String(enabled) === "true" };
}

function dataCenterFrom(given: InstanceBody["dataCenterInfo"]): Instance["dataCenter"] {
  if (!given) return OWN_DATA_CENTER;
  return {
    className: given["@class"] ?? OWN_DATA_CENTER.className,
    name: given.name ?? OWN_DATA_CENTER.name,
    metadata: given.metadata ? propertiesFrom(given.metadata) : null,
  };
}

/** `@class` names the Java map that a client happened to use; it is no property. */
function propertiesFrom(given: InstanceBody["metadata"]): Readonly<Record<string, string>> {
  const entries = Object.entries(given ?? {}).filter(([key, value]) => key !== "@class" && value !== null);
  return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]));
}
