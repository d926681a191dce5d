/**
 * Tells the registry which services this process has, as long as it lives: registers them, renews their leases every second, registers again
 * when the registry does not know them any more, and cancels them when the process begins to stop.
 */
import type { Clock } from "../core/time.ts";
import { timers } from "../edge/timers.ts";
import { LEASE_DURATION_SECONDS, LEASE_RENEWAL_MS } from "../limits.ts";
import { type Instance, ourInstance } from "../services/service-registry/instance.ts";
import type { ServiceRegistry } from "../services/service-registry/service.ts";
import type { Place } from "./place.ts";
import type { PortName } from "./ports.ts";

/** The registry, in this process or in another. None of its calls rejects: a registry that cannot be reached is asked again at the next beat. */
export interface Registrar {
  register(instance: Instance): Promise<void>;
  /** Registers again when the registry has forgotten it. */
  renew(instance: Instance): Promise<void>;
  cancel(instance: Instance): Promise<void>;
}

export function registrarOf(registry: ServiceRegistry, clock: Clock): Registrar {
  const register = async (instance: Instance): Promise<void> => void registry.register(instance, clock.now());
  return {
    register,
    // A lease can lapse while the whole process is stopped, by a debugger for one.
    renew: async (instance) => {
      if (registry.renew(instance.app, instance.instanceId, clock.now()) === "unknown") await register(instance);
    },
    cancel: async (instance) => void registry.cancel(instance.app, instance.instanceId, clock.now()),
  };
}

export class Announcement {
  readonly #place: Place;
  readonly #registrar: Registrar;
  readonly #clock: Clock;
  readonly #isUp: () => boolean;
  #instances: readonly Instance[] = [];
  #renewing: Promise<void> = Promise.resolve();
  #renewalsUnderWay = 0;
  #stopRenewing = (): void => undefined;

  /** @param isUp whether this process does its work: while it does not, it is registered as DOWN, and nobody sends it anything */
  constructor(place: Place, registrar: Registrar, clock: Clock, isUp: () => boolean) {
    this.#isUp = isUp;
    this.#place = place;
    this.#registrar = registrar;
    this.#clock = clock;
  }

  async begin(names: readonly PortName[]): Promise<void> {
    const now = this.#clock.now();
    const host = this.#place.reachableHost;
    this.#instances = names.map((app) => {
      const [port, ownPort] = [this.#place.portOf(app), this.#place.ownPortOf(app)];
      return ourInstance({ app, host, port, ownPort, now, leaseSeconds: LEASE_DURATION_SECONDS });
    });
    await Promise.all(this.#instances.map((instance) => this.#registrar.register(instance)));
    this.#stopRenewing = timers.every(LEASE_RENEWAL_MS, () => this.#renew());
  }

  async #beat(): Promise<void> {
    const status = this.#isUp() ? "UP" : "DOWN";
    const hasChanged = this.#instances.some((instance) => instance.status !== status);
    // What has changed is registered anew: the later of two registrations counts.
    if (hasChanged) this.#instances = this.#instances.map((instance) => ({ ...instance, status, dirtyAt: this.#clock.now() }));
    const registrar = this.#registrar;
    await Promise.all(this.#instances.map((instance) => (hasChanged ? registrar.register(instance) : registrar.renew(instance))));
  }

  /** From now on nobody is sent here. */
  async end(): Promise<void> {
    this.#stopRenewing();
    const cancel = (): Promise<unknown> => Promise.all(this.#instances.map((instance) => this.#registrar.cancel(instance)));
    const isRenewing = this.#renewalsUnderWay > 0;
    await cancel();
    if (!isRenewing) return;
    // A renewal that was under way has perhaps found its lease cancelled, and has registered again.
    await this.#renewing;
    await cancel();
  }

  /** A registry that is slow is asked again meanwhile: the lease does not wait for it. */
  #renew(): void {
    this.#renewalsUnderWay += 1;
    const beat = this.#beat().finally(() => {
      this.#renewalsUnderWay -= 1;
    });
    this.#renewing = Promise.all([this.#renewing, beat]).then(() => undefined);
  }
}
