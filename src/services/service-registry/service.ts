/**
 * The registry: who is there, and until when. Pure but for its own memory: every verb takes the time. A lease that has lapsed stays until it is
 * evicted, and says that it has lapsed (`instance.ts`); when nobody is evicted, readers still see who renews.
 */
import type { UnixMs } from "../../core/time.ts";
import { EVICTION_PERIOD_MS, METADATA_CHARS_MAX, METADATA_ENTRIES_MAX, REGISTRY_INSTANCES_MAX } from "../../limits/registry.ts";
import type { InstanceStatus } from "./api.ts";
import { type Application, applicationName, byApplication, type Instance, type Lease, lapsesAt } from "./instance.ts";
import { evictionsOf, type Preservation, preservationOf, RenewalRate } from "./preservation.ts";
import { RecentChanges } from "./recent-changes.ts";

/** Who asks: a client, or another registry that passes on what a client of its own has done. */
export type From = "client" | "peer";

/** What a client has done, for whoever passes it on. */
export interface RegistryChange {
  readonly app: string;
  readonly instanceId: string;
  readonly what: "registered" | "renewed" | "cancelled" | "status-changed";
}

export class ServiceRegistry {
  /** By application, then by instance id, in the order of registration. An application without instances is removed. */
  readonly #applications = new Map<string, Map<string, Lease>>();
  readonly #recent = new RecentChanges();
  readonly #renewals = new RenewalRate();
  #leaseCount = 0;
  #evictedAt: UnixMs = 0;
  #tell: (change: RegistryChange) => void = () => undefined;

  constructor(readonly instancesMax: number = REGISTRY_INSTANCES_MAX) {}

  /** From now on every change that a client makes is told. */
  follow(tell: (change: RegistryChange) => void): void {
    this.#tell = tell;
  }

