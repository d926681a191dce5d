-- One row per webhook: what the operator has set, whether nothing is sent to it any more and why, and how far delivery has come. Whoever
-- changes one of the first two raises the version: by that, the process that delivers learns of it.
create table webhooks (
  id text primary key,
  version bigint not null,
  webhook text not null,
  disabled_because text,
  progress text not null
);
