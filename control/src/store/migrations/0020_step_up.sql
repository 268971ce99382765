-- When whoever is signed in has last shown a second factor. The database's clock sets it and is asked for it: instances' clocks differ.

alter table holdfast.tokens
  add column fresh_at timestamptz,
  add constraint token_is_never_fresh check (kind = 'session' or fresh_at is null);
