-- Roles: sets of permissions under a name, given to accounts with a scope of servers and domains. How far a token reaches. And which rows a
-- reader may see, said by the database once more.

create table holdfast.roles (
  name         text primary key check (name ~ '^[a-z][a-z0-9-]{0,39}$'),
  description  text not null default '',
  -- A set: no permission implies another one, and none stands here twice.
  permissions  text[] not null check (permissions <@ array['view', 'edit', 'apply', 'approve', 'audit', 'admin'] and cardinality(permissions) > 0),
  version      bigint not null default 1
);
insert into holdfast.roles (name, description, permissions) values
  ('viewer',        'Sees servers, documents and changes',                          array['view']),
  ('author',        'Writes documents and changes; moves no server',                array['view', 'edit']),
  ('approver',      'Approves what others have written; writes and applies nothing', array['view', 'approve']),
  ('operator',      'Applies what was written and approved by others',              array['view', 'apply']),
  ('auditor',       'Reads and verifies the audit log; sees nothing else',          array['audit']),
  ('administrator', 'Accounts, roles, enrolment; neither sees nor applies changes', array['admin']);

create table holdfast.role_grants (
  user_id  uuid not null references holdfast.users,
  role     text not null references holdfast.roles,
  scope    jsonb not null,
  domains  text[],
  primary key (user_id, role, scope)
);

create view holdfast.effective_grants as
select user_id, permission, scope, domains from holdfast.grants
union
select g.user_id, p.permission, g.scope, g.domains
from holdfast.role_grants g join holdfast.roles r on r.name = g.role cross join lateral unnest(r.permissions) as p (permission);
comment on view holdfast.effective_grants is 'What each account may do and where: its own grants, and those of its roles.';

-- A token never holds more than its account; it may hold less, also by servers and domains.
alter table holdfast.tokens add column scope jsonb not null default '{"all": true}', add column domains text[];

-- ── which rows may be seen ───────────────────────────────────────────────────────────────────────────────────────────
-- A session that reads for somebody with a narrower view says the servers in holdfast.visible; every statement of it is then cut to them,
-- whatever its own conditions are. Without the setting it is the control plane itself that reads, which must see the whole house: it
-- composes what one server gets from what others say.

create function holdfast.sees(server uuid) returns boolean language sql stable as $$
  select case coalesce(current_setting('holdfast.visible', true), '')
    when '' then true
    else server = any (current_setting('holdfast.visible', true)::uuid[]) end
$$;

alter table holdfast.servers enable row level security;
create policy seen on holdfast.servers using (holdfast.sees(id)) with check (true);
do $$
declare
  one text;
begin
  foreach one in array array['enrolment_tokens', 'agent_keys', 'assignments', 'quarantines', 'plans', 'rollout_targets', 'applies',
                             'host_transactions', 'questions'] loop
    execute format('alter table holdfast.%I enable row level security', one);
    execute format('create policy seen on holdfast.%I using (holdfast.sees(server_id)) with check (true)', one);
  end loop;
end $$;
alter table holdfast.apply_events enable row level security;
create policy seen on holdfast.apply_events
  using (coalesce(current_setting('holdfast.visible', true), '') = '' or exists (select from holdfast.applies a where a.id = apply_id))
  with check (true);

-- A view asks as its owner unless told otherwise, and the owner sees everything. change_status stays so: a change has one state for all.
alter view holdfast.server_status set (security_invoker = true);
alter view holdfast.server_policies set (security_invoker = true);
