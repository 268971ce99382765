-- Sign-in by an OpenID Connect provider: which of its subjects is which account here.

create table holdfast.identities (
  id         uuid primary key,
  user_id    uuid not null references holdfast.users,
  -- As the provider writes them. Never an address of mail: that can change hands.
  issuer     text not null,
  subject    text not null check (length(subject) between 1 and 255),
  linked_at  timestamptz not null default now(),
  unique (issuer, subject),
  unique (user_id, issuer)
);

-- A sign-in under way lies sealed in its browser; here stands only that it was used, for longer than it could be used again.
create table holdfast.sign_ins_used (
  id_sha256  bytea primary key,
  forget_at  timestamptz not null
);
create index sign_ins_used_forget on holdfast.sign_ins_used (forget_at);

-- What somebody had shown who opened a session, or made a token with one. A one-time password holds up only what was opened with a password,
-- and what was opened with a provider ends with the link to it.
alter table holdfast.tokens add column opened_with text not null default 'password' check (opened_with in ('password', 'oidc'));
