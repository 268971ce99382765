-- Secrets: nothing in these tables opens without a key that is not in this database. Each secret has a data key, wrapped by the house's
-- key-encryption key; each version is sealed with the data key of its secret. A version never changes and is never read by a person.

create table holdfast.secret_house (
  the_one          boolean primary key default true check (the_one),
  -- Which key-encryption key new data keys are wrapped with. An instance that does not have it makes and opens no secret.
  key_id           text not null,
  -- Sealed with that key. Fingerprints are made with it, so that nobody can try out guesses against one.
  fingerprint_key  bytea not null,
  created_at       timestamptz not null default now(),
  rekeyed_at       timestamptz
);

create table holdfast.secrets (
  id          uuid primary key,
  -- NAME for one that somebody wrote, tunnel.NAME for the key that was made for a tunnel.
  name        text not null unique check (length(name) between 1 and 100),
  -- Which key-encryption key wraps the data key: while one is changed, two are in use.
  key_id      text not null,
  data_key    bytea not null,
  created_at  timestamptz not null default now()
);
create index secrets_key on holdfast.secrets (key_id);

create table holdfast.secret_versions (
  secret_id    uuid not null references holdfast.secrets on delete cascade,
  version      int not null check (version > 0),
  sealed       bytea not null,
  fingerprint  text not null,
  -- The two servers that a generated key was made for; empty for one that somebody wrote.
  bound_to     text not null,
  made_by      uuid not null references holdfast.users,
  made_at      timestamptz not null default now(),
  primary key (secret_id, version)
);
