-- When a passkey was last shown with a counter that had not gone on, which is what a copy looks like; null when never, or when somebody has looked
-- since. An alert stands as long as it is set.
alter table holdfast.passkeys add column counter_back_at timestamptz;
-- Looked for every few seconds.
create index passkeys_counter_back on holdfast.passkeys (id) where counter_back_at is not null;
