-- What somebody should know, with a life: open, acknowledged, resolved. Found by looking at the rows of the house, so it survives every restart.

create table holdfast.alerts (
  id               uuid primary key,
  kind             text not null,
  -- What it is about: apply/<id>, server/<id>, instance/<address> or house.
  subject          text not null,
  server_id        uuid references holdfast.servers,
  apply_id         uuid references holdfast.applies,
  state            text not null default 'open' check (state in ('open', 'acknowledged', 'resolved')),
  -- A sentence for a person, as of the last look.
  message          text not null,
  -- What the house did by itself when it opened; null: nothing.
  action           text,
  opened_at        timestamptz not null default now(),
  -- A person is at it. It ends nothing: what is still so stays.
  acknowledged_at  timestamptz,
  acknowledged_by  uuid references holdfast.users,
  acknowledgement  text,
  resolved_at      timestamptz,
  constraint acknowledged_by_somebody check ((acknowledged_at is null) = (acknowledged_by is null)),
  constraint open_is_not_acknowledged check (state <> 'open' or acknowledged_at is null),
  constraint acknowledged_says_when check (state <> 'acknowledged' or acknowledged_at is not null),
  constraint resolved_says_when check ((state = 'resolved') = (resolved_at is not null))
);
-- Any number of instances may look at once: the same trouble is one alert.
create unique index one_standing_alert on holdfast.alerts (kind, subject) where state <> 'resolved';
create index alerts_of_server on holdfast.alerts (server_id, id desc) where server_id is not null;

-- What it is about never changes, and what is resolved stays so: the same trouble again is another alert.
create function holdfast.check_alert() returns trigger language plpgsql as $$
begin
  if (new.id, new.kind, new.subject, new.server_id, new.apply_id, new.opened_at)
     is distinct from (old.id, old.kind, old.subject, old.server_id, old.apply_id, old.opened_at) then
    raise exception 'alert % is about one thing', old.id using errcode = 'HF008';
  end if;
  if old.state = 'resolved' or (old.state = 'acknowledged' and new.state = 'open') then
    raise exception 'an alert that is % cannot become %', old.state, new.state using errcode = 'HF008';
  end if;
  return new;
end $$;
create trigger alert_life before update on holdfast.alerts for each row execute function holdfast.check_alert();

-- Work that one instance at a time should do. It saves work and decides nothing: what is done under it is the same when it is done twice.
create table holdfast.duties (
  name         text primary key,
  lease_owner  uuid not null,
  lease_until  timestamptz not null
);

-- The newest entry of the audit log that was seen whole. A log that was cut off behind it is a whole, shorter chain: only this can tell.
create table holdfast.audit_seen (
  the_one  boolean primary key default true check (the_one),
  id       bigint not null,
  hash     text not null,
  seen_at  timestamptz not null default now()
);

-- What each instance says of its own machine with its heartbeat.
alter table holdfast.instances
  add column disk_free_bytes   bigint,
  add column disk_total_bytes  bigint,
  -- How long it could not reach this database before it came back, the last time.
  add column away_seconds      double precision,
  add column back_at           timestamptz;

-- Refusals because of another apply under way are looked for every few seconds.
create index audit_refused_concurrent on holdfast.audit_log (at) where result_code in ('apply.server_busy', 'change.under_way');
-- And so is what ended in the last week.
create index applies_ended on holdfast.applies (finished_at) where finished_at is not null;
