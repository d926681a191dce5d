/** Long lists: pages by the last id seen, sent in chunks that are read while they are sent, so that a list never stands in memory. */
import Type from "typebox";
import { LIST_CHUNK_ROWS, PAGE_ROWS_MAX } from "../limits.ts";
import type { Answer } from "./answer.ts";
import type { HttpReply } from "./endpoint.ts";

export const PageLimit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: PAGE_ROWS_MAX, description: `a number from 1 to ${PAGE_ROWS_MAX}` }),
);

interface ListRequest<Row, Cursor> {
  /** Up to `limit` rows from behind `after`. */
  readonly read: (after: Cursor | null, limit: number) => Answer<readonly Row[]>;
  readonly cursorOf: (row: Row) => Cursor;
  readonly after: Cursor | null;
  /** The most rows to send; infinite for a whole list. */
  readonly limit: number;
  readonly show: (row: Row) => unknown;
  /** The address of the page that begins behind a row. */
  readonly nextPage: (cursor: Cursor) => string;
}

/** A JSON array. When rows are left, `Link: <...>; rel="next"` names the next page. */
export async function listReply<Row, Cursor>(request: ListRequest<Row, Cursor>): Promise<HttpReply> {
  const { limit, nextPage, cursorOf } = request;
  // Whether there is a next page stands in the head, before the rows: the page's last row is looked up by skipping over the others.
  const last = limit === Number.POSITIVE_INFINITY ? null : await lastRowIfMore(request, limit);
  const body = chunks(request);
  return last ? { status: 200, body, headers: { link: `<${nextPage(cursorOf(last))}>; rel="next"` } } : { status: 200, body };
}

async function lastRowIfMore<Row, Cursor>({ read, after }: ListRequest<Row, Cursor>, limit: number): Promise<Row | null> {
  const rows = await read(after, limit + 1);
  return rows.length > limit ? (rows[limit - 1] as Row) : null;
}

async function* chunks<Row, Cursor>({ read, cursorOf, after, limit, show }: ListRequest<Row, Cursor>): AsyncGenerator<string> {
  let cursor = after;
  let left = limit;
  let separator = "[";
  while (left > 0) {
    const wanted = Math.min(left, LIST_CHUNK_ROWS);
    const rows = await read(cursor, wanted);
    let text = "";
    for (const row of rows) {
      text += separator + JSON.stringify(show(row));
      separator = ",";
      cursor = cursorOf(row);
    }
    left = rows.length < wanted ? 0 : left - rows.length;
    if (text !== "") yield text;
  }
  yield separator === "[" ? "[]" : "]";
}
