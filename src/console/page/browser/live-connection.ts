/**
 * The live figures: one connection for the whole console, opened again with jitter when it is lost, so that the consoles of a whole room do not come back
 * at the same moment. It keeps the last message and the points of the last minutes, for pages that are opened later.
 */
import type { LiveMessage, TrafficPoint } from "../answers.ts";
import { ask } from "./ask.ts";

export interface LiveState {
  /** `null`: nothing has come yet. */
  readonly message: LiveMessage | null;
  /** By this browser's clock. */
  readonly receivedAt: number;
  readonly isConnected: boolean;
  /** The traffic of the last minutes, from the oldest point to the newest; `null`: there is none to be had. */
  readonly points: readonly TrafficPoint[] | null;
}

/** What went before, told once for each connection. */
interface History {
  readonly history: readonly TrafficPoint[] | null;
}

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 10_000;
const POINTS_KEPT_MS = 900_000;
const THERE_MS_MIN = 30_000;
const SIGNED_OUT = 4_401;

export class LiveConnection {
  #state: LiveState = { message: null, receivedAt: 0, isConnected: false, points: null };
  readonly #listeners = new Set<() => void>();
  readonly #onSignedOut: () => void;
  #socket: WebSocket | null = null;
  #retryMs = RETRY_MS_MIN;
  #isStopped = false;
  #toldAt = 0;

  constructor(onSignedOut: () => void) {
    this.#onSignedOut = onSignedOut;
  }

  get state(): LiveState {
    return this.#state;
  }

  /** @returns stops listening */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  start(): void {
    this.#connect();
    for (const event of ["pointerdown", "keydown"]) addEventListener(event, this.#tellThere);
    addEventListener("online", this.#connectNow);
  }

  stop(): void {
    this.#isStopped = true;
    this.#socket?.close();
    for (const event of ["pointerdown", "keydown"]) removeEventListener(event, this.#tellThere);
    removeEventListener("online", this.#connectNow);
  }

  #connect(): void {
    const url = new URL("live", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.hash = "";
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      this.#retryMs = RETRY_MS_MIN;
      this.#take(JSON.parse(String(data)) as LiveMessage | History);
    };
    socket.onclose = ({ code }) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#change({ isConnected: false });
      if (this.#isStopped) return;
      if (code === SIGNED_OUT) this.#onSignedOut();
      else this.#connectLater();
    };
  }

  #connectLater(): void {
    const delay = this.#retryMs * (0.5 + Math.random());
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
    setTimeout(() => void this.#connectAgain(), delay);
  }

  /** A browser does not say why a connection was refused: whether somebody is signed in is asked for. */
  async #connectAgain(): Promise<void> {
    if (this.#isStopped || this.#socket !== null) return;
    const session = await ask<{ isKeyNeeded: boolean; operator: string | null }>("GET", "session");
    if (this.#isStopped || this.#socket !== null) return;
    if (session.kind !== "answered") this.#connectLater();
    else if (session.value.isKeyNeeded && session.value.operator === null) this.#onSignedOut();
    else this.#connect();
  }

  readonly #connectNow = (): void => {
    if (this.#socket === null && !this.#isStopped) void this.#connectAgain();
  };

  /** The session lives on while its operator does something, also when that asks for nothing. */
  readonly #tellThere = (): void => {
    const now = Date.now();
    if (now - this.#toldAt < THERE_MS_MIN || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#toldAt = now;
    this.#socket.send("here");
  };

  #take(message: LiveMessage | History): void {
    if ("history" in message) {
      if (message.history !== null) this.#change({ points: merged(message.history, this.#state.points ?? []) });
      return;
    }
    const points = message.points === null ? {} : { points: merged(this.#state.points ?? [], message.points) };
    this.#change({ message, receivedAt: Date.now(), isConnected: true, ...points });
  }

  #change(change: Partial<LiveState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** Each second once, in order, the last minutes of them. */
function merged(earlier: readonly TrafficPoint[], later: readonly TrafficPoint[]): readonly TrafficPoint[] {
  if (later.length === 0) return earlier;
  const byTime = new Map([...earlier, ...later].map((point) => [point.at, point]));
  const newest = Math.max(...byTime.keys());
  return [...byTime.values()].filter(({ at }) => at > newest - POINTS_KEPT_MS).toSorted((one, other) => one.at - other.at);
}
