-- What each server cannot do, by domain, as its modules said at the last look: {domain: [{feature, code, reason, remedy}]}. A domain that is not there
-- was not told of, by a module that cannot say or could not be asked.
alter table holdfast.servers
  add column lacks    jsonb not null default '{}',
  add column lacks_at timestamptz;
