/** Two or more registries for tests, joined by a net that can be cut; no sockets, and time is moved by hand. */
import { RequestHandler } from "../src/edge/request-handler.ts";
import { REGISTRY_TICK_MS } from "../src/limits/registry.ts";
import type { Instance } from "../src/services/service-registry/instance.ts";
import { lapsesAt, ourInstance } from "../src/services/service-registry/instance.ts";
import { RegistryNode } from "../src/services/service-registry/node.ts";
import type { AskPeer, PeerAnswer, PeerRequest } from "../src/services/service-registry/peer.ts";

export class RegistryNet {
  readonly reports: string[] = [];
  readonly requests: PeerRequest[] = [];
  now = 1_800_000_000_000;
  isCut = false;
  /** Whether answers get lost while requests arrive. */
  losesAnswers = false;
  readonly #nodes = new Map<string, RegistryNode>();
  readonly #handlers = new Map<string, RequestHandler>();
  readonly #underWay = new Set<Promise<PeerAnswer>>();

  /** Starts a registry that knows the other names as its peers; one of that name before is dead. */
  async start(name: string, peers: readonly string[]): Promise<RegistryNode> {
    const clock = { now: () => this.now, monotonicUs: () => this.now * 1_000 };
    const peerUrls = peers.map((peer) => `http://${peer}/eureka`);
    const node = new RegistryNode({ clock, peerUrls, ask: this.#ask, report: (line) => this.reports.push(`${name}: ${line}`) });
    await node.join();
    const settings = { routes: node.routes(), adminKey: null, onBug: fail, onReply: () => undefined };
    this.#handlers.set(name, new RequestHandler(settings, () => "127.0.0.1"));
    this.#nodes.set(name, node);
    return node;
  }

  kill(name: string): void {
    this.#handlers.delete(name);
    this.#nodes.delete(name);
  }

  /** Lets time pass, beat by beat, until everything that was sent is answered. */
  async pass(ms: number): Promise<void> {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += REGISTRY_TICK_MS;
      for (const node of this.#nodes.values()) node.tick();
      await this.settle();
    }
  }

  async settle(): Promise<void> {
    do {
      await Promise.all(this.#underWay);
      await new Promise((next) => setImmediate(next));
    } while (this.#underWay.size > 0);
  }

  readonly #ask: AskPeer = (request) => {
    const answer = this.#answer(request).finally(() => this.#underWay.delete(answer));
    this.#underWay.add(answer);
    return answer;
  };

  async #answer(request: PeerRequest): Promise<PeerAnswer> {
    const { method, url, headers, body } = request;
    this.requests.push(request);
    const handler = this.#handlers.get(new URL(url).host);
    if (this.isCut || !handler) return { error: "no way there" };
    const length = body === null ? {} : { "content-length": String(new TextEncoder().encode(body).length) };
    const response = await handler.answerByPath(new Request(url, { method, headers: { ...headers, ...length }, body }));
    const text = await response.text();
    return this.losesAnswers ? { error: "the answer got lost" } : { status: response.status, text, headers: response.headers };
  }
}

function fail(error: unknown): never {
  throw error;
}

/** A client with the leases of our own services. */
export const clientOf = (id: string, now: number, extra: Partial<Instance> = {}): Instance => ({
  ...ourInstance({ app: "shop", host: "h", port: 1, now, leaseSeconds: 3 }),
  ...{ instanceId: id, renewalSeconds: 1, ...extra },
});

/** Who is there: ids of leases that have not lapsed, with their status. */
export const presentIn = ({ registry }: RegistryNode, now: number): string[] =>
  registry
    .leases()
    .filter((lease) => lapsesAt(lease) > now)
    .map(({ instance }) => `${instance.instanceId} ${instance.status}`)
    .toSorted();
