/**
 * A registry with all that makes it run: its peers, its page, what it does on its own. The parts that touch the world are given to it; whoever
 * runs it calls `join` once, `tick` every `REGISTRY_TICK_MS`, and `close` at the end.
 */
import type { Route } from "../../core/endpoint.ts";
import type { Clock } from "../../core/time.ts";
import { type AskPeer, Peer } from "./peer.ts";
import { pageRoute } from "./registry-page.ts";
import { routes } from "./routes.ts";
import { ServiceRegistry } from "./service.ts";

export interface RegistryParts {
  readonly clock: Clock;
  /** The roots of the other registries' protocol, for instance `http://registry-2:8761/eureka`. */
  readonly peerUrls: readonly string[];
  readonly ask: AskPeer;
  /** Hears, in one line each, what an operator should know. */
  readonly report: (line: string) => void;
}

export class RegistryNode {
  readonly registry = new ServiceRegistry();
  readonly #clock: Clock;
  readonly #peers: readonly Peer[];

  constructor({ clock, peerUrls, ask, report }: RegistryParts) {
    this.#clock = clock;
    this.#peers = peerUrls.map((url) => new Peer(url, { registry: this.registry, clock, ask, report }));
    this.registry.follow((change) => {
      for (const peer of this.#peers) peer.note(change);
    });
  }

  /** Takes over what the peers know, before the first request is answered. A peer that does not answer is waited for no longer than
   *  `PEER_TIMEOUT_MS`: it tells what it knows when it is there. */
  async join(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.fetchAll()));
  }

  routes(): Route[] {
    const view = () => ({
      leases: this.registry.leases(),
      preservation: this.registry.preservation(this.#clock.now()),
      peers: this.#views(),
    });
    return [...routes(this.registry, this.#clock), pageRoute(view, this.#clock)];
  }

  tick(): void {
    this.registry.evict(this.#clock.now());
    for (const peer of this.#peers) peer.tick();
  }

  /** Tells the peers what they have not heard yet; waits no longer than `PEER_TIMEOUT_MS` for each message. */
  async close(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.flush()));
  }

  #views() {
    return this.#peers.map((peer) => peer.view());
  }
}
