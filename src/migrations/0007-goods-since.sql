-- Since when goods of this name have been sold: what was paid for by then was of goods that were removed since.
alter table ledger_goods add column put_at bigint not null default 0;
