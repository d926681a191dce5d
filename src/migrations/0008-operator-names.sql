-- The name that an operator gave with a change. Nobody has checked it: there is one admin key.
alter table operator_changes add column operator text;
