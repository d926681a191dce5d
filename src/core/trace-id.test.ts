import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { traceIds } from "./trace-id.ts";

const hex = (length: number) => fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });

describe("trace ids", () => {
  test("are 32 lower-case hex digits, begin alike in one process, and count up", () => {
    fc.assert(
      fc.property(hex(40), (random) => {
        const next = traceIds(random);
        const ids = Array.from({ length: 20 }, next);
        for (const id of ids) {
          expect(id).toMatch(/^[0-9a-f]{32}$/);
          expect(id.slice(0, 20)).toBe(random.slice(0, 20) as typeof id);
        }
        expect([...ids].sort()).toEqual(ids);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test("keep their length when the random start is the highest there is", () => {
    const next = traceIds("f".repeat(32));
    const ids = Array.from({ length: 1_000 }, next);
    expect(ids[0]).toBe(`${"f".repeat(20)}800000000000` as never);
    expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(1_000);
  });

  test("of two processes differ in what is random", () => {
    fc.assert(
      fc.property(hex(32), hex(32), (a, b) => {
        fc.pre(a.slice(0, 20) !== b.slice(0, 20));
        expect(traceIds(a)()).not.toBe(traceIds(b)());
      }),
      { numRuns: 300, seed: 2 },
    );
  });

  test("are never the all-zero id, which the trace context forbids", () => {
    expect(traceIds("0".repeat(32))()).not.toBe("0".repeat(32) as never);
  });
});
