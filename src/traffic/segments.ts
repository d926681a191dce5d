/** The segments of the event store, as far as whoever writes and searches has to know them. */
import { AnswerTooLate, type SegmentDatabase } from "../core/segment-database.ts";
import type { UnixMs } from "../core/time.ts";
import { SEARCH_MS_MAX } from "../limits/event-store.ts";
import { type ShapeRow, shapeKey, shapeOfRow } from "./event-shape.ts";

export interface Segment {
  readonly number: number;
  events: number;
  pages: number;
  /** The earliest and the latest event. */
  firstAt: UnixMs;
  lastAt: UnixMs;
  bytes: number;
  /** Of one that was found on disk: what its shapes are called. */
  readonly shapes: readonly (readonly [string, number])[];
}

/** All segments on disk that can be used, the oldest first. */
export async function openSegments(database: SegmentDatabase, tell: (message: string) => void): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const number of await database.list()) {
    const segment = await openSegment(database, number).catch((error: unknown) => error as Error);
    if (segment instanceof Error) tell(segment.message);
    else segments.push(segment);
  }
  return segments;
}

async function openSegment(database: SegmentDatabase, number: number): Promise<Segment | Error> {
  await database.open(number);
  try {
    return await look(database, number);
  } catch (error) {
    if (error instanceof AnswerTooLate) throw error;
    return database.putAside(number, error instanceof Error ? error.message : String(error));
  }
}

async function look(database: SegmentDatabase, number: number): Promise<Segment> {
  const s = `s${number}`;
  const ask = (sql: string) => database.ask({ sql, values: [] }, SEARCH_MS_MAX);
  const [events] = await ask(
    `select count(*), epoch_ms(min(seen_at)), epoch_ms(max(seen_at)), coalesce(max(page) + 1, 0) from ${s}.events`,
  );
  const shapes = await ask(`select shape, instance, kind, status, reason, steps, outcomes from ${s}.shapes order by shape`);
  const [count, firstAt, lastAt, pages] = events as readonly [number, number | null, number | null, number];
  return {
    number,
    events: count,
    pages,
    firstAt: firstAt ?? Number.POSITIVE_INFINITY,
    lastAt: lastAt ?? Number.NEGATIVE_INFINITY,
    bytes: await database.bytesOf(number),
    shapes: shapes.map((cells) => [shapeKey(shapeOfRow(shapeRowOf(cells))), cells[0] as number]),
  };
}

export function shapeRowOf(cells: readonly unknown[]): ShapeRow {
  const [, instance, kind, status, reason, steps, outcomes] = cells as readonly [number, string, string, number, string, string, string];
  return { instance, kind, status, reason, steps, outcomes };
}
