/**
 * An HTTP/1.1 client for load: many keep-alive connections to one target, one request at a time on each, requests and replies as plain text.
 * It is cheap on purpose, so that a crowd and the shop can share a machine and the shop gets most of it. Requests that find no free connection
 * wait in a bounded queue; a full queue is told to the caller, who must not pretend that the crowd was served.
 */
import type { Socket, SocketHandler } from "bun";
import { HttpReplyParser } from "./http-reply-parser.ts";

export interface LoadTarget {
  readonly host: string;
  readonly port: number;
}

export interface LoadClientSize {
  readonly connections: number;
  /** Requests that may wait for a free connection. */
  readonly waitingMax: number;
  /** After this long without a whole reply the connection is cut. Whole seconds, at least one. */
  readonly replySecondsMax: number;
}

export type LoadExchange =
  | { readonly kind: "reply"; readonly status: number; readonly body: string; readonly head: string }
  /** The connection ended, or was cut, before a whole reply: the outcome is unknown. */
  | { readonly kind: "cut" }
  /** No connection could be made: nothing was sent. */
  | { readonly kind: "unreachable" };

export type OnExchangeEnd = (exchange: LoadExchange) => void;
export type Sent = "sent" | "waiting" | "full";

/** One request as text. A `body` is sent as JSON. @param path percent-encoded where it must be */
export function requestText(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): string {
  const content = body === undefined ? "" : JSON.stringify(body);
  const own = content === "" ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(content)) };
  const lines = Object.entries({ host: "doorbuster", ...own, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${content}`;
}

/** `http://host:port`, as a target. */
export function targetOf(url: string): LoadTarget {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port || 80) };
}

interface Exchange {
  readonly request: string;
  readonly onEnd: OnExchangeEnd;
  readonly cutsAfterSending: boolean;
}

/** One keep-alive connection. It is *idle* (in the ring, its socket open or not) or *busy* (with an exchange, perhaps still connecting). */
interface Connection {
  socket: Socket<Connection> | null;
  exchange: Exchange | null;
  busySinceSecond: number;
  unsent: Uint8Array | null;
  readonly parser: HttpReplyParser;
}

const CUT: LoadExchange = { kind: "cut" };
const UNREACHABLE: LoadExchange = { kind: "unreachable" };

export class HttpLoadClient {
  readonly #idle: Ring<Connection>;
  readonly #waiting: Ring<Exchange>;
  readonly #connections: readonly Connection[];
  readonly #secondsTimer: ReturnType<typeof setInterval>;
  #second = 0;
  #isClosed = false;

  /** Opens every connection. Rejects when the first one cannot be made. */
  static async open(target: LoadTarget, size: LoadClientSize): Promise<HttpLoadClient> {
    const client = new HttpLoadClient(target, size);
    try {
      await Promise.all(client.#connections.map((connection) => client.#connect(connection)));
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  private constructor(
    readonly target: LoadTarget,
    readonly size: LoadClientSize,
  ) {
    this.#connections = Array.from({ length: size.connections }, () => ({
      socket: null,
      exchange: null,
      busySinceSecond: 0,
      unsent: null,
      parser: new HttpReplyParser(),
    }));
    this.#idle = new Ring(size.connections);
    this.#waiting = new Ring(size.waitingMax);
    for (const connection of this.#connections) this.#idle.push(connection);
    this.#secondsTimer = setInterval(() => this.#cutOverdue(), 1_000);
    this.#secondsTimer.unref();
  }

  /** Sends now, or when a connection is free. `onEnd` is called exactly once, unless the answer is `full`: then nothing was taken. */
  send(request: string, onEnd: OnExchangeEnd): Sent {
    return this.#take({ request, onEnd, cutsAfterSending: false });
  }

  /** Sends and hangs up at once, as a browser does that is closed: `onEnd` gets `cut`. */
  sendAndCut(request: string, onEnd: OnExchangeEnd): Sent {
    return this.#take({ request, onEnd, cutsAfterSending: true });
  }

  /** One request for callers that are in no hurry. A full queue is `unreachable`. */
  ask(request: string): Promise<LoadExchange> {
    return new Promise((resolve) => {
      if (this.send(request, resolve) === "full") resolve(UNREACHABLE);
    });
  }

  /** Cuts every connection; exchanges under way end as `cut`, waiting ones as `unreachable`. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#secondsTimer);
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) next.onEnd(UNREACHABLE);
    for (const connection of this.#connections) this.#hangUp(connection, true);
  }

  #take(exchange: Exchange): Sent {
    const connection = this.#isClosed ? undefined : this.#idle.shift();
    if (connection) {
      this.#start(connection, exchange);
      return "sent";
    }
    return !this.#isClosed && this.#waiting.push(exchange) ? "waiting" : "full";
  }

  #start(connection: Connection, exchange: Exchange): void {
    connection.exchange = exchange;
    connection.busySinceSecond = this.#second;
    if (connection.socket) this.#write(connection, connection.socket, exchange);
    else this.#connect(connection).catch(() => this.#finish(connection, UNREACHABLE));
  }

  async #connect(connection: Connection): Promise<void> {
    await Bun.connect({ hostname: this.target.host, port: this.target.port, data: connection, socket: this.#handlers });
  }

  #write(connection: Connection, socket: Socket<Connection>, exchange: Exchange): void {
    const bytes = Buffer.byteLength(exchange.request);
    const written = socket.write(exchange.request);
    if (written >= 0 && written < bytes) connection.unsent = Buffer.from(exchange.request).subarray(written);
    if (written < 0 || exchange.cutsAfterSending) this.#hangUp(connection, written < 0);
  }

  /** @param atOnce also drops what is still on its way; otherwise what was written arrives before the end does */
  #hangUp(connection: Connection, atOnce: boolean): void {
    const socket = connection.socket;
    // Forgotten first: what this socket still says concerns nobody.
    connection.socket = null;
    if (atOnce) socket?.terminate();
    else socket?.end();
    this.#finish(connection, CUT);
  }

