-- Whose keys the agents of this house trust: one row, written by the first control plane and never changed. Another control plane on the same
-- database with other keys would have its agents refused by every server, so it does not start.
create table authority (
  the_one         boolean primary key default true check (the_one),
  ca_fingerprint  text not null,
  command_key_id  text not null,
  created_at      timestamptz not null default now()
);
create trigger authority_append_only before update or delete on authority for each row execute function refuse_change();
create trigger authority_no_truncate before truncate on authority for each statement execute function refuse_change();
