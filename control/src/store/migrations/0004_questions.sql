-- What one instance asks an agent whose session another instance holds. A question changes nothing by itself: one that is lost is asked again,
-- and one that nobody answered in time is forgotten.

create table holdfast.questions (
  id           uuid primary key,
  server_id    uuid not null references holdfast.servers,
  verb         text not null check (verb in ('plan', 'state', 'release')),
  -- The message as it goes over the wire.
  request      bytea not null,
  asked_by     uuid not null,
  asked_at     timestamptz not null default now(),
  -- The instance that asks the agent. Taken once: an answer that does not come is asked for anew, with another id.
  taken_by     uuid,
  answer       bytea,
  -- Why there is no answer.
  failure      text,
  answered_at  timestamptz,
  constraint answered_once check ((answered_at is not null) = (answer is not null or failure is not null))
);
create index questions_open on holdfast.questions (server_id) where taken_by is null;
