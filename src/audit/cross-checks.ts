/**
 * Redis against Postgres. What is on its way between the two is no difference: an order is first carried out in Redis, under a mark, or first ended in Postgres, with a
 * note of what is to be given back; and what operators set is in Postgres when its stream has been taken over. So Redis is read first, then what is on its way,
 * then Postgres, then Redis again; only what stood still in Redis is compared.
 */
import type { OrderId, Sku, UserId } from "../core/ids.ts";
import type { Sql } from "../core/sql.ts";
import type { Partitions } from "../ledger/redis/partitions.ts";
import type { Extent, StoredGoods, StoredLedger, StoredLine } from "../ledger/redis/stored-ledger.ts";
import { isLater, timeOf } from "../ledger/redis/stream-id.ts";
import { AUDIT_PAGE_ROWS } from "../limits/ledger.ts";
import type { Findings } from "./findings.ts";
import { itemsOf } from "./postgres-checks.ts";

export interface BothStores {
  readonly stored: StoredLedger;
  readonly partitions: Partitions;
  readonly sql: Sql;
  readonly findings: Findings;
}
interface GoodsRow {
  readonly sku: Sku;
  readonly stocked: number;
  readonly sold: number;
  readonly price_cents: number;
}
interface LineRow {
  readonly user_id: UserId;
  readonly sku: Sku;
  readonly ordered: number;
  readonly user_level: number;
}
interface OrderRow {
  readonly order_id: OrderId;
  readonly user_id: UserId;
  readonly items: string;
  readonly pay_until: number;
  readonly state: string;
  readonly give_back: string | null;
}

/** The streams, and what Redis has that Postgres should know of: one partition. */
export async function checkAgainstPostgres(both: BothStores, partition: number): Promise<void> {
  const { stored, findings, sql } = both;
  const extent = await stored.extent(partition);
  const [position] = await sql<{ last_id: string }>`select last_id from ledger_streams where partition = ${partition}`;
  findings.look("streams", 1);
  checkStream(extent, partition, position?.last_id ?? "0-0", findings);
  for await (const page of stored.goods(partition)) await compareGoods(both, new Map(page));
  for await (const page of stored.lines(partition)) {
    await compareLines(
      both,
      page.filter(({ ordered, userLevel }) => ordered > 0 || userLevel >= 0),
    );
    await checkParts(both, page);
  }
}

/** A position that is further than its stream will go on from would pass over what comes next; one that is behind a stream in which nothing waits has lost something. */
function checkStream({ newestId, waiting, serverTime }: Extent, partition: number, taken: string, findings: Findings): void {
  const isAhead = isLater(taken, newestId) && timeOf(taken) > serverTime;
  const isBehind = waiting === 0 && isLater(newestId, taken);
  if (isAhead || isBehind) findings.breach("streams", String(partition), { partition, taken, newest: newestId, waiting, serverTime });
}

/** What Postgres has that Redis should: goods, and what users have ordered. */
export async function checkAgainstRedis(both: BothStores): Promise<void> {
  const { sql } = both;
  for (let after: Sku | "" = ""; ; ) {
    const rows: readonly GoodsRow[] =
      await sql<GoodsRow>`select * from ledger_goods where sku > ${after} order by sku limit ${AUDIT_PAGE_ROWS}`;
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.sku;
    const seen = await both.stored.peek(rows);
    await compareGoods(both, new Map(rows.map(({ sku }, n) => [sku, seen[n]?.[0] ?? null])), true);
  }
  let [user, sku] = ["", ""];
  for (;;) {
    const rows: readonly LineRow[] = await sql<LineRow>`
      select * from ledger_lines where (user_id, sku) > (${user}, ${sku}) order by user_id, sku limit ${AUDIT_PAGE_ROWS}`;
    const last = rows.at(-1);
    if (last === undefined) return;
    [user, sku] = [last.user_id, last.sku];
    const named = rows.map((row) => ({ sku: row.sku, userId: row.user_id }));
    const seen = await both.stored.peek(named);
    // Those that are there are compared when Redis is read line by line.
    const missing = named.filter((_, n) => !hasRecord(seen[n]?.[1] ?? null));
    await compareLines(both, missing.map(emptyLine), true);
  }
}

