/** Points in time as text: ISO 8601 with date, time and offset. Without an offset a text names another instant on every machine. */
import Type from "typebox";
import type { UnixMs } from "./time.ts";

const pattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(?:Z|([+-])(\d\d):(\d\d))$/;

/** The instant of `2026-11-22T20:00:00+08:00`, `2026-11-22T12:00Z`; `null` for anything else, for a day that no
 *  calendar has, and for what is before 1970 or after 9999. */
export function parseIsoTime(text: string): UnixMs | null {
  const match = pattern.exec(text);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? 0)) as Six;
  const local = Date.UTC(year, month - 1, day, hour, minute, second, Number((match[7] ?? "0").padEnd(3, "0")));
  // Date.UTC lets February run over into March, and 25 o'clock into the next day; a text that does so is a mistake.
  if (new Date(local).toISOString().slice(0, 19) !== `${text.slice(0, 16)}:${match[6] ?? "00"}`) return null;
  const offsetHours = Number(match[9] ?? 0);
  const offsetMinutes = Number(match[10] ?? 0);
  if (offsetHours > 23 || offsetMinutes > 59) return null;
  const offsetMs = (offsetHours * 60 + offsetMinutes) * 60_000;
  const at = match[8] === "-" ? local + offsetMs : local - offsetMs;
  return at >= 0 && at <= LAST_INSTANT ? at : null;
}

/** The end of the year 9999: what comes after it has no text of this form. */
const LAST_INSTANT: UnixMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

type Six = [number, number, number, number, number, number];

/** What `parseIsoTime` reads back: UTC, with milliseconds. */
export const formatIsoTime = (at: UnixMs): string => new Date(at).toISOString();

const DESCRIPTION = "a time in ISO 8601 with an offset, such as 2026-11-22T20:00:00+08:00 or 2026-11-22T12:00:00Z";
export const IsoTime = Type.Refine(
  Type.String({ description: DESCRIPTION }),
  (text) => parseIsoTime(text) !== null,
  () => `must be ${DESCRIPTION}`,
);