  /** Registers, or replaces what was registered under the same ids, and starts a new lease. A registration that is older than
   *  what is known (it was delayed on its way) only starts the lease. `full` when there is no place for one more instance.
   *  @param renewedAt when the lease began, which another registry may have seen */
  register(instance: Instance, now: UnixMs, from: From = "client", renewedAt: UnixMs = now): "registered" | "full" {
    const before = this.find(instance.app, instance.instanceId);
    if (!before && this.#leaseCount >= this.instancesMax && !this.#makePlace(now)) return "full";
    const newest = before && before.instance.dirtyAt > instance.dirtyAt ? before.instance : instance;
    // What an operator has set outlives a registration.
    const override = before?.instance.override ?? instance.override;
    const status = overridden(newest.status, override);
    this.#put({
      ...{ instance: { ...newest, override, status }, lastChange: "ADDED", registeredAt: now, updatedAt: now, endedAt: 0 },
      ...{ renewedAt: Math.max(renewedAt, before?.renewedAt ?? 0), upSince: before?.upSince || (status === "UP" ? now : 0) },
    });
    this.#passOn(from, "registered", instance);
    return "registered";
  }

  /**
   * Starts the lease anew. `unknown` makes the client register again; so it is answered too when the client has changed (`dirtyAt`) since what
   * is known here, and when nobody knows its status. `newer`: renewed, but it is here that the newer state is known.
   */
  renew(
    app: string,
    instanceId: string,
    now: UnixMs,
    dirtyAt: UnixMs | null = null,
    from: From = "client",
  ): "renewed" | "newer" | "unknown" {
    const lease = this.find(app, instanceId);
    if (!lease || lease.instance.status === "UNKNOWN") return "unknown";
    this.#renewals.add(lease.instance.renewalSeconds, now);
    this.#put({ ...lease, renewedAt: now }, "same");
    this.#passOn(from, "renewed", lease.instance);
    if (dirtyAt === null || dirtyAt === lease.instance.dirtyAt) return "renewed";
    return dirtyAt > lease.instance.dirtyAt ? "unknown" : "newer";
  }

  cancel(app: string, instanceId: string, now: UnixMs, from: From = "client"): "cancelled" | "unknown" {
    const lease = this.find(app, instanceId);
    if (!lease) return "unknown";
    this.#remove(lease, now);
    this.#passOn(from, "cancelled", lease.instance);
    return "cancelled";
  }

  /** An operator's word on the status, which stands until it is taken back or the instance is cancelled. */
  setStatus(
    app: string,
    instanceId: string,
    status: InstanceStatus,
    now: UnixMs,
    change: { readonly dirtyAt: UnixMs | null; readonly from: From },
  ): "set" | "unknown" {
    const lease = this.find(app, instanceId);
    if (!lease) return "unknown";
    if (lease.instance.status === status) this.#put({ ...lease, renewedAt: now }, "same");
    else this.#modify(lease, { status, override: status === "UNKNOWN" ? null : status, dirtyAt: newestOf(lease, change.dirtyAt) }, now);
    this.#passOn(change.from, "status-changed", lease.instance);
    return "set";
  }

  /** Takes the operator's word back. @param status what counts until the instance says it itself; UNKNOWN makes it register again */
  clearStatus(
    app: string,
    instanceId: string,
    status: InstanceStatus,
    now: UnixMs,
    change: { readonly dirtyAt: UnixMs | null; readonly from: From },
  ): "cleared" | "unknown" {
    const lease = this.find(app, instanceId);
    if (!lease) return "unknown";
    if (lease.instance.override === null) this.#put({ ...lease, renewedAt: now }, "same");
    else this.#modify(lease, { status, override: null, dirtyAt: newestOf(lease, change.dirtyAt) }, now);
    this.#passOn(change.from, "status-changed", lease.instance);
    return "cleared";
  }

  /** Adds to the metadata, or replaces what has the same names. */
  addMetadata(app: string, instanceId: string, entries: Readonly<Record<string, string>>, now: UnixMs): "added" | "unknown" | "too-much" {
    const lease = this.find(app, instanceId);
    if (!lease) return "unknown";
    const metadata = { ...lease.instance.metadata, ...entries };
    const all = Object.entries(metadata);
    if (all.length > METADATA_ENTRIES_MAX) return "too-much";
    if (all.reduce((chars, [name, value]) => chars + name.length + value.length, 0) > METADATA_CHARS_MAX) return "too-much";
    this.#modify(lease, { metadata }, now);
    this.#passOn("client", "registered", lease.instance);
    return "added";
  }

  /** Evicts those that have lapsed, as far as self-preservation allows. Answers how many; none, when the last run was a moment ago. */
  evict(now: UnixMs): number {
    if (Math.abs(now - this.#evictedAt) < EVICTION_PERIOD_MS) return 0;
    this.#evictedAt = now;
    const evicted = evictionsOf(this.leases(), this.#renewals.lastMinute(now), now);
    for (const lease of evicted) this.#remove(lease, now);
    return evicted.length;
  }

  preservation(now: UnixMs): Preservation {
    return preservationOf(this.#leaseCount, this.#renewals.lastMinute(now));
  }

  leases(): Lease[] {
    return [...this.#applications.values()].flatMap((leases) => [...leases.values()]);
  }

  /** Applications in the order of their names. */
  applications(): readonly Application[] {
    return byApplication(this.leases());
  }

  /** What has changed in the last minutes, each instance as it was then. */
  recentChanges(now: UnixMs): { readonly applications: readonly Application[]; readonly version: number } {
    return { applications: byApplication(this.#recent.all(now)), version: this.#recent.count + 1 };
  }

  /** Those whose address (one of several, separated by commas) is this one. */
  applicationsAt(address: "vipAddress" | "secureVipAddress", wanted: string): readonly Application[] {
    return byApplication(this.leases().filter(({ instance }) => instance[address]?.split(",").includes(wanted)));
  }

  /** `null` when the application has no instance. */
  application(app: string): Application | null {
    const name = applicationName(app);
    const leases = this.#applications.get(name);
    return leases ? { name, leases: [...leases.values()] } : null;
  }

  find(app: string, instanceId: string): Lease | null {
    return this.#applications.get(applicationName(app))?.get(instanceId) ?? null;
  }

  /** By instance id alone; the first one when several applications use the same id. */
  findAnywhere(instanceId: string): Lease | null {
    for (const leases of this.#applications.values()) {
      const lease = leases.get(instanceId);
      if (lease) return lease;
    }
    return null;
  }

  #modify(lease: Lease, change: Partial<Instance>, now: UnixMs): void {
    const instance = { ...lease.instance, ...change };
    const upSince = lease.upSince || (instance.status === "UP" ? now : 0);
    this.#put({ ...lease, instance, upSince, lastChange: "MODIFIED", renewedAt: now, updatedAt: now });
  }

  #put(lease: Lease, what: "changed" | "same" = "changed"): void {
    const { app, instanceId } = lease.instance;
    const leases = this.#applications.get(app) ?? new Map<string, Lease>();
    this.#leaseCount += leases.has(instanceId) ? 0 : 1;
    this.#applications.set(app, leases.set(instanceId, lease));
    if (what === "changed") this.#recent.note(lease);
  }

  #remove(lease: Lease, now: UnixMs): void {
    const { app, instanceId } = lease.instance;
    const leases = this.#applications.get(app);
    if (leases?.delete(instanceId)) this.#leaseCount -= 1;
    if (leases?.size === 0) this.#applications.delete(app);
    this.#recent.note({ ...lease, lastChange: "DELETED", updatedAt: now, endedAt: now });
  }

  /** A full registry keeps nobody out for the sake of those that have lapsed. */
  #makePlace(now: UnixMs): boolean {
    const lapsed = this.leases().filter((lease) => lapsesAt(lease) <= now);
    for (const lease of lapsed) this.#remove(lease, now);
    return lapsed.length > 0;
  }

  #passOn(from: From, what: RegistryChange["what"], { app, instanceId }: Instance): void {
    if (from === "client") this.#tell({ app, instanceId, what });
  }
}

/** An operator's word counts for those that say that they could serve; who is starting or down knows better. */
function overridden(status: InstanceStatus, override: InstanceStatus | null): InstanceStatus {
  return status === "UP" || status === "OUT_OF_SERVICE" ? (override ?? status) : status;
}

const newestOf = ({ instance }: Lease, dirtyAt: UnixMs | null): UnixMs => Math.max(instance.dirtyAt, dirtyAt ?? 0);
