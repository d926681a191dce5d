/** One service in a process of its own, beside as many others of its kind as somebody starts. */
import type { Route } from "../core/endpoint.ts";
import { Failure } from "../core/failure.ts";
import type { DurationMs } from "../core/time.ts";
import type { ServiceMetrics } from "../edge/metrics.ts";
import { callRegistry } from "../edge/registry-call.ts";
import { type Sweep, Sweeper } from "../edge/sweeper.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import type { ViewerDoor } from "../edge/viewer-sockets.ts";
import { SHUTDOWN_MS_MAX } from "../limits.ts";
import { RegistryClient } from "../services/service-registry/client.ts";
import type { Settings } from "../settings/table.ts";
import { Announcement } from "./announcement.ts";
import { drained, OpenPorts } from "./open-ports.ts";
import type { Place } from "./place.ts";
import type { PortName } from "./ports.ts";
import { type Process, reportBug } from "./process.ts";

export interface Chore {
  readonly everyMs: DurationMs;
  readonly sweep: Sweep;
}

/** What makes a process the service that it is. */
export interface ServicePart {
  readonly name: PortName;
  readonly routes: readonly Route[];
  /** Where pages come in that look on. */
  readonly viewers?: ViewerDoor;
  /** What it does besides answering, again and again. */
  readonly chores: readonly Chore[];
  /** Whether it can do its work at this moment. */
  readonly isUp: () => boolean;
  /** What operators see of it besides, in `/health`. */
  readonly inHealth: () => object;
  readonly describe: (metrics: ServiceMetrics) => void;
  /** Before the ports close: ends what would keep them open. */
  readonly beginToClose: () => void;
  readonly close: () => Promise<void>;
}

export async function runService(settings: Settings, place: Place, part: ServicePart): Promise<Process> {
  const clock = systemClock;
  let closing: Promise<void> | null = null;
  const isUp = (): boolean => closing === null && part.isUp();
  const ports = new OpenPorts({ settings, place, clock, isUp, inHealth: part.inHealth, onBug: reportBug });
  part.describe(ports.metrics[part.name]);
  const { registries } = settings.topology;
  // A registry is found by its address alone.
  const isAnnounced = registries.length > 0 && part.name !== "ServiceRegistry";
  const registry = new RegistryClient(registries, callRegistry, settings.adminKey);
  const announcement = isAnnounced ? new Announcement(place, registry, clock, isUp) : null;
  const stopSweeping = begun(part.chores);
  const stopped = Promise.withResolvers<{ exitCode: number; message: string | null }>();
  const close = async (): Promise<void> => {
    await announcement?.end();
    await drained(settings.topology.drainForMs);
    stopSweeping();
    timers.after(SHUTDOWN_MS_MAX, () => ports.abort());
    part.beginToClose();
    await ports.close();
    await part.close();
    stopped.resolve({ exitCode: 0, message: null });
  };
  try {
    ports.open(part.name, part.routes, part.viewers);
  } catch (error) {
    stopSweeping();
    await part.close();
    throw error;
  }
  await announcement?.begin([part.name]);
  return {
    addresses: [{ service: part.name, url: place.urlOf(part.name) }],
    demoSale: null,
    close: () => {
      closing ??= close();
      return closing;
    },
    stopped: stopped.promise,
  };
}

/** Does chores from now on, again and again, until what it returns is called. */
export function begun(chores: readonly Chore[]): () => void {
  const sweepers = chores.map(({ everyMs, sweep }) => new Sweeper([unlessAway(sweep)], systemClock, everyMs, reportBug));
  return () => {
    for (const sweeper of sweepers) sweeper.stop();
  };
}

/** A store that others use too comes back: what could not be done now is done at a later tick. */
const unlessAway =
  (sweep: Sweep): Sweep =>
  async (now) => {
    try {
      return await sweep(now);
    } catch (error) {
      if (error instanceof Failure) return false;
      throw error;
    }
  };
