-- Looking at what servers decide packet by packet is a permission of its own.
alter table holdfast.grants
  drop constraint grants_permission_check,
  add constraint grants_permission_check check (permission in ('view', 'edit', 'apply', 'approve', 'audit', 'admin', 'watch'));
alter table holdfast.roles
  drop constraint roles_permissions_check,
  add constraint roles_permissions_check
    check (permissions <@ array['view', 'edit', 'apply', 'approve', 'audit', 'admin', 'watch'] and cardinality(permissions) > 0);

-- Whoever held everything there was on every server, as the first account does, holds everything still: nobody widens their own permissions,
-- so in a house of one person nobody could give it.
insert into holdfast.grants (user_id, permission, scope, domains)
select user_id, 'watch', '{"all": true}', null
from holdfast.grants
where scope = '{"all": true}' and domains is null
group by user_id
having count(distinct permission) = 6;

alter table holdfast.questions
  drop constraint questions_verb_check,
  add constraint questions_verb_check check (verb in ('plan', 'state', 'release', 'audit_head', 'packets'));
