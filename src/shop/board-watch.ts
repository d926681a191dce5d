/**
 * Those who watch the board: each hears it whole at first, and then what changes, a few times a second and only when it does. The look is one
 * for all of them, at a snapshot that the public board serves anyway, and there is none while nobody watches.
 *
 * All WebSockets are told at once (`push`). A stream of server-sent events takes a message when it has sent the one before; one that was
 * slow meanwhile gets the whole board instead of all that it has missed, so that nothing waits for it.
 */
import type { Answer } from "../core/answer.ts";
import type { HttpReply } from "../core/endpoint.ts";
import { Failure } from "../core/failure.ts";
import type { Clock, MonotonicUs } from "../core/time.ts";
import { BOARD_PUSH_REST_US_PER_WATCHER, BOARD_STREAM_BEAT_LOOKS, BOARD_STREAMS_MAX, BOARD_WATCHERS_MAX } from "../limits/shop.ts";
import { type Board, type BoardMessage, changesOf, wholeBoard } from "./board-changes.ts";

export interface BoardWatchParts {
  /** The public board, as `GET /sales` answers it. */
  readonly board: { all(ifNoneMatch: string | null): Answer<HttpReply> };
  /** Sends a text to all WebSockets. */
  readonly push: (text: string) => void;
  readonly clock: Pick<Clock, "monotonicUs">;
  readonly onBug: (error: unknown) => void;
}

/** One WebSocket, as the edge has it. */
export interface WatcherLine {
  send(text: string): void;
  close(code: number, reason: string): void;
}
export interface Watcher {
  opened(line: WatcherLine): void;
  heard(): void;
  /** @param code `null`: it ended without a goodbye */
  closed(code: number | null): void;
}

/** A close code (RFC 6455, the registry of IANA). */
const TRY_AGAIN_LATER = 1013;

/** A client waits so long before it comes again. */
const STREAM_GREETING = "retry: 2000\n\n";
const BEAT = ": still here\n\n";

export class BoardWatch {
  readonly #parts: BoardWatchParts;
  #last: { readonly tag: string | null; readonly board: Board } | null = null;
  #isLooking = false;
  #isClosed = false;
  #streams = 0;
  #sockets = 0;
  #lost = 0;
  #looks = 0;
  #restsUntilUs: MonotonicUs = Number.NEGATIVE_INFINITY;
  /** What the streams that wait are told next. Each look makes a new one. */
  #next = Promise.withResolvers<string>();
  /** What they were told last. */
  #previous: PromiseWithResolvers<string> | null = null;

  /** One for all: nothing is known of one that is not known of the others, and a crowd that only looks on costs memory for each thing of its own. */
  readonly #watcher: Watcher = {
    opened: (line) => void this.#greet(line),
    heard: () => undefined,
    closed: (code) => {
      this.#sockets -= 1;
      if (code === null) this.#lost += 1;
    },
  };

  constructor(parts: BoardWatchParts) {
    this.#parts = parts;
  }

  get sockets(): number {
    return this.#sockets;
  }
  /** WebSockets that ended without a goodbye: cut off because they did not read, or gone from the network. */
  get lost(): number {
    return this.#lost;
  }
  get streams(): number {
    return this.#streams;
  }

  get hasRoomForStream(): boolean {
    return this.#streams < BOARD_STREAMS_MAX && !this.#isClosed;
  }

  /** Who comes in over a WebSocket; `null` when there is no room. */
  admit(): Watcher | null {
    if (this.#sockets >= BOARD_WATCHERS_MAX || this.#isClosed) return null;
    this.#sockets += 1;
    return this.#watcher;
  }

  /** What somebody hears who begins to watch. Fails when the board cannot be had now. */
  async greeting(): Promise<string> {
    return JSON.stringify(wholeBoard(boardIn(await this.#parts.board.all(null))));
  }

  /** To be called every `BOARD_LOOK_MS`. One look at a time: a slow board is not asked again meanwhile.
   *  After a push to many there is a rest, in which changes gather. */
  async look(): Promise<void> {
    this.#looks += 1;
    const isBeat = this.#looks % BOARD_STREAM_BEAT_LOOKS === 0;
    const watchers = this.#sockets + this.#streams;
    const nowUs = this.#parts.clock.monotonicUs();
    if (this.#isLooking || watchers === 0 || nowUs < this.#restsUntilUs) return;
    this.#isLooking = true;
    try {
      const message = await this.#news();
      if (message !== null) {
        this.#tell(JSON.stringify(message));
        this.#restsUntilUs = nowUs + watchers * BOARD_PUSH_REST_US_PER_WATCHER;
      } else if (isBeat) this.#tellStreams(BEAT);
    } catch (error) {
      // The board cannot be had now. What has changed meanwhile is told at a later look.
      if (!(error instanceof Failure)) throw error;
      if (isBeat) this.#tellStreams(BEAT);
    } finally {
      this.#isLooking = false;
    }
  }

  /** Ends all streams. Before the server closes, which waits for what is in flight. */
  close(): void {
    this.#isClosed = true;
    this.#tellStreams("");
  }

  /** Counts as open from when its first piece is taken. Ends at once when there is no room. */
  async *stream(): AsyncGenerator<string> {
    if (!this.hasRoomForStream) return;
    this.#streams += 1;
    try {
      // Taken before the look at the board: what comes after it is not missed.
      let next = this.#next;
      yield `${STREAM_GREETING}data: ${await this.greeting()}\n\n`;
      while (!this.#isClosed) {
        const text = await next.promise;
        if (this.#isClosed) return;
        const isLate = next !== this.#previous;
        next = this.#next;
        yield isLate ? `data: ${await this.greeting()}\n\n` : text;
      }
    } finally {
      this.#streams -= 1;
    }
  }
  async #greet(line: WatcherLine): Promise<void> {
    try {
      line.send(await this.greeting());
    } catch (error) {
      line.close(TRY_AGAIN_LATER, "the board cannot be had now");
      if (!(error instanceof Failure)) this.#parts.onBug(error);
    }
  }

  async #news(): Promise<BoardMessage | null> {
    const last = this.#last;
    const reply = await this.#parts.board.all(last?.tag ?? null);
    if (reply.status === 304) return null;
    const board = boardIn(reply);
    this.#last = { tag: reply.headers?.["etag"] ?? null, board };
    return last === null ? wholeBoard(board) : changesOf(last.board, board);
  }

  #tell(text: string): void {
    this.#parts.push(text);
    this.#tellStreams(`data: ${text}\n\n`);
  }

  #tellStreams(piece: string): void {
    this.#previous = this.#next;
    this.#next = Promise.withResolvers<string>();
    this.#previous.resolve(piece);
  }
}

function boardIn({ status, body }: HttpReply): Board {
  if (status !== 200 || typeof body !== "string") throw new Failure("unreachable", `the board answered ${status}`, true);
  return JSON.parse(body) as Board;
}
