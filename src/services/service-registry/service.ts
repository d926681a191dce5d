/**
 * The registry: who is there, and until when. A lease is data: it holds until its duration has passed since the last renewal, and
 * every question is answered as of the `now` it comes with, so an instance that stopped renewing is gone at that instant, whether
 * or not anybody has cleaned up. What has expired is removed when it is met.
 */
import { type HttpReply, json, on, type Route } from "../../core/endpoint.ts";
import { problem } from "../../core/problem.ts";
import type { Clock, UnixMs } from "../../core/time.ts";
import { REGISTRY_INSTANCES_MAX } from "../../limits.ts";
import { ALL_APPLICATIONS, ANY_INSTANCE, CANCEL, everywhere, ONE_APPLICATION, ONE_INSTANCE, REGISTER, RENEW } from "./api.ts";
import { type Application, applicationName, type Instance, instanceFrom, type Lease } from "./instance.ts";
import { applicationJson, applicationsText, instanceJson } from "./protocol-json.ts";

const isLive = (lease: Lease, now: UnixMs): boolean => now < lease.renewedAt + lease.instance.leaseSeconds * 1_000;

export class ServiceRegistry {
  /** By application, then by instance id, in the order of registration. An application without instances is removed. */
  readonly #applications = new Map<string, Map<string, Lease>>();
  #leaseCount = 0;

  constructor(readonly instancesMax: number = REGISTRY_INSTANCES_MAX) {}

  /** Registers, or replaces what was registered under the same ids, and starts a new lease. A registration that is older than
   *  what is known (it was delayed on its way) only starts the lease. `full` when there is no place for one more instance. */
  register(instance: Instance, now: UnixMs): "registered" | "full" {
    const before = this.find(instance.app, instance.instanceId, now);
    if (!before && this.#leaseCount >= this.instancesMax) {
      this.#removeExpired(now);
      if (this.#leaseCount >= this.instancesMax) return "full";
    }
    const newest = before && before.instance.dirtyAt > instance.dirtyAt ? before.instance : instance;
    const upSince = before?.upSince || (newest.status === "UP" ? now : 0);
    this.#put({ instance: newest, registeredAt: now, renewedAt: now, upSince, updatedAt: now });
    return "registered";
  }

  /** Starts the lease anew. `unknown` makes the client register again; so it is answered too when the client has changed
   *  (`dirtyAt`) since what is known here. */
  renew(app: string, instanceId: string, now: UnixMs, dirtyAt: UnixMs | null = null): "renewed" | "unknown" {
    const lease = this.find(app, instanceId, now);
    if (!lease || (dirtyAt !== null && dirtyAt > lease.instance.dirtyAt)) return "unknown";
    this.#put({ ...lease, renewedAt: now });
    return "renewed";
  }

  cancel(app: string, instanceId: string, now: UnixMs): "cancelled" | "unknown" {
    const lease = this.find(app, instanceId, now);
    if (!lease) return "unknown";
    this.#remove(lease);
    return "cancelled";
  }

  /** All that is live, applications in the order of their names. */
  applications(now: UnixMs): readonly Application[] {
    this.#removeExpired(now);
    return [...this.#applications].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, leases]) => ({ name, leases: [...leases.values()] }));
  }

  /** `null` when the application has no live instance. */
  application(app: string, now: UnixMs): Application | null {
    const name = applicationName(app);
    const leases = [...(this.#applications.get(name)?.values() ?? [])].filter((lease) => isLive(lease, now));
    return leases.length === 0 ? null : { name, leases };
  }

  find(app: string, instanceId: string, now: UnixMs): Lease | null {
    const lease = this.#applications.get(applicationName(app))?.get(instanceId);
    if (!lease) return null;
    if (isLive(lease, now)) return lease;
    this.#remove(lease);
    return null;
  }

  /** By instance id alone; the first one when several applications use the same id. */
  findAnywhere(instanceId: string, now: UnixMs): Lease | null {
    for (const app of this.#applications.keys()) {
      const lease = this.find(app, instanceId, now);
      if (lease) return lease;
    }
    return null;
  }

  #put(lease: Lease): void {
    const { app, instanceId } = lease.instance;
    const leases = this.#applications.get(app) ?? new Map<string, Lease>();
    this.#leaseCount += leases.has(instanceId) ? 0 : 1;
    this.#applications.set(app, leases.set(instanceId, lease));
  }

  #remove({ instance: { app, instanceId } }: Lease): void {
    const leases = this.#applications.get(app);
    if (leases?.delete(instanceId)) this.#leaseCount -= 1;
    if (leases?.size === 0) this.#applications.delete(app);
  }

  #removeExpired(now: UnixMs): void {
    for (const leases of this.#applications.values()) {
      for (const lease of leases.values()) {
        if (!isLive(lease, now)) this.#remove(lease);
      }
    }
  }
}

/** The protocol's answers without content: its clients read the status alone. */
const empty = (status: 200 | 204 | 404): HttpReply => ({ status, body: "" });

export function routes(registry: ServiceRegistry, clock: Clock): Route[] {
  return [
    ...everywhere(REGISTER).map((endpoint) =>
      on(endpoint, ({ params, body }) => register(registry, params.app, instanceFrom(body.instance, clock.now()), clock.now())),
    ),
    ...everywhere(RENEW).map((endpoint) =>
      on(endpoint, ({ params, query }) => {
        const dirtyAt = /^\d{1,15}$/.test(query.lastDirtyTimestamp ?? "") ? Number(query.lastDirtyTimestamp) : null;
        return empty(registry.renew(params.app, params.id, clock.now(), dirtyAt) === "renewed" ? 200 : 404);
      }),
    ),
    ...everywhere(CANCEL).map((endpoint) =>
      on(endpoint, ({ params }) => empty(registry.cancel(params.app, params.id, clock.now()) === "cancelled" ? 200 : 404)),
    ),
    ...everywhere(ALL_APPLICATIONS).map((endpoint) =>
      on(endpoint, () => ({ status: 200, body: applicationsText(registry.applications(clock.now())) })),
    ),
    ...everywhere(ONE_APPLICATION).map((endpoint) =>
      on(endpoint, ({ params }) => {
        const application = registry.application(params.app, clock.now());
        return application ? json(applicationJson(application)) : problem(404, "no instance of that application is registered");
      }),
    ),
    ...everywhere(ONE_INSTANCE).map((endpoint) =>
      on(endpoint, ({ params }) => instanceReply(registry.find(params.app, params.id, clock.now()))),
    ),
    ...everywhere(ANY_INSTANCE).map((endpoint) =>
      on(endpoint, ({ params }) => instanceReply(registry.findAnywhere(params.id, clock.now()))),
    ),
  ];
}

function register(registry: ServiceRegistry, app: string, instance: Instance, now: UnixMs): HttpReply {
  if (instance.app !== applicationName(app)) {
    return problem(400, "the path and the body name different applications", {
      errors: [{ pointer: "#/instance/app", detail: "must be the application of the path" }],
    });
  }
  if (registry.register(instance, now) === "registered") return empty(204);
  return problem(503, "the registry is full; cancel instances that are gone, or try again when their leases have ended", {
    headers: { "retry-after": "30" },
  });
}

const instanceReply = (lease: Lease | null): HttpReply =>
  lease ? json(instanceJson(lease)) : problem(404, "no such instance is registered");
