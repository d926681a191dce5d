-- The audit trail: what operators have changed. A row is there before its change is made; one without a status is of a change whose end
-- was not recorded, because its process died or the database was away: it may have happened.
create table operator_changes (
  id bigint generated always as identity primary key,
  at_ms bigint not null,
  -- The address that asked. There is one admin key, and it names nobody.
  who text not null,
  service text not null,
  operation text not null,
  -- JSON, without secrets: what was asked for, what it changed as it was before, and what was answered.
  asked text not null,
  before text,
  status integer,
  after text
);
create index operator_changes_old on operator_changes (at_ms);
