/** Times as text: which instant they name, and what is no time. */
import { describe, expect, test } from "bun:test";
import { formatIsoTime, parseIsoTime } from "./iso-time.ts";

const NOON = Date.UTC(2026, 10, 22, 12);

describe("a time with an offset", () => {
  const rows: readonly (readonly [string, number])[] = [
    ["2026-11-22T12:00:00Z", NOON],
    ["2026-11-22T12:00Z", NOON],
    ["2026-11-22T20:00:00+08:00", NOON],
    ["2026-11-22T07:30:00-04:30", NOON],
    ["2026-11-23T02:00:00+14:00", NOON],
    ["2026-11-22T12:00:00+00:00", NOON],
    ["2026-11-22T12:00:00-00:00", NOON],
    ["2026-11-22T12:00:00.5Z", NOON + 500],
    ["2026-11-22T12:00:00.05Z", NOON + 50],
    ["2026-11-22T12:00:00.123Z", NOON + 123],
    ["2028-02-29T00:00:00Z", Date.UTC(2028, 1, 29)],
    ["1970-01-01T00:00:00Z", 0],
    ["9999-12-31T23:59:59.999Z", Date.UTC(9999, 11, 31, 23, 59, 59, 999)],
  ];
  test.each(rows)("%s is %i", (text, at) => {
    expect(parseIsoTime(text)).toBe(at);
    expect(parseIsoTime(formatIsoTime(at))).toBe(at);
  });
});

describe("no time is", () => {
  test.each([
    ["one without an offset", "2026-11-22T12:00:00"],
    ["a date", "2026-11-22"],
    ["an offset without a colon", "2026-11-22T12:00:00+0800"],
    ["an offset of hours only", "2026-11-22T12:00:00+08"],
    ["an offset of a day", "2026-11-22T12:00:00+24:00"],
    ["an offset of sixty minutes", "2026-11-22T12:00:00+01:60"],
    ["the name of a zone", "2026-11-22T12:00:00 GMT"],
    ["a blank for the T", "2026-11-22 12:00:00Z"],
    ["the thirtieth of February", "2026-02-30T12:00:00Z"],
    ["the twenty-ninth of February of another year", "2026-02-29T12:00:00Z"],
    ["a thirteenth month", "2026-13-01T12:00:00Z"],
    ["a day zero", "2026-11-00T12:00:00Z"],
    ["24 o'clock", "2026-11-22T24:00:00Z"],
    ["a leap second", "2026-12-31T23:59:60Z"],
    ["microseconds", "2026-11-22T12:00:00.123456Z"],
    ["before 1970", "1969-12-31T23:59:59Z"],
    ["before 1970 by its offset", "1970-01-01T00:00:00+00:01"],
    ["after 9999 by its offset", "9999-12-31T23:59:59-00:01"],
    ["a year below 100", "0050-01-01T00:00:00Z"],
    ["a number", "1795348800000"],
    ["a blank around it", " 2026-11-22T12:00:00Z"],
    ["nothing", ""],
  ])("%s", (_, text) => expect(parseIsoTime(text)).toBeNull());
});
