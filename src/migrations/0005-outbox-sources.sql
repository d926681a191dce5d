-- Events that are kept elsewhere until they are in the outbox, and are brought again when the answer was lost: which of them are in it.
create table outbox_sources (
  id text primary key,
  at_ms bigint not null
);
create index outbox_sources_old on outbox_sources (at_ms);
