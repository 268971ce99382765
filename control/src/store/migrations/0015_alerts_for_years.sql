-- What years of alerts and applies cost, and what may be forgotten of them.

-- What channels have not been told is looked for every two seconds: among what stands, and among what was resolved lately.
create index alerts_resolved on holdfast.alerts (resolved_at) where state = 'resolved';

-- The story of an alert is in the audit log for ever. The alert itself goes when nobody looks for it any more, with what was told of it; one that
-- stands, or that was resolved a moment ago, goes by nobody's mistake.
alter table holdfast.deliveries
  drop constraint deliveries_alert_id_fkey,
  add constraint deliveries_alert_id_fkey foreign key (alert_id) references holdfast.alerts on delete cascade;
create function holdfast.keep_alert() returns trigger language plpgsql as $$
begin
  if old.state <> 'resolved' or old.resolved_at > now() - interval '90 days' then
    raise exception 'alert % is kept: it is %', old.id, old.state using errcode = 'HF008';
  end if;
  return old;
end $$;
create trigger alert_is_kept before delete on holdfast.alerts for each row execute function holdfast.keep_alert();

-- Several instances stand behind one address; what is wrong with a disk is looked at on a machine.
alter table holdfast.instances add column host text;

-- What an apply left when it ended; null for what was written before this was. An apply that is rolled back later leaves its row in another state,
-- so what is counted for ever is counted here.
alter table holdfast.apply_events add column effect text check (effect in ('none', 'restore_failed', 'unknown'));
create index applies_ended_ever on holdfast.apply_events (to_state, effect, code)
  where to_state in ('APPLIED', 'FAILED', 'ROLLED_BACK', 'CANCELLED') and from_state is distinct from to_state;
