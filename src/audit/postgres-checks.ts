/** Postgres against itself, in one snapshot: what any number of processes do meanwhile is seen wholly or not at all. */
import type { OrderId, Sku } from "../core/ids.ts";
import type { SqlDatabase, Tx } from "../core/sql.ts";
import type { UnixMs } from "../core/time.ts";
import { AUDIT_PAGE_ROWS } from "../limits/ledger.ts";
import { ORDER_KEPT_MS } from "../limits.ts";
import type { Findings } from "./findings.ts";

interface OrderRow {
  readonly order_id: OrderId;
  readonly state: string;
  readonly items: string;
  readonly since: UnixMs;
  readonly provider: string | null;
  readonly payment_id: string | null;
  readonly amount_cents: number | null;
  readonly currency: string | null;
  readonly give_back: string | null;
  readonly has_refund: boolean;
}
interface SoldRow {
  readonly sku: Sku;
  readonly sold: number;
  readonly put_at: UnixMs;
}
interface Item {
  readonly sku: Sku;
  readonly quantity: number;
}
/** What paid orders of one SKU come to, since its goods are there: for certain, and with those of that very millisecond. */
interface Paid {
  readonly sold: number;
  readonly putAt: UnixMs;
  least: number;
  most: number;
}

/** @param now of the same clock as the system's: what it forgets after a time is not missed */
export function checkPostgres(db: SqlDatabase, now: UnixMs, findingsOf: () => Findings): Promise<Findings> {
  return db.transaction(
    async (tx) => {
      // The work of a transaction may be done again, and then begins anew.
      const findings = findingsOf();
      await checkOrders(tx, now, findings);
      await checkEvents(tx, findings);
      return findings;
    },
    { isSerializable: true },
  );
}

async function checkOrders(tx: Tx, now: UnixMs, findings: Findings): Promise<void> {
  const paid = new Map<Sku, Paid>();
  for (let after: Sku | "" = ""; ; ) {
    const rows: readonly SoldRow[] = await tx<SoldRow>`
      select sku, sold, put_at from ledger_goods where sku > ${after} order by sku limit ${AUDIT_PAGE_ROWS}`;
    for (const { sku, sold, put_at: putAt } of rows) paid.set(sku, { sold, putAt, least: 0, most: 0 });
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.sku;
  }
  for (let after: OrderId | "" = ""; ; ) {
    const rows: readonly OrderRow[] = await tx<OrderRow>`
      select o.order_id, o.state, o.items, o.since, o.provider, o.payment_id, o.amount_cents, o.currency, o.give_back,
        exists (select from refunds r where r.provider = o.provider and r.payment_id = o.payment_id) as has_refund
      from orders o where o.order_id > ${after} order by o.order_id limit ${AUDIT_PAGE_ROWS}`;
    for (const row of rows) checkOrder(row, paid, findings);
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.order_id;
  }
  for (const [sku, { sold, putAt, least, most }] of paid) {
    findings.look("paid", 1);
    // Orders are forgotten some time after they were paid, and what was sold is not.
    const isRemembered = putAt > now - ORDER_KEPT_MS;
    if (least > sold || (isRemembered && sold > most)) findings.breach("paid", sku, { sku, sold, paid: most, since: putAt });
  }
}

function checkOrder(row: OrderRow, paid: ReadonlyMap<Sku, Paid>, findings: Findings): void {
  const {
    order_id: orderId,
    state,
    since,
    provider,
    payment_id: paymentId,
    amount_cents: amountCents,
    currency,
    give_back: giveBack,
  } = row;
  findings.look("orders", 1);
  const items = itemsOf(row.items);
  const skus = new Set(items?.map(({ sku }) => sku));
  const isSound = items !== null && items.length > 0 && skus.size === items.length && items.every(({ quantity }) => quantity >= 1);
  if (!isSound || (giveBack !== null && (state === "payment-pending" || state === "paid")))
    findings.breach("orders", orderId, { orderId, state, items: row.items.slice(0, 200), giveBack });
  const isMoneyThere = state === "paid" || state === "refund-due";
  if (isMoneyThere) findings.look("payments", 1);
  const fields = [provider, paymentId, amountCents, currency];
  if (!fields.every((field) => (field !== null) === isMoneyThere))
    findings.breach("payments", orderId, { orderId, state, provider, paymentId, amountCents, currency });
  if (state === "refund-due" && amountCents !== 0) {
    findings.look("refunds", 1);
    if (!row.has_refund) findings.breach("refunds", orderId, { orderId, provider, paymentId, amountCents });
  }
  if (state !== "paid") return;
  for (const { sku, quantity } of items ?? []) {
    const of = paid.get(sku);
    if (of === undefined) continue;
    if (since > of.putAt) of.least += quantity;
    if (since >= of.putAt) of.most += quantity;
  }
}

export function itemsOf(text: string): readonly Item[] | null {
  try {
    const items = JSON.parse(text) as readonly Item[];
    return Array.isArray(items) && items.every((item) => typeof item?.sku === "string" && Number.isSafeInteger(item.quantity))
      ? items
      : null;
  } catch {
    return null;
  }
}

async function checkEvents(tx: Tx, findings: Findings): Promise<void> {
  const [head] = await tx<{ last_id: number; told: number; rows: number }>`
    select (select last_id from outbox_head) as last_id, coalesce(max(first_id + count - 1), 0) as told, count(*) as rows from outbox`;
  findings.look("events", head?.rows ?? 0);
  if (head && head.rows > 0 && head.told !== head.last_id)
    findings.breach("events", "head", { newest: head.last_id, newestThatIsThere: head.told });
  const gaps = await tx<{ first_id: number; next_id: number }>`
    select first_id, next_id from (
      select first_id, count, lead(first_id) over (order by first_id) as next_id from outbox
    ) as row where next_id is not null and first_id + count <> next_id limit ${AUDIT_PAGE_ROWS}`;
  for (const { first_id: firstId, next_id: nextId } of gaps) findings.breach("events", String(firstId), { firstId, nextId });
}
