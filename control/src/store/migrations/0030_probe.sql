-- Having a server look for something (ping, trace, resolve, capture) is a permission of its own.
alter table holdfast.grants
  drop constraint grants_permission_check,
  add constraint grants_permission_check
    check (permission in ('view', 'edit', 'apply', 'approve', 'audit', 'admin', 'watch', 'probe'));
alter table holdfast.roles
  drop constraint roles_permissions_check,
  add constraint roles_permissions_check
    check (
      permissions <@ array['view', 'edit', 'apply', 'approve', 'audit', 'admin', 'watch', 'probe']
      and cardinality(permissions) > 0
    );

-- Whoever held everything there was on every server, as the first account does, holds everything still: nobody widens their own permissions,
-- so in a house of one person nobody could give it.
insert into holdfast.grants (user_id, permission, scope, domains)
select user_id, 'probe', '{"all": true}', null
from holdfast.grants
where scope = '{"all": true}' and domains is null
group by user_id
having count(distinct permission) = 7;

alter table holdfast.questions
  drop constraint questions_verb_check,
  add constraint questions_verb_check
    check (
      verb in (
        'plan', 'state', 'release', 'audit_head', 'packets', 'tunnel_preview', 'tunnel', 'tools', 'tool', 'capture'
      )
    );
