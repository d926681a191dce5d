/** Where this process is: the ports that it listens on, and how others reach it. */
import { hostname } from "node:os";
import { instanceIdOf } from "../services/service-registry/instance.ts";
import { hostListenedOn, type Settings } from "../settings/table.ts";
import { PORTS, type PortName } from "./ports.ts";

/** Under which name others reach a host that is listened on: a wildcard stands for all addresses of this machine and is none itself. */
const reachableHost = (listened: string): string => (listened === "0.0.0.0" || listened === "::" ? hostname() : listened);

/** The address of this machine that a wildcard includes. */
const LOOPBACK_OF: ReadonlyMap<string, string> = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);
const urlAt = (host: string, port: number): string => `http://${host.includes(":") ? `[${host}]` : host}:${port}`;

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
    return urlAt(this.reachableHost, this.portOf(name));
  }

  /** Where this process reaches itself. */
  ownUrlOf(name: PortName): string {
    return urlAt(LOOPBACK_OF.get(this.host) ?? this.host, this.portOf(name));
  }

  instanceIdOf(name: PortName): string {
    return instanceIdOf(this.reachableHost, name, this.ownPortOf(name));
  }
}
