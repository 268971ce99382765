-- What tells a repeated request from another one is a MAC under a key that is not in the database: by a plain digest a copy of the database would
-- try out passwords that stood alone in a body, past argon2. Digests of before go; a repetition across this upgrade is refused, never done twice.
alter table holdfast.idempotency_keys rename column body_sha256 to body_mac;
update holdfast.idempotency_keys set body_mac = '';
comment on column holdfast.idempotency_keys.body_mac is
  'HMAC-SHA-256 of address and body, under the key idempotency-v1 that is derived from the command key';