const hasRecord = (line: StoredLine | null): boolean => line !== null && (line.ordered > 0 || line.userLevel >= 0);
const emptyLine = ({ sku, userId }: { readonly sku: Sku; readonly userId: UserId }): StoredLine => ({
  ...{ sku, userId, held: 0, heldUntil: 0, ordered: 0, userLevel: -1, parts: [], isUnderWay: false },
});
const textOfGoods = (goods: StoredGoods | null): string =>
  goods === null ? "none" : `${goods.onHand + goods.sold} stocked, ${goods.sold} sold, ${goods.priceCents} cents`;
const textOfLine = (line: StoredLine | null): string =>
  line === null || !hasRecord(line) ? "none" : `${line.ordered}, level ${line.userLevel}`;

/** @param onlyMissing those that Redis has are looked at from its side */
async function compareGoods(
  { stored, sql, partitions, findings }: BothStores,
  before: ReadonlyMap<Sku, StoredGoods | null>,
  onlyMissing = false,
) {
  const skus = [...before.keys()].filter((sku) => !onlyMissing || before.get(sku) === null);
  if (!onlyMissing) findings.look("stocked", skus.length);
  if (skus.length === 0) return;
  const underWay = await onTheWay(stored, sql, partitions, skus);
  const rows = await sql<GoodsRow>`select * from ledger_goods where sku = any(${skus}::text[])`;
  const inPostgres = new Map(rows.map((row) => [row.sku, `${row.stocked} stocked, ${row.sold} sold, ${row.price_cents} cents`]));
  const after = await stored.peek(skus.map((sku) => ({ sku })));
  for (const [n, sku] of skus.entries()) {
    const inRedis = textOfGoods(after[n]?.[0] ?? null);
    if (underWay.has(sku)) findings.underWay += 1;
    else if (inRedis === textOfGoods(before.get(sku) ?? null) && inRedis !== (inPostgres.get(sku) ?? "none"))
      findings.breach("stocked", sku, { sku, inRedis, inPostgres: inPostgres.get(sku) ?? "none" });
  }
}

async function compareLines({ stored, sql, partitions, findings }: BothStores, before: readonly StoredLine[], onlyMissing = false) {
  if (!onlyMissing) findings.look("ordered", before.length);
  if (before.length === 0) return;
  const users = before.map(({ userId }) => userId);
  const skus = before.map(({ sku }) => sku);
  const rows = await sql<LineRow>`select ledger_lines.* from ledger_lines
    join unnest(${users}::text[], ${skus}::text[]) as these (user_id, sku) using (user_id, sku)`;
  const inPostgres = new Map(rows.map((row) => [`${row.sku}\n${row.user_id}`, `${row.ordered}, level ${row.user_level}`]));
  const nameOf = ({ sku, userId }: StoredLine): string => `${sku}\n${userId}`;
  const differing = before.filter((line) => textOfLine(line) !== (inPostgres.get(nameOf(line)) ?? "none"));
  if (differing.length === 0) return;
  const underWay = await onTheWay(
    stored,
    sql,
    partitions,
    differing.map(({ sku }) => sku),
  );
  const after = await stored.peek(differing);
  for (const [n, line] of differing.entries()) {
    const now = after[n]?.[1] ?? null;
    if (underWay.has(line.sku) || now?.isUnderWay) findings.underWay += 1;
    else if (textOfLine(now) === textOfLine(line)) {
      const { sku, userId } = line;
      findings.breach("ordered", nameOf(line), {
        sku,
        userId,
        inRedis: textOfLine(line),
        inPostgres: inPostgres.get(nameOf(line)) ?? "none",
      });
    }
  }
}

