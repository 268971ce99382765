-- How many approvals this rollout needed when it was begun: written down with it, so that another process than the one that counted them can
-- count again before anything is signed. Where the glass was broken (rollouts.break_glass) it is begun without them, and says so.
alter table holdfast.rollouts add column approvals_needed int not null default 0 check (approvals_needed >= 0);

create function holdfast.keep_approvals_needed() returns trigger language plpgsql as $$
begin
  if new.approvals_needed is distinct from old.approvals_needed then
    raise exception 'what a rollout needed does not change any more' using errcode = 'HF004';
  end if;
  return new;
end $$;
create trigger approvals_needed before update on holdfast.rollouts for each row execute function holdfast.keep_approvals_needed();
