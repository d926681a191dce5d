import { describe, expect, test } from "bun:test";
import type { HttpReply } from "../core/endpoint.ts";
import { Failure } from "../core/failure.ts";
import { BOARD_PUSH_REST_US_PER_WATCHER, BOARD_STREAM_BEAT_LOOKS, BOARD_STREAMS_MAX, BOARD_WATCHERS_MAX } from "../limits/shop.ts";
import { BoardWatch } from "./board-watch.ts";

/** A board that is what the test says, with a tag as the public one has. */
class GivenBoard {
  left = 5;
  status = "live";
  isAway = false;
  asked = 0;

  all(ifNoneMatch: string | null): HttpReply {
    this.asked += 1;
    if (this.isAway) throw new Failure("unreachable", "the board is away", true);
    const etag = `"${this.status}${this.left}"`;
    if (ifNoneMatch === etag) return { status: 304, body: "", headers: { etag } };
    const sales = [{ id: "a", status: this.status, items: [{ goodsSKU: "X", availability: this.left }] }];
    return { status: 200, body: JSON.stringify({ serverNow: 1, sales }), headers: { etag } };
  }
}

function watched(sockets = 1) {
  const board = new GivenBoard();
  const pushed: string[] = [];
  // A look later, a few watchers have had their rest.
  const clock = { nowUs: 0, monotonicUs: () => (clock.nowUs += 100) };
  const onBug = (error: unknown): never => {
    throw error;
  };
  const watch = new BoardWatch({ board, push: (text) => pushed.push(text), clock, onBug });
  for (let socket = 0; socket < sockets; socket += 1) watch.admit();
  return { board, watch, pushed, clock };
}
const pieceOf = async (stream: AsyncGenerator<string>): Promise<string> => String((await stream.next()).value);

describe("those who watch the board", () => {
  test("cost it no look while there are none", async () => {
    const { board, watch } = watched(0);
    await watch.look();
    expect(board.asked).toBe(0);
  });

  test("are greeted with all of it", async () => {
    const { watch } = watched();
    expect(JSON.parse(await watch.greeting())).toMatchObject({ kind: "board", board: { sales: [{ id: "a" }] } });
  });

  test("hear what changes, once, and nothing when nothing does", async () => {
    const { board, watch, pushed } = watched();
    await watch.look();
    pushed.length = 0;
    await watch.look();
    board.left = 4;
    await watch.look();
    await watch.look();
    expect(pushed.map((text) => JSON.parse(text) as unknown)).toEqual([{ kind: "left", serverNow: 1, left: { a: { X: 4 } } }]);
  });

  test("leave room for purchases: after a push to many, changes gather for a while and come as one", async () => {
    const { board, watch, pushed, clock } = watched(10_000);
    await watch.look();
    pushed.length = 0;
    for (board.left = 4; board.left > 1; board.left -= 1) await watch.look();
    expect(pushed).toEqual([]);
    clock.nowUs += 10_000 * BOARD_PUSH_REST_US_PER_WATCHER;
    await watch.look();
    expect(pushed.map((text) => JSON.parse(text) as unknown)).toEqual([{ kind: "left", serverNow: 1, left: { a: { X: 1 } } }]);
  });

  test("over WebSockets are let in until there is no room, greeted, and counted when they are lost", async () => {
    const { watch } = watched(0);
    const watchers = Array.from({ length: BOARD_WATCHERS_MAX }, () => watch.admit());
    expect(watch.admit()).toBeNull();
    const sent = Promise.withResolvers<string>();
    watchers[0]?.opened({ send: sent.resolve, close: () => undefined });
    expect(await sent.promise).toContain('"kind":"board"');
    watchers[0]?.closed(null);
    watchers[1]?.closed(1001);
    expect([watch.sockets, watch.lost]).toEqual([BOARD_WATCHERS_MAX - 2, 1]);
    expect(watch.admit()).not.toBeNull();
  });

  test("over a WebSocket come again later when the board cannot be had", async () => {
    const { board, watch } = watched(0);
    board.isAway = true;
    const closed = Promise.withResolvers<number>();
    watch.admit()?.opened({ send: () => undefined, close: closed.resolve });
    expect(await closed.promise).toBe(1013);
  });

  test("hear what has changed while the board could not be had", async () => {
    const { board, watch, pushed } = watched();
    await watch.look();
    board.isAway = true;
    board.left = 3;
    await watch.look();
    board.isAway = false;
    await watch.look();
    expect(pushed.at(-1)).toContain('"X":3');
  });
});

describe("a stream of the board", () => {
  test("begins with all of it, and goes on with what changes", async () => {
    const { board, watch } = watched(0);
    const stream = watch.stream();
    expect(await pieceOf(stream)).toContain('"kind":"board"');
    await watch.look();
    await pieceOf(stream);
    board.left = 4;
    const next = pieceOf(stream);
    await watch.look();
    expect(await next).toBe('data: {"kind":"left","serverNow":1,"left":{"a":{"X":4}}}\n\n');
  });

  test("that was slow gets the whole board instead of all that it has missed", async () => {
    const { board, watch } = watched(0);
    const stream = watch.stream();
    await pieceOf(stream);
    for (board.left = 4; board.left > 0; board.left -= 1) await watch.look();
    const piece = await pieceOf(stream);
    expect(piece).toContain('"kind":"board"');
    expect(piece).toContain('"availability":0');
  });

  test("is never silent for long", async () => {
    const { watch } = watched(0);
    const stream = watch.stream();
    await pieceOf(stream);
    await watch.look();
    await pieceOf(stream);
    const next = pieceOf(stream);
    for (let look = 0; look < BOARD_STREAM_BEAT_LOOKS; look += 1) await watch.look();
    expect(await next).toBe(": still here\n\n");
  });

  test("is not begun when there are too many, and frees its place when it ends", async () => {
    const { watch } = watched(0);
    const streams = Array.from({ length: BOARD_STREAMS_MAX }, () => watch.stream());
    for (const stream of streams) await stream.next();
    expect([watch.streams, watch.hasRoomForStream]).toEqual([BOARD_STREAMS_MAX, false]);
    expect((await watch.stream().next()).done).toBe(true);
    await streams[0]?.return(undefined);
    expect(watch.hasRoomForStream).toBe(true);
  });

  test("ends when the server does", async () => {
    const { watch } = watched(0);
    const stream = watch.stream();
    await stream.next();
    const next = stream.next();
    watch.close();
    expect((await next).done).toBe(true);
    expect(watch.streams).toBe(0);
  });
});
