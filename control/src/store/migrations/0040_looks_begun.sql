-- Looks at a server that somebody began, so that those whose instance died are found and ended without reading the whole log.
create index audit_of_looks_begun on holdfast.audit_log (at)
  where action in ('server.tool_begun', 'server.packets_watched') and result_code = 'ok' and request_id is not null;
