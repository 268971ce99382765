-- How the floor of each server stands outside of a change, by domain, as its agent said at the last look: {domain: {lost, whenLost, repairs, gaveUp}}.
-- Only domains with something to tell are there. `floor_at`: when that was last another thing than before.
alter table holdfast.servers
  add column floor    jsonb not null default '{}',
  add column floor_at timestamptz;

create or replace view holdfast.server_status with (security_invoker = true) as
select s.id, s.name, s.enrolment, s.generation, s.locked_code, s.locked_reason, s.paused_until, s.session_instance is not null as connected,
       s.last_seen_at, s.drift,
       open.id as open_apply_id, open.state as open_state, open.phase as open_phase, open.deadline_at as open_deadline_at,
       ok.id as last_success_apply_id, ok.finished_at as last_success_at, ok.change_id as last_success_change_id,
       bad.id as last_failure_apply_id, bad.state as last_failure_state, bad.effect as last_failure_effect, bad.server_is as last_failure_server_is,
       bad.code as last_failure_code, bad.message as last_failure_message, bad.finished_at as last_failure_at,
       s.floor, s.floor_at
from holdfast.servers s
left join lateral (select * from holdfast.applies a where a.server_id = s.id and a.state in ('APPLYING', 'ROLLBACKING') limit 1) open on true
left join lateral (select * from holdfast.applies a where a.server_id = s.id and a.state = 'APPLIED' order by a.finished_at desc limit 1) ok on true
left join lateral (select * from holdfast.applies a where a.server_id = s.id and a.state in ('FAILED', 'ROLLED_BACK') order by a.finished_at desc limit 1) bad on true;
