-- Servers keep the newest head of the audit log, where whoever owns this database does not reach. Here stands what they said of it.

-- Signed by the guard of the server: what it kept, and when. For a server that cannot be asked any more.
create table holdfast.audit_receipts (
  server_id    uuid not null references holdfast.servers,
  epoch        bigint not null check (epoch > 0),
  entries      bigint not null check (entries > 0),
  body         text not null,
  signature    bytea not null,
  received_at  timestamptz not null default now(),
  primary key (server_id, epoch, entries)
);
create trigger audit_receipts_append_only before update or delete on holdfast.audit_receipts
  for each row execute function holdfast.refuse_change();
create trigger audit_receipts_no_truncate before truncate on holdfast.audit_receipts
  for each statement execute function holdfast.refuse_change();

-- How what a server keeps stood to this log when it was last asked; only what is so now.
create table holdfast.audit_standings (
  server_id  uuid primary key references holdfast.servers,
  standing   text not null check (standing in ('holds', 'none', 'ahead', 'forked', 'unproven', 'refuses', 'unsupported')),
  -- Of the head that it keeps; null while it keeps none, or cannot.
  epoch      bigint,
  entries    bigint,
  head       text,
  head_at    text,
  -- The server's own dotted code, where it refused what it was handed.
  code       text,
  asked_at   timestamptz not null default now(),
  constraint whole_or_none check ((epoch is null) = (entries is null) and (epoch is null) = (head is null) and (epoch is null) = (head_at is null))
);

-- Both say of which server they are: a reader whose sight is cut sees no others.
alter table holdfast.audit_receipts enable row level security;
create policy seen on holdfast.audit_receipts using (holdfast.sees(server_id)) with check (true);
alter table holdfast.audit_standings enable row level security;
create policy seen on holdfast.audit_standings using (holdfast.sees(server_id)) with check (true);

-- Somebody has said that the log counts as it is although servers keep more of it, or another one: a backup was put back. Signed with the key
-- that signs heads: a row that is put here from outside begins nothing.
create table holdfast.audit_epochs (
  epoch      bigint primary key check (epoch > 1),
  -- The log as it was then.
  entries    bigint not null check (entries > 0),
  head       text not null,
  at         timestamptz not null,
  begun_by   text not null,
  reason     text not null check (length(reason) between 1 and 500),
  signature  bytea not null
);
create trigger audit_epochs_append_only before update or delete on holdfast.audit_epochs
  for each row execute function holdfast.refuse_change();
create trigger audit_epochs_no_truncate before truncate on holdfast.audit_epochs
  for each statement execute function holdfast.refuse_change();

alter table holdfast.questions
  drop constraint questions_verb_check,
  add constraint questions_verb_check check (verb in ('plan', 'state', 'release', 'audit_head'));
