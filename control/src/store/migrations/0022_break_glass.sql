-- Set where a rollout was begun before its approvals were given: why, how many were asked for and how many had been given.
alter table holdfast.rollouts add column break_glass jsonb;
-- Those that wait for the approvals which come afterwards are looked for every few seconds.
create index rollouts_break_glass on holdfast.rollouts (change_id) where break_glass is not null;
