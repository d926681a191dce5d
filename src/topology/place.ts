/** Where this process is: the ports that it listens on, and how others reach it. */
import { hostname } from "node:os";
import { instanceIdOf } from "../services/service-registry/instance.ts";
import { hostListenedOn, type Settings } from "../settings/table.ts";
import { PORTS, type PortName } from "./ports.ts";

/** Under which name others reach a host that is listened on: a wildcard stands for all addresses of this machine and is none itself. */
const reachableHost = (listened: string): string => (listened === "0.0.0.0" || listened === "::" ? hostname() : listened);

export class Place {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get host(): string {
    return hostListenedOn(this.#settings);
  }
  get reachableHost(): string {
    return this.#settings.topology.advertise ?? reachableHost(this.host);
  }

  portOf(name: PortName): number {
    return PORTS[name] + this.#settings.portOffset;
  }

  /** Where others find this process's own service of that name: of gates that share a port, each is found on its own. */
  ownPortOf(name: PortName): number {
    return (name === "GateKeeper" ? this.#settings.topology.metricsPort : null) ?? this.portOf(name);
  }

  urlOf(name: PortName): string {
    const host = this.reachableHost;
    return `http://${host.includes(":") ? `[${host}]` : host}:${this.portOf(name)}`;
  }

  instanceIdOf(name: PortName): string {
    return instanceIdOf(this.reachableHost, name, this.ownPortOf(name));
  }
}
