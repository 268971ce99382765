-- Heads of the audit log, signed with a key that is not in the database: whoever writes the whole chain anew cannot sign it.

create table holdfast.audit_checkpoints (
  -- How many entries the chain had.
  entries    bigint primary key check (entries > 0),
  head       text not null,
  at         timestamptz not null,
  signature  bytea not null
);
create trigger audit_checkpoints_append_only before update or delete on holdfast.audit_checkpoints
  for each row execute function holdfast.refuse_change();
create trigger audit_checkpoints_no_truncate before truncate on holdfast.audit_checkpoints
  for each statement execute function holdfast.refuse_change();
