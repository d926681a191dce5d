/**
 * Another registry, to which this one tells what its own clients do.
 *
 * - *reachable*: what is pending is sent in batches, one under way at a time. Entered when a message is answered, and at first.
 * - *failing*: the last message was not answered. It is sent again, with what has come since, after a wait that doubles up to its bound.
 * - *gone*: so many messages in a row were not answered that what was pending is forgotten. Each further try begins to tell everything that is
 *   known; when one is answered, the peer is reachable and the rest follows.
 */
import type { Clock, DurationMs } from "../../core/time.ts";
import {
  PEER_ANSWER_BYTES_MAX,
  PEER_BATCH_BYTES_MAX,
  PEER_BATCH_OPERATIONS_MAX,
  PEER_RETRY_MS_MAX,
  PEER_RETRY_MS_MIN,
  PEER_TIMEOUT_MS,
  PEER_TRIES_MAX,
} from "../../limits/registry.ts";
import type { ReplicationOperation } from "./api.ts";
import { ListingReader } from "./listing.ts";
import { PendingChanges } from "./pending-changes.ts";
import { operationsOf, type Pending, REPLICATION_HEADER } from "./replication.ts";
import type { RegistryChange, ServiceRegistry } from "./service.ts";

export interface PeerRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly timeoutMs: DurationMs;
  readonly answerBytesMax: number;
}
export type PeerAnswer =
  | { readonly status: number; readonly text: string; readonly headers: { get(name: string): string | null } }
  | { readonly error: string };
/** One request to a peer. Never rejects. Given by the edge. */
export type AskPeer = (request: PeerRequest) => Promise<PeerAnswer>;

export interface PeerParts {
  readonly registry: ServiceRegistry;
  readonly clock: Clock;
  readonly ask: AskPeer;
  /** Hears in one line that the peer is gone, and that it is back. */
  readonly report: (line: string) => void;
}

export interface PeerView {
  readonly url: string;
  readonly isReachable: boolean;
  /** Instances of which it has yet to hear; `null`: all. */
  readonly pending: number | null;
}

const HEADERS = { accept: "application/json", [REPLICATION_HEADER]: "true" } as const;

export class Peer {
  readonly #url: string;
  readonly #parts: PeerParts;
  readonly #pending = new PendingChanges();
  readonly #reader = new ListingReader();
  #sending: Promise<void> | null = null;
  #failures = 0;
  #mustHearAll = false;
  #nextTryAtMs = 0;

  /** @param url the root of the other registry's protocol, for instance `http://registry-2:8761/eureka` */
  constructor(url: string, parts: PeerParts) {
    this.#url = url;
    this.#parts = parts;
  }

