-- Where this house traces (W3C Trace Context): the request of the API that a rollout began with, and from it the span of each host transaction, so
-- that whoever goes on with it after a crash goes on in the same trace.
alter table holdfast.rollouts add column traceparent text
  constraint rollouts_traceparent check (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
alter table holdfast.host_transactions
  add column traceparent text
    constraint host_transactions_traceparent check (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$'),
  add column traced_from text
    constraint host_transactions_traced_from check (traced_from ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
