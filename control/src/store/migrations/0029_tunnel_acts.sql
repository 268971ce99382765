-- What operators did to tunnels beside changing them. A row is there before anything is signed or sent; its end says what came of it.
create table holdfast.tunnel_acts (
  -- The request_id of the command.
  id            uuid primary key,
  server_id     uuid not null references holdfast.servers,
  tunnel        text not null,
  act           text not null check (act in ('initiate', 'terminate', 'rekey')),
  of            text not null check (of in ('child', 'ike')),
  acknowledged  text[] not null,
  fence         bigint not null,
  requested_by  uuid not null references holdfast.users,
  requested_at  timestamptz not null default now(),
  -- `unknown`: the answer was lost, and whoever asked has been told so.
  outcome       text check (outcome in ('nothing_to_do', 'done', 'refused', 'failed', 'unknown')),
  code          text,
  ended_at      timestamptz,
  constraint ended_with_outcome check ((ended_at is null) = (outcome is null))
);
create unique index tunnel_acts_one_open on holdfast.tunnel_acts (server_id) where ended_at is null;
alter table holdfast.tunnel_acts enable row level security;
create policy seen on holdfast.tunnel_acts using (holdfast.sees(server_id)) with check (true);

alter table holdfast.questions
  drop constraint questions_verb_check,
  add constraint questions_verb_check check (verb in ('plan', 'state', 'release', 'audit_head', 'packets', 'tunnel_preview', 'tunnel'));