  #finish(connection: Connection, result: LoadExchange): void {
    const exchange = connection.exchange;
    connection.exchange = null;
    connection.unsent = null;
    connection.parser.reset();
    if (!exchange) return;
    const next = this.#waiting.shift();
    if (next) this.#start(connection, next);
    else this.#idle.push(connection);
    exchange.onEnd(result);
  }

  #cutOverdue(): void {
    this.#second += 1;
    for (const connection of this.#connections) {
      // One that is still connecting is left to the operating system, which gives up by itself.
      const isOverdue = connection.exchange && connection.socket && this.#second - connection.busySinceSecond > this.size.replySecondsMax;
      if (isOverdue) this.#hangUp(connection, true);
    }
  }

  readonly #handlers: SocketHandler<Connection> = {
    open: (socket) => {
      const connection = socket.data;
      if (this.#isClosed) return void socket.terminate();
      connection.socket = socket;
      socket.setNoDelay(true);
      if (connection.exchange) this.#write(connection, socket, connection.exchange);
    },
    data: (socket, piece) => {
      const connection = socket.data;
      if (connection.socket !== socket || !connection.exchange) return;
      const parsed = connection.parser.push(piece);
      if (parsed === "incomplete") return;
      if (parsed === "broken") return this.#hangUp(connection, true);
      if (!parsed.keepsAlive) {
        connection.socket = null;
        socket.end();
      }
      this.#finish(connection, { kind: "reply", status: parsed.status, body: parsed.body, head: parsed.head });
    },
    drain: (socket) => {
      const connection = socket.data;
      if (connection.socket !== socket || !connection.unsent) return;
      const written = socket.write(connection.unsent);
      if (written < 0) return this.#hangUp(connection, true);
      connection.unsent = written < connection.unsent.length ? connection.unsent.subarray(written) : null;
    },
    close: (socket) => {
      const connection = socket.data;
      if (connection.socket !== socket) return;
      connection.socket = null;
      const parsed = connection.parser.end();
      this.#finish(
        connection,
        typeof parsed === "string" ? CUT : { kind: "reply", status: parsed.status, body: parsed.body, head: parsed.head },
      );
    },
    error: (socket) => {
      if (socket.data.socket === socket) this.#hangUp(socket.data, true);
    },
  };
}

export interface ClosedLoop {
  readonly target: LoadTarget;
  readonly connections: number;
  /** How many requests in all. */
  readonly requests: number;
  readonly requestAt: (index: number) => string;
  readonly onEnd?: (index: number, exchange: LoadExchange) => void;
}

export interface ClosedLoopResult {
  readonly elapsedMs: number;
  /** Replies by status; exchanges without a reply count as 0. */
  readonly byStatus: ReadonlyMap<number, number>;
}

/** As fast as the target goes: every connection sends its next request when it has the reply to the last. For benchmarks of the target's
 *  cost per request; for latencies under a crowd use open-loop arrivals instead. */
export async function runClosedLoop(loop: ClosedLoop): Promise<ClosedLoopResult> {
  const client = await HttpLoadClient.open(loop.target, {
    connections: loop.connections,
    waitingMax: loop.connections,
    replySecondsMax: 30,
  });
  const byStatus = new Map<number, number>();
  const startedMs = performance.now();
  await new Promise<void>((resolve) => {
    let next = 0;
    let ended = 0;
    const sendNext = (): void => {
      if (next >= loop.requests) return;
      const index = next;
      next += 1;
      client.send(loop.requestAt(index), (exchange) => {
        const status = exchange.kind === "reply" ? exchange.status : 0;
        byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
        loop.onEnd?.(index, exchange);
        ended += 1;
        if (ended === loop.requests) resolve();
        else sendNext();
      });
    };
    if (loop.requests === 0) resolve();
    for (let i = 0; i < loop.connections; i += 1) sendNext();
  });
  const elapsedMs = performance.now() - startedMs;
  client.close();
  return { elapsedMs, byStatus };
}

/** First in, first out, with a fixed number of places: connections take turns, and what waits is bounded. */
class Ring<T> {
  readonly #places: (T | undefined)[] = [];
  #first = 0;
  #length = 0;

  constructor(readonly lengthMax: number) {}

  /** False when every place is taken. */
  push(item: T): boolean {
    if (this.#length === this.lengthMax) return false;
    this.#places[(this.#first + this.#length) % this.lengthMax] = item;
    this.#length += 1;
    return true;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#places[this.#first];
    this.#places[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.lengthMax;
    this.#length -= 1;
    return item;
  }
}
