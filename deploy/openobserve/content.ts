import { ALERT_KINDS, ALERTS, runbookOf } from "@holdfast/core/alert/kind.ts";
import { dashboardJson, LOG_DASHBOARDS } from "./dashboards.ts";
import { STREAM } from "./stream.ts";

/** `POST /api/{org}/streams/holdfast/settings?type=logs`, before the first line comes or after it. */
export const STREAM_SETTINGS = {
  full_text_search_keys: ["message", "more"],
  // What people ask for by its exact value.
  index_fields: ["request_id", "change_id", "host", "result_code"],
  data_retention: 90,
} as const;

export interface Search {
  readonly name: string;
  readonly description: string;
  readonly sql: string;
}

/** Words in capitals are filled in by who asks. */
export const SEARCHES: readonly Search[] = [
  {
    name: "one_apply",
    description: "Everything of one transaction, control plane and server, by its request_id",
    sql: "select _timestamp, host, process, domain, level, message, result_code, more from holdfast where request_id = 'REQUEST_ID' order by _timestamp",
  },
  {
    name: "one_change",
    description: "What the control plane and the guards say of one change over all its servers",
    sql: "select _timestamp, host, target_host, process, request_id, level, message, result_code from holdfast where change_id = 'CHANGE_ID' order by _timestamp",
  },
  {
    name: "one_press",
    description: "What followed from one request of the API (X-Request-Id)",
    sql: "select _timestamp, process, target_host, request_id, level, message, result_code from holdfast where trace_id = 'TRACE_ID' order by _timestamp",
  },
  {
    name: "one_server",
    description: "What happened on one server, newest first",
    sql: "select _timestamp, process, domain, level, message, request_id, result_code from holdfast where host = 'SERVER' order by _timestamp desc",
  },
  {
    name: "errors",
    description: "What calls somebody",
    sql: "select _timestamp, host, process, domain, message, result_code, request_id from holdfast where level in ('error', 'fatal') order by _timestamp desc",
  },
  {
    name: "ends_by_code",
    description: "How applies ended otherwise than well",
    sql: "select result_code, count(*) as times from holdfast where message = 'apply ended' and result_code <> 'ok' group by result_code order by times desc",
  },
  {
    name: "undone_by_server",
    description: "Servers on which an undo was asked for, and why",
    sql: "select host, result_code, count(*) as times from holdfast where message = 'undo asked for' group by host, result_code order by times desc",
  },
  {
    name: "refused_commands",
    description: "Commands that a guard did not obey: an old fence, another key, another server",
    sql: "select _timestamp, host, result_code, request_id, actor, more from holdfast where message = 'command refused' order by _timestamp desc",
  },
  {
    name: "last_words",
    description: "Lines that are none of the log: a process broke",
    sql: "select _timestamp, host, identifier, message from holdfast where level in ('error', 'fatal') and more is null and result_code is null order by _timestamp desc",
  },
];

/** Minutes that are looked back over. The rule is asked every minute, and lines may be some seconds on their way. */
const PERIOD_MINUTES = 5;
/** Minutes in which the same rule calls nobody again. */
const SILENCE_MINUTES = 60;

/**
 * `POST /api/v2/{org}/alerts`, one for each kind of alert of the house. It is the house that judges; this calls for its line of the log, by another way than
 * the house's own webhooks.
 */
export const OPENOBSERVE_ALERTS = ALERT_KINDS.map((kind) => {
  const { code, severity, title } = ALERTS[kind];
  const runbook = runbookOf(kind);
  return {
    name: `holdfast_${kind.replaceAll("-", "_")}`,
    description: `${title}. ${runbook}`,
    stream_type: "logs",
    stream_name: STREAM,
    is_real_time: false,
    enabled: true,
    // A destination of this name is yours to make.
    destinations: ["holdfast"],
    context_attributes: { severity, runbook },
    query_condition: {
      type: "sql",
      sql: `select result_code, count(*) as times from ${STREAM} where result_code = '${code}' group by result_code`,
    },
    trigger_condition: {
      period: PERIOD_MINUTES,
      operator: ">=",
      threshold: 1,
      frequency: 1,
      frequency_type: "minutes",
      silence: SILENCE_MINUTES,
      timezone: "UTC",
    },
  };
});

export const FILES: Readonly<Record<string, unknown>> = {
  "stream-settings.json": STREAM_SETTINGS,
  "searches.json": SEARCHES,
  "alerts.json": OPENOBSERVE_ALERTS,
  "dashboards.json": LOG_DASHBOARDS.map(dashboardJson),
};
