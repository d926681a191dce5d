/**
 * The invariants of a store, each as a question to its tables alone: what the rows add up to, never what a running process believes. A check
 * counts what it looked at and names what breaks it.
 */
export interface Check {
  /** The invariant, as a sentence. */
  readonly promise: string;
  /** One row with one number: how much the check looks at. */
  readonly countSql: string;
  /** One row for each breach, its columns telling what is wrong. */
  readonly breachSql: string;
}

/** A SKU's time is the latest that its goods or its lines have seen. A hold is alive while its deadline lies behind it; an unpaid order while
 *  its deadline lies behind that of all its SKUs. */
const CLOCKS = `
  select g.sku, max(g.clock_ms, coalesce((select max(clock_ms) from line_clocks c where c.sku = g.sku), 0)) as clock_ms from goods g`;
/** One row for each item of an order. Text that is no JSON has none, which is a breach by itself. */
const ORDER_ITEMS = `order_items as (
    select o.id, o.order_id, o.state, o.pay_until_ms, o.since_ms, i.value ->> 0 as sku, i.value ->> 1 as quantity
    from orders o, json_each(case when json_valid(o.items) then o.items else '[]' end) i)`;
const FROZEN_BY_SKU = `
  with ${ORDER_ITEMS}, line_clocks as (select sku, max(clock_ms) as clock_ms from lines group by sku), clocks as (${CLOCKS}),
  lapsed as (
    select i.id from order_items i join clocks c using (sku) where i.state = 'payment-pending' and i.pay_until_ms <= c.clock_ms)
  select sku, sum(quantity) as frozen from (
    select l.sku, l.held as quantity from lines l join clocks c using (sku) where l.held > 0 and l.held_until_ms > c.clock_ms
    union all
    select sku, quantity from order_items where state = 'payment-pending' and id not in (select id from lapsed)
  ) group by sku`;

export const CHECKS: readonly Check[] = [
  {
    promise: "never oversold: live holds and unpaid orders add up to no more than what is on hand",
    countSql: "select count(*) from goods",
    breachSql: `select g.sku, g.on_hand, coalesce(f.frozen, 0) as frozen
      from goods g left join (${FROZEN_BY_SKU}) f using (sku) where g.on_hand < 0 or coalesce(f.frozen, 0) > g.on_hand`,
  },
  {
    promise: "sold and on hand are what was stocked",
    countSql: "select count(*) from goods",
    breachSql: "select sku, sold, on_hand, stocked from goods where sold < 0 or sold + on_hand <> stocked",
  },
  {
    promise: "paid orders are no more than what was sold",
    countSql: "select count(*) from orders where state = 'paid'",
    breachSql: `with ${ORDER_ITEMS} select i.sku, sum(i.quantity) as paid, g.sold from order_items i join goods g using (sku)
      where i.state = 'paid' and i.since_ms > g.put_at_ms group by i.sku having sum(i.quantity) > g.sold`,
  },
  {
    promise: "a user has one line per SKU, so nobody's goods are frozen twice",
    countSql: "select count(*) from lines",
    breachSql: "select user_id, sku, count(*) as lines from lines group by user_id, sku having count(*) > 1",
  },
  {
    promise: "every hold is of goods that exist, has a deadline, and names its purchase",
    countSql: "select count(*) from lines where held > 0",
    breachSql: `select l.user_id, l.sku, l.held, l.held_until_ms, l.session_id from lines l left join goods g using (sku)
      where l.held < 0 or l.ordered < 0 or (l.held > 0 and (g.sku is null or l.held_until_ms <= 0 or l.session_id is null))`,
  },
  {
    promise: "every unpaid order is of goods that exist",
    countSql: "select count(*) from orders where state = 'payment-pending'",
    breachSql: `with ${ORDER_ITEMS} select i.order_id, i.state, i.sku from order_items i left join goods g using (sku)
      where i.state = 'payment-pending' and g.sku is null`,
  },
  {
    promise: "an order is in a state that there is, and has items, at least one of each, no SKU twice",
    countSql: "select count(*) from orders",
    breachSql: `with ${ORDER_ITEMS} select o.order_id, o.state, i.sku, i.quantity, count(*) as items from orders o left join order_items i using (id)
      group by o.id, i.sku having i.sku is null or i.quantity < 1 or count(*) > 1
        or o.state not in ('payment-pending', 'paid', 'cancelled', 'expired', 'refund-due')`,
  },
  {
    promise: "an order that is paid or due back names its payment, and no other does",
    countSql: "select count(*) from orders where state in ('paid', 'refund-due')",
    breachSql: `select order_id, state, provider, payment_id, amount_cents, currency from orders
      where (state in ('paid', 'refund-due')) <> (provider is not null and payment_id is not null)
        or (provider is null) <> (amount_cents is null) or (provider is null) <> (currency is null)`,
  },
  {
    promise: "an idempotency key has one first reply",
    countSql: "select count(*) from replies, json_each(replies.entries)",
    breachSql: `select e.value ->> 0 as idempotency_key, count(*) as replies from replies, json_each(replies.entries) e group by 1 having count(*) > 1`,
  },
  {
    promise: "every kept reply can be found by the hash of its key",
    countSql: "select count(*) from replies",
    breachSql:
      "select id, json_array_length(entries) as entries, length(hashes) / 4 as hashes from replies where length(hashes) <> 4 * json_array_length(entries)",
  },
  {
    promise: "every policy has a limit of at least one",
    countSql: "select count(*) from policies",
    breachSql: "select sku, user_level, quantity_limit from policies where quantity_limit < 1 or user_level < 0",
  },
];
