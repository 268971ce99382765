-- A second factor, service accounts, and where a session was opened from.

alter table holdfast.users
  add column kind text not null default 'person' check (kind in ('person', 'service')),
  -- Sealed with a key that is not in the database: a copy of the database makes no codes.
  add column totp_sealed bytea,
  -- Null until a code has shown that the person has the secret.
  add column totp_since timestamptz,
  -- The last time step whose code was used: no code opens twice.
  add column totp_step bigint not null default 0,
  add constraint service_has_no_sign_in check (kind = 'person' or (password_hash is null and totp_sealed is null)),
  add constraint totp_has_secret check (totp_since is null or totp_sealed is not null);

-- For the day when the phone is gone. Each opens once; only the SHA-256 is kept, which is safe for what has 99 bits.
create table holdfast.recovery_codes (
  user_id      uuid not null references holdfast.users,
  code_sha256  bytea not null,
  used_at      timestamptz,
  primary key (user_id, code_sha256)
);

alter table holdfast.tokens add column source text not null default '';
