-- What was in force when a plan was made: binding asks whether it still is, and a rollback goes back to it.
alter table plans add column before_revisions jsonb not null default '[]';

-- A change that asked nothing of any server (its documents say what is so already) is in force when its rollout is done. An apply that was
-- tried again counts no more: the newer one does.
create or replace view change_status as
select c.id, c.title, c.state as own_state, c.author_id, c.created_at,
       case
         when c.state <> 'READY' then c.state
         when bool_or(a.state = 'ROLLBACKING') then 'ROLLBACKING'
         when bool_or(a.state in ('APPLYING', 'READY')) or bool_or(ro.state in ('RUNNING', 'PAUSED')) then 'APPLYING'
         when bool_or(a.state = 'FAILED') then 'FAILED'
         when bool_or(a.state = 'ROLLED_BACK') then 'ROLLED_BACK'
         when count(a.id) > 0 and bool_and(a.state = 'CANCELLED') then 'CANCELLED'
         when count(a.id) > 0 or bool_or(ro.state = 'DONE') then 'APPLIED'
         else c.state
       end as state
from changes c left join rollouts ro on ro.change_id = c.id left join applies a on a.change_id = c.id and a.rollout_id = ro.id
     and not exists (select from applies n where n.retry_of = a.id)
group by c.id;
