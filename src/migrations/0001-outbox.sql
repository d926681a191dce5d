-- Events that were saved with their changes and have no ids yet: whoever changes something appends here and waits for nobody. A row holds
-- the events of one change, one JSON object in a line, without ids.
create table outbox_arrivals (
  seq bigint generated always as identity primary key,
  at_ms bigint not null,
  count integer not null check (count > 0),
  entries text not null
);

-- Events with the ids from first_id on. They come here from the arrivals, a batch at a time and one process at a time, and so in order and
-- without a gap for everybody who reads.
create table outbox (
  first_id bigint primary key,
  at_ms bigint not null,
  count integer not null check (count > 0),
  entries text not null
);

-- One row: the newest event that has an id, and its time, which never goes back.
create table outbox_head (
  is_only boolean primary key default true check (is_only),
  last_id bigint not null,
  at_ms bigint not null
);
insert into outbox_head (last_id, at_ms) values (0, 0);
