/** A long list in pieces: all of it, in order, each piece as short as asked. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { sortedPieces } from "./sorted-pieces.ts";

const text = fc.oneof(fc.ipV4(), fc.string({ unit: fc.constantFrom("a", "b", "é"), maxLength: 6 }), fc.constant("same"));

test("the pieces are the list in order, none longer than asked", async () => {
  const property = fc.asyncProperty(fc.array(text, { maxLength: 300 }), fc.integer({ min: 1, max: 20 }), async (texts, limit) => {
    let pauses = 0;
    const pieces: (readonly string[])[] = [];
    const pause = async (): Promise<void> => {
      pauses += 1;
    };
    for await (const piece of sortedPieces(texts, limit, pause)) pieces.push(piece);
    expect(pieces.flat()).toEqual(texts.toSorted());
    for (const { length } of pieces) expect([length > 0, length <= limit]).toEqual([true, true]);
    expect(pauses).toBe(0);
  });
  await fc.assert(property, { numRuns: 300, seed: 1 });
});

test("others have their turn while a long list is divided", async () => {
  let pauses = 0;
  const texts = Array.from({ length: 100_000 }, (_, index) => `U${index}`);
  let last = "";
  const pause = async (): Promise<void> => {
    pauses += 1;
  };
  for await (const piece of sortedPieces(texts, 1_000, pause)) {
    expect((piece[0] as string) > last).toBe(true);
    last = piece.at(-1) as string;
  }
  expect(pauses).toBeGreaterThanOrEqual(10);
});
