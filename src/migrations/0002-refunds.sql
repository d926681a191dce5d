-- Money that has to go back. A payment is refunded once, whoever asks for it and however often.
create table refunds (
  id bigint generated always as identity primary key,
  provider text not null,
  payment_id text not null,
  order_id text not null,
  amount_cents bigint not null,
  currency text not null,
  state text not null,
  attempts integer not null,
  try_until_ms bigint not null,
  next_at_ms bigint,
  last_error text,
  since_ms bigint not null,
  unique (provider, payment_id)
);
create index refunds_waiting on refunds (provider, next_at_ms) where next_at_ms is not null;
create index refunds_by_state on refunds (state, id);
create index refunds_made on refunds (since_ms) where state = 'done';
