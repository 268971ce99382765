-- One witness walks the audit log, in every instance, and says here what it found; alerts are made of that. The newest entry that was seen stood
-- beside it in a table that whoever cuts the log could cut too: the signed heads of audit_checkpoints, of the file and of the log stream say it now.

drop table holdfast.audit_seen;

alter table holdfast.instances
  -- What it last found of the audit log; null: it has not looked yet.
  add column audit_whole      boolean,
  add column audit_broken_at  bigint,
  add column audit_reason     text,
  add constraint broken_says_where check ((audit_whole is false) = (audit_broken_at is not null and audit_reason is not null));
