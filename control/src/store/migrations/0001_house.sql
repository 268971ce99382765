-- The house. Readable from top to bottom: who, what, the plan, the work, the proof.
-- Times are timestamptz and for people; nothing is ever decided by comparing them with a server's clock.

-- ── who ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

create table users (
  id             uuid primary key,
  name           text not null unique check (name ~ '^[a-z][a-z0-9._-]{0,63}$'),
  password_hash  text,
  must_change    boolean not null default false,
  disabled_at    timestamptz,
  created_at     timestamptz not null default now()
);

-- view, edit, apply never imply one another. `scope` is a label selector as JSON ({"all": true} or {"role": "web"}), `domains` null is every domain.
create table grants (
  user_id     uuid not null references users,
  permission  text not null check (permission in ('view', 'edit', 'apply', 'approve', 'audit', 'admin')),
  scope       jsonb not null default '{"all": true}',
  domains     text[],
  primary key (user_id, permission, scope)
);

-- API tokens and browser sessions: only the SHA-256 of the secret is kept.
create table tokens (
  id            uuid primary key,
  user_id       uuid not null references users,
  kind          text not null check (kind in ('api', 'session')),
  name          text not null,
  secret_sha256 bytea not null unique,
  permissions   text[] not null,
  created_at    timestamptz not null default now(),
  expires_at    timestamptz,
  last_used_at  timestamptz,
  revoked_at    timestamptz
);

create table idempotency_keys (
  user_id      uuid not null references users,
  key          text not null,
  route        text not null,
  body_sha256  bytea not null,
  -- null while the first request is being worked on.
  status       int,
  response     jsonb,
  created_at   timestamptz not null default now(),
  primary key (user_id, key)
);

-- ── servers ──────────────────────────────────────────────────────────────────────────────────────────────────────────