async function onTheWay(stored: StoredLedger, sql: Sql, partitions: Partitions, skus: readonly Sku[]): Promise<ReadonlySet<Sku>> {
  const found = new Set<Sku>();
  const numbers = [...new Set(skus.map((sku) => partitions.of(sku)))];
  // The positions first: what was taken over by then is in Postgres when that is asked.
  const rows = await sql<{ partition: number; last_id: string }>`
    select partition, last_id from ledger_streams where partition = any(${numbers}::int[])`;
  for (const partition of numbers) {
    const lastId = rows.find((row) => row.partition === partition)?.last_id ?? "0-0";
    for (const sku of await stored.skusUnderWay(partition, lastId)) found.add(sku);
  }
  return found;
}

/** Every unpaid order has each of its parts. */
export async function checkUnpaid({ stored, sql, findings }: BothStores): Promise<void> {
  for (let after: OrderId | "" = ""; ; ) {
    const rows: readonly OrderRow[] = await sql<OrderRow>`
      select order_id, user_id, items, pay_until, state, give_back from orders
      where state = 'payment-pending' and order_id > ${after} order by order_id limit ${AUDIT_PAGE_ROWS}`;
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.order_id;
    const parts = rows.flatMap((row) => (itemsOf(row.items) ?? []).map(({ sku, quantity }) => ({ row, sku, quantity })));
    const seen = await stored.peek(parts.map(({ row, sku }) => ({ sku, userId: row.user_id })));
    // The time of one of its SKUs ends the whole order, whether or not that was told.
    const isOver = new Set(parts.flatMap(({ row }, n) => ((seen[n]?.[0]?.clock ?? 0) >= row.pay_until ? [row.order_id] : [])));
    const suspects = parts.filter(({ row, quantity }, n) => {
      const line = seen[n]?.[1] ?? null;
      if (line?.isUnderWay || isOver.has(row.order_id)) return false;
      findings.look("parts", 1);
      const part = line?.parts.find(({ orderId }) => orderId === row.order_id);
      return !part || part.quantity !== quantity || part.until !== row.pay_until || seen[n]?.[0] === null;
    });
    if (suspects.length === 0) continue;
    const still = await sql<{ order_id: OrderId }>`
      select order_id from orders where order_id = any(${suspects.map(({ row }) => row.order_id)}::text[]) and state = 'payment-pending'`;
    const pending = new Set(still.map(({ order_id }) => order_id));
    for (const { row, sku, quantity } of suspects)
      if (pending.has(row.order_id))
        findings.breach("parts", `${row.order_id}\n${sku}`, {
          orderId: row.order_id,
          userId: row.user_id,
          sku,
          quantity,
          until: row.pay_until,
        });
  }
}

/** Every part of these lines is of an order that waits for payment. */
async function checkParts({ stored, sql, findings }: BothStores, lines: readonly StoredLine[]): Promise<void> {
  const parts = lines.flatMap((line) => (line.isUnderWay ? [] : line.parts.map((part) => ({ line, part }))));
  if (parts.length === 0) return;
  findings.look("ended", parts.length);
  const orders = await sql<OrderRow>`select order_id, user_id, items, pay_until, state, give_back from orders
    where order_id = any(${parts.map(({ part }) => part.orderId)}::text[])`;
  const byId = new Map(orders.map((row) => [row.order_id, row]));
  const suspects = parts.filter(({ line, part }) => {
    const row = byId.get(part.orderId);
    if (row?.give_back) findings.underWay += 1;
    if (row?.give_back) return false;
    return (
      row?.state !== "payment-pending" || row.user_id !== line.userId || !(itemsOf(row.items) ?? []).some(({ sku }) => sku === line.sku)
    );
  });
  const after = await stored.peek(suspects.map(({ line }) => line));
  for (const [n, { line, part }] of suspects.entries()) {
    const [goods, now] = after[n] ?? [null, null];
    // A part whose time is over freezes nothing, and the sweeper takes it away.
    const isFreezing = goods !== null && part.until > goods.clock;
    if (!isFreezing || now?.isUnderWay || !now?.parts.some(({ orderId }) => orderId === part.orderId)) continue;
    const { sku, userId } = line;
    const state = byId.get(part.orderId)?.state ?? "none";
    findings.breach("ended", `${part.orderId}\n${sku}`, { orderId: part.orderId, state, sku, userId, quantity: part.quantity });
  }
}