  view(): PeerView {
    return { url: this.#url, isReachable: this.#failures === 0, pending: this.#mustHearAll ? null : this.#pending.count };
  }

  note(change: RegistryChange): void {
    // Who must hear everything hears this as well.
    if (this.#mustHearAll) return;
    if (!this.#pending.note(change)) this.#forget();
  }

  /** Sends what is pending, unless a message is under way or the wait before the next try is not over. */
  tick(): void {
    if (this.#sending !== null || this.#nowMs() < this.#nextTryAtMs) return;
    if (this.#mustHearAll) this.#noteAll();
    if (this.#pending.count === 0) return;
    this.#sending = this.#send().finally(() => {
      this.#sending = null;
    });
  }

  /** Sends what is pending, once; for whoever stops. */
  async flush(): Promise<void> {
    await this.#sending;
    if (this.#failures === 0 && this.#pending.count > 0) await this.#send();
  }

  /** Takes over what the peer knows; how much, or `null` when it does not answer. */
  async fetchAll(): Promise<number | null> {
    const url = `${this.#url}/apps`;
    const request = { method: "GET", url, headers: HEADERS, body: null, timeoutMs: PEER_TIMEOUT_MS } as const;
    const answer = await this.#parts.ask({ ...request, answerBytesMax: PEER_ANSWER_BYTES_MAX });
    if ("error" in answer || answer.status !== 200) return null;
    const now = this.#parts.clock.now();
    const listed = this.#reader.read(answer.text, answer.headers.get("server-now"), now);
    if (listed === null) return null;
    // A lease goes on here where it stands there. One that has lapsed there is left to its own client.
    const current = listed.filter(({ isCurrent }) => isCurrent);
    for (const { instance, leaseAgeMs } of current) this.#parts.registry.register(instance, now, "peer", now - leaseAgeMs);
    return current.length;
  }

  async #send(): Promise<void> {
    const { operations, taken } = this.#nextBatch();
    if (operations.length === 0) return;
    const answer = await this.#parts.ask({
      ...{ method: "POST", url: `${this.#url}/peerreplication/batch/`, timeoutMs: PEER_TIMEOUT_MS, answerBytesMax: PEER_ANSWER_BYTES_MAX },
      ...{ headers: { ...HEADERS, "content-type": "application/json" }, body: JSON.stringify({ replicationList: operations }) },
    });
    const answers = "error" in answer || answer.status !== 200 ? null : answersIn(parsed(answer.text));
    if (answers === null) {
      this.#failed(taken, "error" in answer ? answer.error : `status ${answer.status}`);
      return;
    }
    this.#succeeded();
    for (const [index, operation] of operations.entries()) this.#read(operation, answers[index]);
  }

  /** As many operations as one message holds. */
  #nextBatch(): { readonly operations: readonly ReplicationOperation[]; readonly taken: readonly Pending[] } {
    const operations: ReplicationOperation[] = [];
    const taken: Pending[] = [];
    const now = this.#parts.clock.now();
    let bytes = 0;
    // Three operations at most come of one instance.
    while (operations.length <= PEER_BATCH_OPERATIONS_MAX - 3) {
      const [pending] = this.#pending.take(1);
      if (!pending) break;
      const more = operationsOf(pending, this.#parts.registry.find(pending.app, pending.instanceId), now);
      bytes += new TextEncoder().encode(JSON.stringify(more)).length;
      if (bytes > PEER_BATCH_BYTES_MAX - 1_024 && taken.length > 0) {
        this.#pending.putBack([pending]);
        break;
      }
      operations.push(...more);
      taken.push(pending);
    }
    return { operations, taken };
  }

  #read({ action, appName, id }: ReplicationOperation, answer: unknown): void {
    const { statusCode, responseEntity } = (answer ?? {}) as { readonly statusCode?: unknown; readonly responseEntity?: unknown };
    if (action === "Heartbeat" && statusCode === 404) this.note({ app: appName, instanceId: id, what: "registered" });
    // The peer knows a newer state of the instance than we do.
    const now = this.#parts.clock.now();
    const newer = action === "Heartbeat" ? this.#reader.instance(responseEntity, now) : null;
    if (newer && this.#parts.registry.find(newer.app, newer.instanceId)) this.#parts.registry.register(newer, now, "peer");
  }

  #succeeded(): void {
    if (this.#failures >= PEER_TRIES_MAX) this.#parts.report(`the registry ${this.#url} is back`);
    this.#failures = 0;
    this.#nextTryAtMs = 0;
  }

  #failed(taken: readonly Pending[], why: string): void {
    this.#failures += 1;
    this.#nextTryAtMs = this.#nowMs() + Math.min(PEER_RETRY_MS_MAX, PEER_RETRY_MS_MIN * 2 ** (this.#failures - 1));
    if (this.#failures === PEER_TRIES_MAX) this.#parts.report(`the registry ${this.#url} does not answer (${why}); it is tried again`);
    if (this.#failures >= PEER_TRIES_MAX || !this.#pending.putBack(taken)) this.#forget();
  }

  #forget(): void {
    this.#pending.clear();
    this.#mustHearAll = true;
  }

  #noteAll(): void {
    this.#mustHearAll = false;
    for (const { instance } of this.#parts.registry.leases()) {
      const { app, instanceId, override } = instance;
      this.note({ app, instanceId, what: "registered" });
      if (override !== null) this.note({ app, instanceId, what: "status-changed" });
    }
  }

  #nowMs(): number {
    return this.#parts.clock.monotonicUs() / 1_000;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function answersIn(value: unknown): readonly unknown[] | null {
  const { responseList } = (value ?? {}) as { readonly responseList?: unknown };
  return Array.isArray(responseList) ? responseList : null;
}