create table servers (
  id                uuid primary key,
  name              text not null unique check (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  enrolment         text not null default 'expected' check (enrolment in ('expected', 'pending', 'enrolled', 'released')),
  -- Rises with every claim of this server's work. Only ever by +1, except when an agent's fence is ahead (restored backup): then it is believed.
  fence             bigint not null default 0,
  generation        bigint not null default 0,
  confirmed_digest  text,
  -- The effective config that is in force, as confirmed by the agent.
  confirmed_config  jsonb,
  last_applied_id   uuid,
  boot_id           text,
  agent_version     text,
  facts             jsonb not null default '{}',
  capabilities      jsonb not null default '[]',
  drift             jsonb not null default '[]',
  locked_code       text,
  locked_reason     text,
  paused_until      timestamptz,
  paused_reason     text,
  -- The instance that holds this agent's connection: its work follows it.
  session_instance  uuid,
  session_id        uuid,
  session_since     timestamptz,
  last_seen_at      timestamptz,
  created_at        timestamptz not null default now(),
  released_at       timestamptz,
  version           bigint not null default 1
);

create table enrolment_tokens (
  id            uuid primary key,
  server_id     uuid not null references servers,
  secret_sha256 bytea not null unique,
  created_by    uuid references users,
  created_at    timestamptz not null default now(),
  expires_at    timestamptz not null,
  used_at       timestamptz,
  -- The key that used it: the same key may ask again (approval pending, lost answer), another one is an alarm.
  used_by_key   text
);

create table agent_keys (
  id                  uuid primary key,
  server_id           uuid not null references servers,
  -- Lower-case hex SHA-256 of the SubjectPublicKeyInfo.
  tls_key_sha256      text not null unique,
  tls_public_key      bytea not null,
  receipt_public_key  bytea not null,
  state               text not null check (state in ('pending', 'active', 'superseded', 'revoked')),
  approved_by         uuid references users,
  certificate_serial  text,
  not_after           timestamptz,
  created_at          timestamptz not null default now(),
  revoked_at          timestamptz
);
create unique index one_active_key on agent_keys (server_id) where state = 'active';

-- ── what: documents, revisions, changes ──────────────────────────────────────────────────────────────────────────────

create table documents (
  id             uuid primary key,
  kind           text not null check (kind in ('Policy', 'Server', 'Tunnel', 'Group', 'Floor')),
  name           text not null,
  head_revision  int not null default 0,
  deleted        boolean not null default false,
  version        bigint not null default 1,
  unique (kind, name)
);

-- Immutable and numbered. `text` is the author's, byte for byte; null text is a deletion.
create table revisions (
  document_id  uuid not null references documents,
  revision     int not null check (revision > 0),
  text         text,
  digest       text not null,
  author_id    uuid not null references users,
  change_id    uuid not null,
  comment      text not null default '',
  created_at   timestamptz not null default now(),
  primary key (document_id, revision)
);

create table changes (
  id          uuid primary key,
  title       text not null,
  reason      text not null default '',
  -- DRAFT and READY are this row's own; after that the state is rolled up from its applies by the view change_status.
  state       text not null default 'DRAFT' check (state in ('DRAFT', 'READY', 'CANCELLED')),
  author_id   uuid not null references users,
  created_at  timestamptz not null default now(),
  ready_at    timestamptz,
  -- Digest over the items: what an approval is bound to.
  digest      text,
  version     bigint not null default 1
);

create table change_items (
  change_id      uuid not null references changes,
  kind           text not null,
  name           text not null,
  -- null: the document is deleted by this change.
  text           text,
  -- The head that the author saw; 0 for a new document. A head that has moved since is a conflict with a name.
  base_revision  int not null,
  -- Set when the change becomes READY.
  revision       int,
  primary key (change_id, kind, name)
);

-- Nobody approves their own change, and an approval is of exactly this content: an edit voids it.
create table approvals (
  change_id    uuid not null references changes,
  user_id      uuid not null references users,
  digest       text not null,
  approved_at  timestamptz not null default now(),
  primary key (change_id, user_id)
);
create function check_approval() returns trigger language plpgsql as $$
begin
  if exists (select from holdfast.changes c where c.id = new.change_id and (c.author_id = new.user_id or c.digest is distinct from new.digest)) then
    raise exception 'an approval is given by another than the author, for the content of now' using errcode = 'HF007';
  end if;
  return new;
end $$;
create trigger approval before insert or update on approvals for each row execute function check_approval();

-- Which revision of which document is in force on a server. Moves only when an apply ends APPLIED (or a rollback ROLLED_BACK).
create table assignments (
  server_id    uuid not null references servers,
  document_id  uuid not null references documents,
  revision     int not null,
  apply_id     uuid not null,
  primary key (server_id, document_id)
);

-- A revision that was undone on a server for a reason of its own.
create table quarantines (
  id           uuid primary key,
  server_id    uuid not null references servers,
  document_id  uuid not null references documents,
  revision     int not null,
  apply_id     uuid not null,
  code         text not null,
  transient    boolean not null default false,
  created_at   timestamptz not null default now(),
  released_at  timestamptz,
  released_by  uuid references users
);
create unique index one_quarantine on quarantines (server_id, document_id, revision) where released_at is null;

-- ── the plan ─────────────────────────────────────────────────────────────────────────────────────────────────────────

create table plans (
  id               uuid primary key,
  change_id        uuid not null references changes,
  server_id        uuid not null references servers,
  kind             text not null default 'forward' check (kind in ('forward', 'rollback')),
  status           text not null check (status in ('planned', 'nothing_to_do', 'refused', 'unreachable')),
  -- The effective config (canonical JSON text) and where every item came from.
  config           text,
  config_digest    text,
  provenance       jsonb not null default '[]',
  -- [{document_id, revision}] that will be in force.
  revisions        jsonb not null default '[]',
  plan_digest      text,
  base_digest      text,
  base_generation  bigint,
  steps            jsonb not null default '[]',
  native_diff      jsonb not null default '{}',
  findings         jsonb not null default '[]',
  probes           jsonb not null default '[]',
  touches_management_path boolean not null default false,
  created_at       timestamptz not null default now(),
  created_by       uuid references users
);
create index plans_of_change on plans (change_id, server_id, created_at desc);

-- ── the work ─────────────────────────────────────────────────────────────────────────────────────────────────────────

create table instances (
  id          uuid primary key,
  address     text not null,
  started_at  timestamptz not null default now(),
  seen_at     timestamptz not null default now()
);

create table rollouts (
  id            uuid primary key,
  change_id     uuid not null references changes,
  kind          text not null check (kind in ('forward', 'rollback')),
  state         text not null default 'RUNNING' check (state in ('RUNNING', 'PAUSED', 'HALTED', 'DONE')),
  halt_code     text,
  halt_message  text,
  settings      jsonb not null,
  current_wave  int not null default 0,
  wave_opens_at timestamptz,
  requested_by  uuid not null references users,
  created_at    timestamptz not null default now(),
  finished_at   timestamptz,
  fence         bigint not null default 0,
  lease_owner   uuid,
  lease_until   timestamptz,
  version       bigint not null default 1
);

create table rollout_targets (
  rollout_id  uuid not null references rollouts,
  server_id   uuid not null references servers,
  wave        int not null,
  position    int not null,
  plan_id     uuid not null references plans,
  -- For a rollback rollout: the apply that is rolled back.
  apply_id    uuid,
  primary key (rollout_id, server_id)
);

-- One change on one server: the row that carries the state machine.
create table applies (
  id               uuid primary key,
  change_id        uuid not null references changes,
  rollout_id       uuid not null references rollouts,
  server_id        uuid not null references servers,
  plan_id          uuid not null references plans,
  wave             int not null default 0,
  revisions        jsonb not null default '[]',
  state            text not null default 'READY'
                   check (state in ('READY', 'APPLYING', 'APPLIED', 'FAILED', 'ROLLBACKING', 'ROLLED_BACK', 'CANCELLED')),
  phase            text check (phase in ('dispatched', 'prepared', 'armed', 'changing', 'on_trial', 'confirming', 'finalizing', 'reverting', 'in_doubt')),
  effect           text check (effect in ('none', 'restore_failed', 'unknown')),
  server_is        text not null default 'as_before' check (server_is in ('as_before', 'as_requested', 'mixed', 'unknown')),
  -- Why it failed or was undone: stable dotted code and words.
  code             text,
  message          text,
  requested_by     uuid not null references users,
  requested_at     timestamptz not null default now(),
  started_at       timestamptz,
  finished_at      timestamptz,
  retry_of         uuid references applies,
  retry_count      int not null default 0,
  -- The host transaction under way, or the last one.
  request_id       uuid,
  fence            bigint,
  lease_owner      uuid,
  lease_until      timestamptz,
  -- The saga looks at an open apply no later than this.
  next_check_at    timestamptz not null default now(),
  -- When the server undoes by itself, by the control plane's reckoning; for people and for the reconcilers.
  deadline_at      timestamptz,
  last_step        text,
  -- An operator's wish that the saga reads in the transaction of its next step.
  wish             text check (wish in ('confirm', 'abort', 'force_close')),
  wish_by          uuid references users,
  wish_reason      text,
  version          bigint not null default 1,
  constraint failed_says_effect check ((state = 'FAILED') = (effect is not null)),
  constraint open_has_phase check ((state in ('APPLYING', 'ROLLBACKING')) = (phase is not null)),
  constraint only_open_is_leased check (lease_owner is null or state in ('APPLYING', 'ROLLBACKING')),
  constraint lease_has_end check ((lease_owner is null) = (lease_until is null)),
  constraint settled_says_server_is check (
    case state when 'APPLIED' then server_is = 'as_requested' when 'ROLLED_BACK' then server_is = 'as_before'
               when 'FAILED' then (effect = 'none') = (server_is = 'as_before') else true end)
);
create unique index one_open_apply on applies (server_id) where state in ('APPLYING', 'ROLLBACKING');
create index applies_due on applies (next_check_at) where state in ('READY', 'APPLYING', 'ROLLBACKING');
create index applies_of_change on applies (change_id);
create index applies_again on applies (retry_of) where retry_of is not null;
create index rollouts_of_change on rollouts (change_id);
create index applies_of_server on applies (server_id, requested_at desc);

-- One execution on a server. An apply has one forward transaction and perhaps rollbacks.
create table host_transactions (
  request_id      uuid primary key,
  apply_id        uuid not null references applies,
  server_id       uuid not null references servers,
  kind            text not null check (kind in ('forward', 'rollback')),
  plan_id         uuid not null references plans,
  fence           bigint not null,
  nonce           text not null,
  config_digest   text not null,
  plan_digest     text not null,
  -- Each is committed before the message that it stands for leaves.
  prepare_sent_at  timestamptz,
  execute_sent_at  timestamptz,
  confirm_sent_at  timestamptz,
  abort_sent_at    timestamptz,
  -- The session over which on_trial was learnt fresh, and since when: the soak begins there.
  fresh_session_id uuid,
  fresh_since     timestamptz,
  -- The times that this transaction was sent with: {windowMs, soakMs, budgetMs, needsPerson}.
  trial           jsonb not null default '{}',
  -- Of a rollback: what the apply was before it, {state, effect, serverIs}, should it come to nothing.
  before          jsonb,
  baseline        jsonb,
  probe_results   jsonb,
  outcome         text check (outcome in ('finalized', 'reverted', 'revert_failed', 'refused')),
  outcome_code    text,
  receipt         jsonb,
  created_at      timestamptz not null default now(),
  finished_at     timestamptz
);
create unique index one_forward_transaction on host_transactions (apply_id) where kind = 'forward';
create index host_transactions_of_apply on host_transactions (apply_id, created_at);

-- One request id is one transaction with one content for ever, and what the server said of it does not change its mind: only an undo
-- that had failed may succeed later.
create function check_host_transaction() returns trigger language plpgsql as $$
begin
  if (new.request_id, new.apply_id, new.server_id, new.kind, new.plan_id, new.nonce, new.config_digest, new.plan_digest)
     is distinct from (old.request_id, old.apply_id, old.server_id, old.kind, old.plan_id, old.nonce, old.config_digest, old.plan_digest) then
    raise exception 'host transaction % is written once', old.request_id using errcode = 'HF005';
  end if;
  if old.outcome is not null and new.outcome is distinct from old.outcome and not (old.outcome = 'revert_failed' and new.outcome = 'reverted') then
    raise exception 'host transaction % ended %, it cannot become %', old.request_id, old.outcome, coalesce(new.outcome, 'open') using errcode = 'HF005';
  end if;
  if new.fence < old.fence then
    raise exception 'the fence of host transaction % may not fall', old.request_id using errcode = 'HF003';
  end if;
  return new;
end $$;
create trigger host_transaction before update on host_transactions for each row execute function check_host_transaction();

-- Every state change, appended in the transaction that makes it.
create table apply_events (
  id          bigint generated always as identity primary key,
  apply_id    uuid not null references applies,
  -- The version of the apply that this made: one event for each, so none is missing and none is double.
  version     bigint not null,
  request_id  uuid,
  at          timestamptz not null default now(),
  from_state  text,
  to_state    text not null,
  phase       text,
  code        text,
  message     text,
  actor       text not null,
  instance_id uuid,
  unique (apply_id, version)
);

-- The law: only the steps of core's TRANSITIONS. Filled by the migration runner from that table, so the two cannot differ.
create table apply_transitions (
  from_state text not null,
  to_state   text not null,
  primary key (from_state, to_state)
);

create function check_apply_transition() returns trigger language plpgsql as $$
declare
  forward_ended  text;
  rollback_held  boolean;
begin
  if new.state is distinct from old.state or new.effect is distinct from old.effect then
    if not exists (select from holdfast.apply_transitions t where t.from_state = old.state and t.to_state = new.state)
       or (old.state = 'FAILED' and new.state = 'ROLLBACKING' and old.effect = 'none')
       -- From APPLYING only what changed nothing fails; whatever was changed is on its way back first.
       or (new.state = 'FAILED' and (old.state = 'APPLYING') <> (new.effect = 'none')) then
      raise exception 'illegal apply transition % -> %', old.state || coalesce('(' || old.effect || ')', ''), new.state || coalesce('(' || new.effect || ')', '')
        using errcode = 'HF001';
    end if;
    -- The server's own word comes first (PROTOCOL invariants 1 and 2): a state that claims something about the server needs the receipt's row.
    select t.outcome into forward_ended from holdfast.host_transactions t where t.apply_id = new.id and t.kind = 'forward';
    rollback_held := exists (select from holdfast.host_transactions t where t.apply_id = new.id and t.kind = 'rollback' and t.outcome = 'finalized');
    if (new.state = 'APPLIED' and (forward_ended is distinct from 'finalized' or rollback_held))
       or (new.state = 'ROLLED_BACK' and not rollback_held and (forward_ended is null or forward_ended not in ('reverted', 'refused')))
       or (new.state = 'FAILED' and new.effect = 'none' and forward_ended in ('finalized', 'revert_failed')) then
      raise exception 'apply % cannot become %: its forward transaction ended %, a rollback was %', old.id, new.state,
        coalesce(forward_ended, 'not yet'), case when rollback_held then 'confirmed' else 'not confirmed' end using errcode = 'HF001';
    end if;
  end if;
  -- The version counts what a saga decides from; the lease's end, the next look, progress and an operator's wish do not disturb it.
  if new.version <> old.version + (case when (new.state, new.phase, new.effect, new.server_is, new.code, new.request_id, new.fence, new.lease_owner)
       is distinct from (old.state, old.phase, old.effect, old.server_is, old.code, old.request_id, old.fence, old.lease_owner) then 1 else 0 end) then
    raise exception 'apply % was changed without its version rising by one, or the other way round', old.id using errcode = 'HF002';
  end if;
  if new.fence < old.fence or (old.fence is not null and new.fence is null) then
    raise exception 'the fence of apply % may not fall', old.id using errcode = 'HF003';
  end if;
  return new;
end $$;
create trigger apply_transition before update on applies for each row execute function check_apply_transition();

create function check_new_apply() returns trigger language plpgsql as $$
begin
  if new.state <> 'READY' then
    raise exception 'an apply begins READY, not %', new.state using errcode = 'HF001';
  end if;
  return new;
end $$;
create trigger new_apply before insert on applies for each row execute function check_new_apply();

-- No change of state without its event, in the same transaction: checked at COMMIT.
create function check_apply_event() returns trigger language plpgsql as $$
begin
  if not exists (select from holdfast.apply_events e where e.apply_id = new.id and e.version = new.version and e.to_state = new.state) then
    raise exception 'apply % became % without an event', new.id, new.state using errcode = 'HF006';
  end if;
  return null;
end $$;
create constraint trigger new_apply_has_event after insert on applies deferrable initially deferred
  for each row execute function check_apply_event();
create constraint trigger moved_apply_has_event after update on applies deferrable initially deferred
  for each row when (new.state is distinct from old.state) execute function check_apply_event();

-- A server's fence never falls either.
create function check_server_fence() returns trigger language plpgsql as $$
begin
  if new.fence < old.fence then
    raise exception 'the fence of server % may not fall', old.name using errcode = 'HF003';
  end if;
  return new;
end $$;
create trigger server_fence before update of fence on servers for each row execute function check_server_fence();

-- ── the proof ────────────────────────────────────────────────────────────────────────────────────────────────────────

-- `id` is the position in the chain, without a gap.
create table audit_log (
  id           bigint primary key check (id > 0),
  at           timestamptz not null,
  actor        text not null,
  source       text not null default '',
  action       text not null,
  object       text not null,
  server_id    uuid,
  request_id   uuid,
  old          jsonb,
  new          jsonb,
  result_code  text not null,
  -- SHA-256 over the canonical JSON of this entry and the hash before it.
  prev_hash    text not null,
  hash         text not null unique
);
create index audit_of_object on audit_log (object, id);
create index audit_of_request on audit_log (request_id, id) where request_id is not null;

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'HF004';
end $$;
-- Also against the owner and a superuser, who would have to take the trigger away first: the chain then tells.
create trigger audit_log_append_only before update or delete on audit_log for each row execute function refuse_change();
create trigger audit_log_no_truncate before truncate on audit_log for each statement execute function refuse_change();
create trigger apply_events_append_only before update or delete on apply_events for each row execute function refuse_change();
create trigger apply_events_no_truncate before truncate on apply_events for each statement execute function refuse_change();
create trigger revisions_append_only before update or delete on revisions for each row execute function refuse_change();
create trigger revisions_no_truncate before truncate on revisions for each statement execute function refuse_change();

-- ── the questions that anybody may ask ───────────────────────────────────────────────────────────────────────────────

create view server_status as
select s.id, s.name, s.enrolment, s.generation, s.locked_code, s.locked_reason, s.paused_until, s.session_instance is not null as connected,
       s.last_seen_at, s.drift,
       open.id as open_apply_id, open.state as open_state, open.phase as open_phase, open.deadline_at as open_deadline_at,
       ok.id as last_success_apply_id, ok.finished_at as last_success_at, ok.change_id as last_success_change_id,
       bad.id as last_failure_apply_id, bad.state as last_failure_state, bad.effect as last_failure_effect, bad.server_is as last_failure_server_is,
       bad.code as last_failure_code, bad.message as last_failure_message, bad.finished_at as last_failure_at
from servers s
left join lateral (select * from applies a where a.server_id = s.id and a.state in ('APPLYING', 'ROLLBACKING') limit 1) open on true
left join lateral (select * from applies a where a.server_id = s.id and a.state = 'APPLIED' order by a.finished_at desc limit 1) ok on true
left join lateral (select * from applies a where a.server_id = s.id and a.state in ('FAILED', 'ROLLED_BACK') order by a.finished_at desc limit 1) bad on true;
comment on view server_status is 'What state is this server in now, when was its last successful apply and of what, why did the last one fail.';

create view server_policies as
select a.server_id, s.name as server_name, d.kind, d.name, a.revision, r.digest, a.apply_id
from assignments a join servers s on s.id = a.server_id join documents d on d.id = a.document_id
join revisions r on r.document_id = a.document_id and r.revision = a.revision;
comment on view server_policies is 'Which revision of which document is in force on which server.';

create view change_status as
select c.id, c.title, c.state as own_state, c.author_id, c.created_at,
       case
         when c.state <> 'READY' then c.state
         when w.rolling_back then 'ROLLBACKING'
         when w.under_way or exists (select from rollouts r where r.change_id = c.id and r.state in ('RUNNING', 'PAUSED')) then 'APPLYING'
         when w.applies = 0 then 'READY'
         when w.failed then 'FAILED'
         when w.undone then 'ROLLED_BACK'
         when w.cancelled = w.applies then 'CANCELLED'
         else 'APPLIED'
       end as state
from changes c
cross join lateral (
  select count(*) as applies, count(*) filter (where a.state = 'CANCELLED') as cancelled,
         coalesce(bool_or(a.state = 'ROLLBACKING'), false) as rolling_back, coalesce(bool_or(a.state in ('READY', 'APPLYING')), false) as under_way,
         coalesce(bool_or(a.state = 'FAILED'), false) as failed, coalesce(bool_or(a.state = 'ROLLED_BACK'), false) as undone
  from applies a
  -- A retry takes the place of what it retries.
  where a.change_id = c.id and not exists (select from applies again where again.retry_of = a.id)
) w;
comment on view change_status is 'A change rolled up over its applies: open before failed before undone before applied.';
