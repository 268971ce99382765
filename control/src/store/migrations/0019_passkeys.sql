-- Passkeys: what an authenticator proves with, and the challenges that are out. The public key is all that is kept; it opens nothing.

create table holdfast.passkeys (
  id             uuid primary key,
  user_id        uuid not null references holdfast.users,
  -- The authenticator's own name for it: one row in the whole house, or somebody could bring another's.
  credential_id  bytea not null unique,
  -- COSE_Key.
  public_key     bytea not null,
  -- Of those that count. One that goes back was copied.
  sign_count     bigint not null,
  -- Whether its authenticator may keep a copy elsewhere, and whether it does.
  backup_eligible boolean not null,
  backed_up      boolean not null,
  transports     text[] not null,
  name           text not null,
  created_at     timestamptz not null default now(),
  last_used_at   timestamptz
);
create index passkeys_of_user on holdfast.passkeys (user_id);

-- In the database, so that any instance can check what another one gave out. Each is deleted by whoever uses it: of two, one finds it.
create table holdfast.passkey_challenges (
  challenge_sha256  bytea primary key,
  purpose           text not null check (purpose in ('register', 'sign_in', 'step_up')),
  -- Null: somebody who is not signed in yet.
  user_id           uuid references holdfast.users,
  -- Of the session, or of the browser's own secret for this sign-in: whoever reads the challenge elsewhere cannot answer it.
  holder_sha256     bytea not null,
  expires_at        timestamptz not null,
  check ((purpose = 'sign_in') = (user_id is null))
);
