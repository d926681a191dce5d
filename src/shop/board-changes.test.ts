import { describe, expect, test } from "bun:test";
import { BOARD_PUSH_CHARS_MAX } from "../limits/shop.ts";
import { type Availability, type Board, changesOf, wholeBoard } from "./board-changes.ts";

const sale = (id: string, left: Readonly<Record<string, Availability>>, more: object = {}) => ({
  ...{ id, name: id, status: "live", ...more },
  items: Object.entries(left).map(([goodsSKU, availability]) => ({ goodsSKU, salePrice: 49.9, availability })),
});
const board = (serverNow: number, ...sales: ReturnType<typeof sale>[]): Board => ({ serverNow, sales });

describe("what those who watch the board are told", () => {
  test("nothing, when only the time has changed", () => {
    expect(changesOf(board(1, sale("a", { X: 5 })), board(2, sale("a", { X: 5 })))).toBeNull();
  });

  test("what is left, of those items of which it has changed", () => {
    const before = board(1, sale("a", { X: 5, Y: "many" }), sale("b", { X: 5 }));
    const after = board(2, sale("a", { X: 4, Y: "many" }), sale("b", { X: "none" }));
    expect(changesOf(before, after)).toEqual({ kind: "left", serverNow: 2, left: { a: { X: 4 }, b: { X: "none" } } });
  });

  test.each([
    ["a sale comes", board(1), board(2, sale("a", { X: 5 }))],
    ["a sale goes", board(1, sale("a", { X: 5 })), board(2)],
    ["a sale begins", board(1, sale("a", { X: 5 }, { status: "scheduled" })), board(2, sale("a", { X: 5 }))],
    ["an item comes", board(1, sale("a", { X: 5 })), board(2, sale("a", { X: 5, Y: 5 }))],
  ])("the whole board, when %s", (_, before, after) => {
    expect(changesOf(before, after)).toEqual({ kind: "board", board: after });
  });

  test("an id like a property of every object is an id", () => {
    const message = changesOf(board(1, sale("__proto__", { constructor: 5 })), board(2, sale("__proto__", { constructor: 4 })));
    expect(JSON.stringify(message)).toBe('{"kind":"left","serverNow":2,"left":{"__proto__":{"constructor":4}}}');
  });

  test("to ask for it, when it is too long to be pushed", () => {
    const long = board(7, sale("a", { X: 1 }, { name: "x".repeat(BOARD_PUSH_CHARS_MAX) }));
    expect(wholeBoard(long)).toEqual({ kind: "ask", serverNow: 7 });
  });
});
