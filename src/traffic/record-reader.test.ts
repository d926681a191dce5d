/** The fast reader of access records against the slow one, on whatever the gate's own writer can write and on much that it cannot. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { IpAddress, SessionId, Sku, UserId } from "../core/ids.ts";
import { STEPS } from "../core/reason.ts";
import { PAGE_EVENTS_MAX } from "../limits/traffic.ts";
import type { Course, Outcome, Purchase } from "../purchase.ts";
import { AccessRecords } from "../services/gate-keeper/access-record.ts";
import { RecordCheck, type TrafficEvent } from "./event.ts";
import { ReadEvents } from "./read-events.ts";
import { RecordReader } from "./record-reader.ts";

const id = fc.oneof(
  fc.string({ minLength: 1, maxLength: 20, unit: "binary" }),
  fc.constantFrom("UID0000000001", 'a"b', "back\\slash", "用户", "\\", '","goodsSKU":"'),
);
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ kind: fc.constant("held" as const), quantity: fc.nat(), heldUntil: fc.nat() }),
  fc.record({
    kind: fc.constant("refused" as const),
    step: fc.constantFrom(...STEPS),
    reason: fc.constantFrom("sold-out", "blacklisted", "throttled"),
  }),
  fc.constant({ kind: "key-reused" as const }),
);
const course: fc.Arbitrary<Course> = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 5, maxLength: 5 }))
  .map(([steps, stepUs]) => ({ atUs: 0, steps: STEPS.slice(0, steps), beganUs: [], stepUs }));
const record = fc.record({
  at: fc.integer({ min: 0, max: 4e12 }),
  traceId: fc.stringMatching(/^[0-9a-f]{32}$/),
  clientIp: fc.oneof(fc.ipV4(), fc.ipV6()),
  userId: id,
  sku: id,
  quantity: fc.integer({ min: 1, max: 1_000_000 }),
  totalUs: fc.double({ min: 0, max: 1e9, noNaN: true }),
});
const turn = fc
  .tuple(course, outcome, fc.array(record, { minLength: 1, maxLength: 5 }))
  .filter(([{ steps }, end]) => end.kind !== "refused" || steps.includes(end.step));

function pageOf(
  turns: readonly (readonly [Course, Outcome, readonly (typeof record extends fc.Arbitrary<infer R> ? R : never)[]])[],
): string {
  const writer = new AccessRecords('the "gate"');
  const plain = new AccessRecords("host:gate-keeper:8080");
  return turns
    .flatMap(([course, end, records], index) =>
      records.map(({ at, traceId, clientIp, userId, sku, quantity, totalUs }) => {
        const purchase = {
          sessionId: traceId as SessionId,
          clientIp: clientIp as IpAddress,
          userId: userId as UserId,
          sku: sku as Sku,
          quantity,
        };
        return (index % 3 === 0 ? writer : plain).line(new Date(at).toISOString(), purchase as Purchase, end, course, totalUs);
      }),
    )
    .join("");
}

/** As it is on its way: what is no character becomes one. */
const sent = (page: string): string => Buffer.from(page).toString();
function readWith(reader: RecordReader, page: string): TrafficEvent[] {
  const events = new ReadEvents();
  reader.read(Buffer.from(page), events);
  return [...events.objects()];
}
/** What is no everyday purchase is read into another place. */
const inAnyOrder = (events: readonly TrafficEvent[]): string[] => events.map((event) => JSON.stringify(event)).sort();
const slowly = (page: string) => {
  const check = new RecordCheck();
  return page.split("\n").flatMap((line) => check.eventOf(line) ?? []);
};

describe("records are read", () => {
  test("to the same events as by JSON.parse, whatever the gate has written", () => {
    const reader = new RecordReader();
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 6 }), (turns) => {
        const page = sent(pageOf(turns));
        expect(inAnyOrder(readWith(reader, page))).toEqual(inAnyOrder(slowly(page)));
        expect(reader.unreadable).toBe(0);
      }),
      { numRuns: 150, seed: 5 },
    );
  });

  test("without a fault when they are cut, or have something else in them", () => {
    const reader = new RecordReader();
    const junk = fc.oneof(
      fc.string(),
      fc.constantFrom('"', "\\", "\n", "}", '{"time":', '","clientIP":"', '],"reason":', '"totalUs":', "0", "-1", "1e9"),
    );
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 3 }), fc.nat(), fc.nat(40), junk, (turns, at, cut, put) => {
        const page = sent(pageOf(turns));
        const from = at % page.length;
        const broken = sent(`${page.slice(0, from)}${put}${page.slice(from + cut)}`);
        const lines = broken.split("\n").filter((line) => line !== "").length;
        const before = reader.unreadable;
        const read = readWith(reader, broken);
        // Every line is an event or is counted.
        expect(read.length + reader.unreadable - before).toBe(lines);
        // What JSON can read is read as JSON reads it; and a good page afterwards as ever.
        for (const event of slowly(broken)) expect(read).toContainEqual(event);
        expect(inAnyOrder(readWith(reader, page))).toEqual(inAnyOrder(slowly(page)));
      }),
      { numRuns: 300, seed: 6 },
    );
  });

  test("into columns where they are everyday purchases, as many as there is room for", () => {
    const purchase = (n: number) => ({
      ...{ sessionId: n.toString(16).padStart(32, "0"), clientIp: "2001:db8::1", userId: "用户", sku: "SKU0001", quantity: 1 },
    });
    const course = { atUs: 0, steps: STEPS, beganUs: [], stepUs: [1, 2, 3, 4, 5] } as const;
    const writer = new AccessRecords("host:gate-keeper:8080");
    const held = { kind: "held", quantity: 1, heldUntil: 0 } as const;
    const lines = Array.from({ length: PAGE_EVENTS_MAX + 10 }, (_, n) =>
      writer.line("2026-11-22T12:00:00.000Z", purchase(n) as Purchase, held, course, n),
    );
    const events = new ReadEvents();
    new RecordReader().read(Buffer.from(lines.join("")), events);
    expect([events.count, events.rest.length, events.batches.length]).toEqual([PAGE_EVENTS_MAX, 10, 1]);
    expect([...events.objects()]).toEqual(slowly(lines.join("")));
  });

  test("of requests that were no purchases, too", () => {
    const line =
      '{"time":"2026-11-22T12:00:00.000Z","instance":"g","traceId":null,"clientIP":"192.0.2.1","userID":null,"goodsSKU":null,"request":"POST /buy","status":400,"reason":"malformed","totalUs":12}\n';
    expect(readWith(new RecordReader(), line)).toEqual([
      {
        ...{
          at: Date.UTC(2026, 10, 22, 12),
          instance: "g",
          traceId: null,
          clientIp: "192.0.2.1",
          userId: null,
          sku: null,
          quantity: 0,
          steps: [],
        },
        ...{ reason: "malformed", totalUs: 12, request: "POST /buy", status: 400 },
      },
    ]);
  });
});
