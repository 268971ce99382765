-- The request of the API that a rollout began with (its X-Request-Id, trace_id in the logs): from a person's press of the button to the request_id
-- of every server that it touched.
alter table holdfast.rollouts add column trace_id uuid;
