/**
 * The names of the fields that every log line of every process uses, so that one apply can be followed from the operator's click to the
 * native command. Nothing else may name these things differently.
 */
export const LOG_FIELDS = {
  requestId: "request_id",
  policyId: "policy_id",
  targetHost: "target_host",
  domain: "domain",
  resultCode: "result_code",
  changeId: "change_id",
  traceId: "trace_id",
  serverId: "server_id",
  actor: "actor",
} as const;
export type LogField = keyof typeof LOG_FIELDS;

/** What a line is about; absent members are absent in the line. */
export type LogContext = { readonly [Field in LogField]?: string };

/** The context under its names on the wire. */
export function logFields(context: LogContext): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [field, name] of Object.entries(LOG_FIELDS)) {
    const value = context[field as LogField];
    if (value !== undefined && value !== "") fields[name] = value;
  }
  return fields;
}
