-- What was told to whom about an alert: one row for each event and channel, kept as the log of deliveries. Channels are named in a file beside
-- each control plane; neither their addresses nor their secrets are here.

create table holdfast.deliveries (
  id           uuid primary key,
  alert_id     uuid not null references holdfast.alerts,
  event        text not null check (event in ('opened', 'acknowledged', 'resolved')),
  channel      text not null,
  -- The message as it was when it happened: every try sends the same.
  payload      jsonb not null,
  state        text not null default 'waiting' check (state in ('waiting', 'delivered', 'given_up')),
  tries        int not null default 0,
  -- Taking one moves this on, so that whoever dies while sending is followed by another try.
  next_try_at  timestamptz not null default now(),
  -- The last answer: a status, or in words why there was none.
  last_status  int,
  last_error   text,
  created_at   timestamptz not null default now(),
  finished_at  timestamptz,
  unique (alert_id, event, channel),
  constraint finished_says_when check ((state = 'waiting') = (finished_at is null))
);
create index deliveries_due on holdfast.deliveries (next_try_at) where state = 'waiting';
