-- How many approvals this change needed when it became READY: written down with it, so that another process than the one that counted them
-- can count again before anything is signed.
alter table holdfast.changes add column approvals_needed int not null default 0 check (approvals_needed >= 0);

create function holdfast.keep_approvals_needed() returns trigger language plpgsql as $$
begin
  if old.state <> 'DRAFT' and new.approvals_needed is distinct from old.approvals_needed then
    raise exception 'what a change that is % needed does not change any more', old.state using errcode = 'HF004';
  end if;
  if old.state = 'DRAFT' and new.state = 'READY' and new.approvals_needed > (
      select count(*) from holdfast.approvals a where a.change_id = new.id and a.digest = new.digest and a.user_id <> new.author_id) then
    raise exception 'the change needs % approvals', new.approvals_needed using errcode = 'HF007';
  end if;
  return new;
end $$;
create trigger approvals_needed before update on holdfast.changes for each row execute function holdfast.keep_approvals_needed();
