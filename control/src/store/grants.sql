-- What the application's role may do, said anew after every migration. Its name is in the setting holdfast.app_role.
-- A new table may only be read until it stands here. Append-only tables get no UPDATE, DELETE or TRUNCATE; nothing gets TRUNCATE, REFERENCES or TRIGGER; no schema gets CREATE.
do $$
declare
  app constant text := current_setting('holdfast.app_role');
  signer constant text := nullif(current_setting('holdfast.signer_role', true), '');
begin
  execute format('revoke all on schema holdfast from public, %I', app);
  execute format('revoke all on all tables in schema holdfast from public, %I', app);
  execute format('revoke all on all sequences in schema holdfast from public, %I', app);
  execute format('revoke all on all functions in schema holdfast from public, %I', app);
  execute format('grant usage on schema holdfast to %I', app);
  execute format('grant select on all tables in schema holdfast to %I', app);

  -- What row security asks with; it says nothing by itself.
  execute format('grant execute on function sees(uuid) to %I', app);

  -- Written once.
  execute format('grant insert on audit_log, audit_checkpoints, audit_receipts, audit_epochs, apply_events, revisions, authority to %I', app);
  -- A version of a secret never changes; it goes with its secret, and only a new key-encryption key touches what wraps the data keys.
  execute format('grant insert, delete on secrets, secret_versions to %I', app);
  execute format('grant update (key_id, data_key) on secrets to %I', app);
  execute format('grant insert, update on secret_house to %I', app);
  -- Written and kept: these are referred to by the proof.
  execute format('grant insert, update on users, tokens, servers, enrolment_tokens, agent_keys, documents, changes, quarantines, plans, rollouts, '
    'rollout_targets, applies, host_transactions, tunnel_acts, alerts, deliveries to %I', app);
  -- Hold only what is so now.
  execute format('grant insert, update, delete on grants, roles, role_grants, recovery_codes, identities, sign_ins_used, passkeys, passkey_challenges, idempotency_keys, change_items, approvals, assignments, instances, questions, duties, audit_standings to %I', app);
  -- Goes when it is long over, which a trigger sees to; what was told of it goes with it.
  execute format('grant delete on alerts to %I', app);

  -- The signer of commands reads what a command follows from, and writes nothing. Beside names of acts it sees nothing of the audit log.
  if signer is not null and signer <> app then
    execute format('revoke all on schema holdfast from %I', signer);
    execute format('revoke all on all tables in schema holdfast from %I', signer);
    execute format('grant usage on schema holdfast to %I', signer);
    execute format('grant execute on function sees(uuid) to %I', signer);
    execute format('grant select on applies, host_transactions, plans, rollouts, rollout_targets, changes, approvals, tunnel_acts to %I', signer);
    execute format('grant select (id, fence, enrolment, locked_code) on servers to %I', signer);
    execute format('grant select (id, disabled_at) on users to %I', signer);
    execute format('grant select (object, action, result_code) on audit_log to %I', signer);
  end if;
end $$;
