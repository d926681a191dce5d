/** What a stampede needs of the world around it. Given by the command line; `src/edge/http-load-client.ts` has the client. */
import type { Clock, DurationMs } from "../core/time.ts";
import type { Target } from "./options.ts";

export type Exchange =
  | { readonly kind: "reply"; readonly status: number; readonly body: string }
  /** The connection ended before a whole reply: the outcome is unknown. */
  | { readonly kind: "cut" }
  /** No connection could be made: nothing was sent. */
  | { readonly kind: "unreachable" };

export type OnEnd = (exchange: Exchange) => void;

/** `waiting`: every connection is busy, it goes when one is free. `full`: too many wait already, nothing was taken and `onEnd` is never called. */
export type Sent = "sent" | "waiting" | "full";

export interface LoadClient {
  send(request: string, onEnd: OnEnd): Sent;
  /** Sends and hangs up without waiting for the reply. */
  sendAndCut(request: string, onEnd: OnEnd): Sent;
  ask(request: string): Promise<Exchange>;
  close(): void;
}

export interface LoadClientSize {
  readonly connections: number;
  readonly waitingMax: number;
  readonly replySecondsMax: number;
}

export interface Timers {
  after(delay: DurationMs, run: () => void): void;
  /** Answers with what stops it. */
  every(period: DurationMs, run: () => void): () => void;
}

export interface StampedeIo {
  readonly write: (text: string) => void;
  /** One line about why it could not be done. */
  readonly complain: (line: string) => void;
  readonly isTerminal: boolean;
  /** The terminal's width. */
  readonly columns: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Rejects when the target cannot be reached. */
  readonly openClient: (target: Target, size: LoadClientSize) => Promise<LoadClient>;
}
