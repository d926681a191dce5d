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

/** Between two chunks everybody else has a turn: a long list must not hold up a purchase. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A JSON array. When rows are left, `Link: <...>; rel="next"` names the next page. */
export async function listReply<Row, Cursor>(request: ListRequest<Row, Cursor>): Promise<HttpReply> {
  if (request.limit === Number.POSITIVE_INFINITY) return { status: 200, body: wholeList(request) };
  // Whether there is a next page stands in the head, so the page is read first; it is bounded.
  const { rows, hasMore } = await readPage(request);
  const body = `[${rows.map((row) => JSON.stringify(request.show(row))).join(",")}]`;
  const last = rows.at(-1);
  if (!hasMore || last === undefined) return { status: 200, body };
  return { status: 200, body, headers: { link: `<${request.nextPage(request.cursorOf(last))}>; rel="next"` } };
}

interface SearchRequest<Row, Cursor> extends Omit<ListRequest<Row, Cursor>, "read"> {
  /** Up to `limit` of the rows wanted from behind `after`, as far as one look goes, and behind which row to go on; `null`: that was the end. */
  readonly find: (after: Cursor | null, limit: number) => Answer<{ readonly rows: readonly Row[]; readonly next: Cursor | null }>;
  /** Looks that may bring less than they could have. */
  readonly looksMax: number;
}

/** A JSON array of the rows wanted among many. A page may be short, or empty, because enough was looked at: as long as there may be more, the same `Link`
 *  names where to go on. */
export async function searchReply<Row, Cursor>(request: SearchRequest<Row, Cursor>): Promise<HttpReply> {
  const { find, cursorOf, after, limit, show, nextPage, looksMax } = request;
  const rows: Row[] = [];
  let next = after;
  for (let looksLeft = looksMax; looksLeft > 0; ) {
    const wanted = Math.min(limit + 1 - rows.length, LIST_CHUNK_ROWS);
    const found = await find(next, wanted);
    rows.push(...found.rows);
    next = found.next;
    if (next === null || rows.length > limit) break;
    if (found.rows.length < wanted) looksLeft -= 1;
    await nextTurn();
  }
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  // One row more than the page has: it is the first of the next one.
  const goOn = rows.length > limit && last !== undefined ? cursorOf(last) : next;
  const headers = goOn === null ? {} : { headers: { link: `<${nextPage(goOn)}>; rel="next"` } };
  return { status: 200, body: JSON.stringify(shown.map(show)), ...headers };
}

async function readPage<Row, Cursor>({
  read,
  cursorOf,
  after,
  limit,
}: ListRequest<Row, Cursor>): Promise<{ rows: readonly Row[]; hasMore: boolean }> {
  const rows: Row[] = [];
  // One row more than the page has tells whether there is another page.
  for (let cursor = after; rows.length <= limit; ) {
    const wanted = Math.min(limit + 1 - rows.length, LIST_CHUNK_ROWS);
    const chunk = await read(cursor, wanted);
    rows.push(...chunk);
    const last = chunk.at(-1);
    if (chunk.length < wanted || last === undefined) break;
    cursor = cursorOf(last);
    await nextTurn();
  }
  return { rows: rows.slice(0, limit), hasMore: rows.length > limit };
}

async function* wholeList<Row, Cursor>({ read, cursorOf, after, show }: ListRequest<Row, Cursor>): AsyncGenerator<string> {
  let separator = "[";
  for (let cursor = after, isLast = false; !isLast; ) {
    const rows = await read(cursor, LIST_CHUNK_ROWS);
    let text = "";
    for (const row of rows) {
      text += separator + JSON.stringify(show(row));
      separator = ",";
      cursor = cursorOf(row);
    }
    isLast = rows.length < LIST_CHUNK_ROWS;
    if (text !== "") yield text;
    await nextTurn();
  }
  yield separator === "[" ? "[]" : "]";
}
