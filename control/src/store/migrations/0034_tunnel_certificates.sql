-- What is public of a private key: its certificate, the one of the authority that issued it (both as the base64 of their DER), what strongSwan calls the
-- key by (SHA-1 of the public half), and when the certificate ends. A version that is a pre-shared key has none of them.
alter table holdfast.secret_versions
  add column certificate  text,
  add column authority    text,
  add column private_id   text,
  add column not_after    timestamptz,
  add constraint secret_versions_certificate check (num_nulls(certificate, authority, private_id, not_after) in (0, 4));
