/** Events a page at a time. The cursor is the id of the last event looked at, whether or not it was wanted, so that asking on always gets further. */
import type { HttpReply } from "../core/endpoint.ts";
import { EVENTS_LOOKED_AT_PER_PAGE, EVENTS_PER_READ } from "../limits.ts";
import { type EventFilter, isWanted } from "./event-filter.ts";
import type { EventSource } from "./event-source.ts";

/** Between two reads everybody else has a turn: a long page must not hold up a purchase. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** @param lastId the newest event when the page was asked for */
export async function eventPage(
  { outbox, lastId }: { readonly outbox: EventSource; readonly lastId: number },
  after: number,
  limit: number,
  filter: EventFilter,
): Promise<HttpReply> {
  const texts: string[] = [];
  let cursor = after;
  for (let lookedAt = 0; texts.length < limit && lookedAt < EVENTS_LOOKED_AT_PER_PAGE; lookedAt += EVENTS_PER_READ) {
    const events = await outbox.read(cursor, EVENTS_PER_READ);
    if (events.length === 0) break;
    for (const event of events) {
      if (texts.length === limit) break;
      cursor = event.id;
      if (isWanted(event, filter)) texts.push(event.text);
    }
    await nextTurn();
  }
  // The events are JSON already.
  return { status: 200, body: `{"events":[${texts.join(",")}],"next":"${cursor}","hasMore":${cursor < Math.max(lastId, outbox.lastId)}}` };
}
