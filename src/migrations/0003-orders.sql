-- Orders, where they are at home. What they freeze is frozen in Redis while they wait for payment; how they end is decided here.
create table orders (
  seq bigint generated always as identity,
  order_id text primary key,
  user_id text not null,
  user_level integer not null,
  -- JSON, one object per item: sku, quantity, priceCents, heldUntil.
  items text not null,
  state text not null check (state in ('payment-pending', 'paid', 'cancelled', 'expired', 'refund-due')),
  placed_at bigint not null,
  pay_until bigint not null,
  since bigint not null,
  provider text,
  payment_id text,
  amount_cents bigint,
  currency text,
  -- What Redis still has to give back of an order that has ended: its goods (free), or its holds (held).
  give_back text check (give_back in ('free', 'held')),
  check ((payment_id is not null) = (state in ('paid', 'refund-due')))
);
create unique index orders_paid_with on orders (provider, payment_id) where payment_id is not null;
create index orders_of_user on orders (user_id, seq desc);
create index orders_unpaid on orders (pay_until) where state = 'payment-pending';
create index orders_to_give_back on orders (seq) where give_back is not null;
create index orders_ended on orders (since) where state <> 'payment-pending';

-- How far the ledger's streams in Redis have been taken over. Whoever holds the row tells what comes next in the outbox.
create table ledger_streams (
  partition integer primary key,
  last_id text not null
);

-- What a Redis that has lost its data gets back, beside the unpaid orders: goods as operators have set them, with what was sold since...
create table ledger_goods (
  sku text primary key,
  stocked bigint not null,
  sold bigint not null,
  price_cents bigint not null
);
-- ... and what users have bought, or operators have put on record. A level below 0: there is no record.
create table ledger_lines (
  user_id text not null,
  sku text not null,
  ordered bigint not null,
  user_level integer not null,
  primary key (user_id, sku)
);
