/** The ports of this process: each with a service's routes, its health, its metrics and the description of all that. */
import packageJson from "../../package.json" with { type: "json" };
import type { Route } from "../core/endpoint.ts";
import type { Clock, DurationMs } from "../core/time.ts";
import { HttpServer, type HttpServerSettings } from "../edge/http-server.ts";
import { ServiceMetrics } from "../edge/metrics.ts";
import { timers } from "../edge/timers.ts";
import type { ViewerDoor } from "../edge/viewer-sockets.ts";
import { type Health, healthRoutes } from "../services/health.ts";
import type { Settings } from "../settings/table.ts";
import { describedRoutes } from "./description.ts";
import type { Place } from "./place.ts";
import { PORTS, type PortName } from "./ports.ts";

export interface OpenPortsParts {
  readonly settings: Settings;
  readonly place: Place;
  readonly clock: Clock;
  /** Whether this process does its work. */
  readonly isUp: () => boolean;
  /** What operators see besides, in `/health`. */
  readonly inHealth?: () => object;
  readonly onBug: (error: unknown) => void;
}

/** Whoever stands in front of this process, and asks for its health, sends nobody here any more when this is over. Meanwhile all are answered. */
export const drained = (drainForMs: DurationMs): Promise<void> =>
  drainForMs === 0 ? Promise.resolve() : new Promise((resolve) => timers.after(drainForMs, resolve));

export class OpenPorts {
  /** Of every service, also of those that are not in this process. */
  readonly metrics: Readonly<Record<PortName, ServiceMetrics>>;
  readonly #parts: OpenPortsParts;
  readonly #startedUs: number;
  readonly #servers: HttpServer[] = [];

  constructor(parts: OpenPortsParts) {
    this.#parts = parts;
    this.#startedUs = parts.clock.monotonicUs();
    const names = Object.keys(PORTS) as PortName[];
    this.metrics = Object.fromEntries(names.map((name) => [name, new ServiceMetrics(name)])) as Record<PortName, ServiceMetrics>;
    for (const name of names) this.metrics[name].describeBuild(parts.place.instanceIdOf(name), packageJson.version);
  }

  /** Opens a service's port. Throws, with one line for the operator, when it cannot be had. */
  open(name: PortName, routes: readonly Route[], viewers?: ViewerDoor, onAnswered?: HttpServerSettings["onAnswered"]): HttpServer {
    const { place, settings } = this.#parts;
    const { metricsPort } = settings.topology;
    const isPortShared = name === "GateKeeper" && metricsPort !== null;
    const all = [...routes, ...this.#healthRoutes(name, name === "GateKeeper")];
    const server = this.#listen(name, { port: place.portOf(name), routes: all, isPortShared, onAnswered, ...(viewers && { viewers }) });
    if (isPortShared) this.#listen(name, { port: metricsPort, routes: this.#healthRoutes(name, false) });
    return server;
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  /** Closes at once, whatever is in flight. */
  abort(): void {
    for (const server of this.#servers) server.abort();
  }

  #listen(
    name: PortName,
    { routes, ...listener }: Pick<HttpServerSettings, "port" | "routes" | "isPortShared" | "viewers" | "onAnswered">,
  ): HttpServer {
    const { settings, place, onBug } = this.#parts;
    const metrics = this.metrics[name];
    try {
      const server = new HttpServer({
        host: place.host,
        ...listener,
        routes: describedRoutes(name, routes),
        adminKey: settings.adminKey,
        onBug,
        onReply: (status) => metrics.countReply(status),
      });
      this.#servers.push(server);
      return server;
    } catch (error) {
      throw new Error(
        `${name} cannot listen on port ${listener.port} (${error instanceof Error ? error.message : String(error)}); free it, or give --port-offset`,
      );
    }
  }

  #healthRoutes(name: PortName, isPublic: boolean): Route[] {
    return healthRoutes(
      () => this.#health(name, isPublic),
      () => this.metrics[name].text(),
    );
  }

  #health(name: PortName, isPublic: boolean): Health {
    const { place, clock, isUp, inHealth } = this.#parts;
    const uptimeSeconds = Math.floor((clock.monotonicUs() - this.#startedUs) / 1_000_000);
    const details = isPublic ? {} : { instance: place.instanceIdOf(name), pid: process.pid, uptimeSeconds, ...inHealth?.() };
    return { isUp: isUp(), details };
  }
}
