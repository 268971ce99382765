import type { Dashboard, Panel, Query } from "./dashboard.ts";

const stat = (title: string, description: string, expr: string, over: Partial<Panel> = {}): Panel => ({
  kind: "stat",
  title,
  description,
  unit: "short",
  queries: [{ expr, legend: title }],
  width: 4,
  ...over,
});

const chart = (
  title: string,
  description: string,
  queries: readonly [Query, ...Query[]],
  over: Partial<Panel> = {},
): Panel => ({ kind: "timeseries", title, description, unit: "short", queries, width: 12, ...over });

/** Every instance says the same of the house: the maximum is the house's. */
export const DASHBOARDS: readonly Dashboard[] = [
  {
    uid: "holdfast-fleet",
    title: "Holdfast: fleet",
    panels: [
      stat(
        "Critical alerts",
        "Nobody is at them: holdfast alert list",
        'sum(max by (kind) (holdfast_alerts{severity="critical",state="open"}))',
        { badFrom: 1 },
      ),
      stat("Servers", "Under management", "max(holdfast_servers_enrolled)"),
      stat("Connected", "Share whose agent is connected", "holdfast:servers_connected:ratio", { unit: "percentunit" }),
      stat("Drifted", "Not what was confirmed: docs/runbooks/drift.md", "max(holdfast_servers_drifted)", {
        badFrom: 1,
      }),
      stat("Locked", "Take no applies until somebody has looked", "max(holdfast_servers_locked)", { badFrom: 1 }),
      stat("Quarantined", "Revisions that are not applied again on a server", "max(holdfast_quarantined_revisions)", {
        badFrom: 1,
      }),
      chart("Alerts by kind", "Open ones; each has a page in docs/runbooks", [
        { expr: 'max by (kind) (holdfast_alerts{state="open"}) > 0', legend: "{{kind}}" },
      ]),
      chart("Servers", "A gap between the lines is servers whose agent is away", [
        { expr: "max(holdfast_servers_enrolled)", legend: "enrolled" },
        { expr: "max(holdfast_servers_connected)", legend: "connected" },
      ]),
      chart(
        "First certificate to end",
        "Renewed at half of seven days; below two days somebody is called",
        [{ expr: "min(holdfast_certificate_expiry_seconds)", legend: "until it ends" }],
        { unit: "s" },
      ),
      chart("Messages about alerts", "given up: a receiver was gone for a day", [
        { expr: "max by (state) (holdfast_deliveries)", legend: "{{state}}" },
      ]),
    ],
  },
  {
    uid: "holdfast-applies",
    title: "Holdfast: apply pipeline",
    panels: [
      stat(
        "Failed or undone",
        "Of what ended in the last hour: docs/runbooks/failure-rate.md",
        "holdfast:applies_failed:ratio1h",
        { unit: "percentunit", badFrom: 0.2, width: 6 },
      ),
      stat(
        "Time to the end, p95",
        "From the claim to the end, whatever the end was",
        "holdfast:apply_duration_seconds:p95_1h",
        { unit: "s", width: 6 },
      ),
      stat(
        "Oldest that waits",
        "READY and not claimed: its server is away or busy",
        'max(holdfast_oldest_open_seconds{state="READY"})',
        { unit: "s", width: 6 },
      ),
      stat(
        "Oldest under way",
        "On trial is not stuck: docs/runbooks/apply-stuck.md",
        'max(holdfast_oldest_open_seconds{state=~"APPLYING|ROLLBACKING"})',
        { unit: "s", width: 6 },
      ),
      chart("What ended, by the hour", "FAILED with an effect left something behind", [
        { expr: "holdfast:applies_ended:increase1h", legend: "{{state}} {{effect}}" },
      ]),
      chart("Undone, by cause", "The code says why", [
        { expr: "max by (code) (increase(holdfast_rollbacks_total[1h])) > 0", legend: "{{code}}" },
      ]),
      chart("Under way and waiting", "By state and phase", [
        { expr: "max by (state, phase) (holdfast_queue_depth)", legend: "{{state}} {{phase}}" },
      ]),
      chart(
        "Time in APPLYING",
        "Median and p95 of the last hour",
        [
          {
            expr: "histogram_quantile(0.5, max by (le) (increase(holdfast_apply_dwell_applying_seconds_bucket[1h])))",
            legend: "p50",
          },
          {
            expr: "histogram_quantile(0.95, max by (le) (increase(holdfast_apply_dwell_applying_seconds_bucket[1h])))",
            legend: "p95",
          },
        ],
        { unit: "s" },
      ),
      chart(
        "Time in each phase",
        "p95 of the last hour: where the time of an apply goes, and on trial how long people take",
        [
          {
            expr: "histogram_quantile(0.95, max by (phase, le) (increase(holdfast_apply_phase_seconds_bucket[1h])))",
            legend: "{{phase}}",
          },
        ],
        { unit: "s" },
      ),
      chart("Did not hold, by policy", "Ends of applies with this policy in them that were not APPLIED", [
        {
          expr: 'max by (policy, state) (increase(holdfast_policy_applies_total{state=~"FAILED|ROLLED_BACK"}[1d])) > 0',
          legend: "{{policy}} {{state}}",
        },
      ]),
      chart(
        "Refused because of another one",
        "docs/runbooks/concurrent-applies.md",
        [{ expr: "sum by (instance) (increase(holdfast_refused_concurrent_total[1h]))", legend: "{{instance}}" }],
        { width: 24 },
      ),
    ],
  },
  {
    uid: "holdfast-control",
    title: "Holdfast: control planes",
    panels: [
      stat("Answering", "Control planes that can be scraped", 'sum(up{job="holdfast"})', { width: 6 }),
      stat("With a database", "docs/runbooks/database-trouble.md", "sum(holdfast_database_up)", { width: 6 }),
      stat("Audit entries", "It never falls: docs/runbooks/audit-broken.md", "max(holdfast_audit_entries)", {
        width: 6,
      }),
      stat("Consoles", "Browsers that listen", "sum(holdfast_event_streams)", { width: 6 }),
      chart(
        "Leases lost",
        "Work that another instance took from one that was killed, cut off from the database, or asleep",
        [{ expr: "max(increase(holdfast_leases_lost_total[1h]))", legend: "all instances" }],
      ),
      chart("Sessions opened", "Each trial opens one; what is beyond that are connections that were lost", [
        { expr: "increase(holdfast_agent_sessions_opened_total[1h])", legend: "{{instance}}" },
      ]),
      chart("Agents by instance", "They go to another instance when one dies", [
        { expr: "holdfast_agent_sessions", legend: "{{instance}}" },
      ]),
      chart(
        "Late by (event loop, p99)",
        "Above a second leases may be lost",
        [{ expr: "holdfast_nodejs_eventloop_lag_p99_seconds", legend: "{{instance}}" }],
        { unit: "s" },
      ),
      chart("Sessions with the database", "waiting: requests for which there is none", [
        { expr: "holdfast_database_sessions", legend: "{{instance}} {{state}}" },
      ]),
      chart("Memory", "Of each process", [{ expr: "holdfast_process_resident_memory_bytes", legend: "{{instance}}" }], {
        unit: "bytes",
      }),
    ],
  },
  {
    uid: "holdfast-server",
    title: "Holdfast: one server",
    choice: { name: "server", label: "Server", values: "label_values(holdfast_agent_info, instance)" },
    panels: [
      stat(
        "Connected",
        "1 while a control plane is connected: docs/runbooks/agent-lost.md",
        'holdfast_agent_connected{instance="$server"}',
      ),
      stat(
        "Certificate ends in",
        "Renewed at half of seven days: docs/runbooks/certificate-expiring.md",
        'holdfast_agent_certificate_expiry_seconds{instance="$server"}',
        { unit: "s" },
      ),
      stat(
        "Drifted",
        "Domains that are not what was confirmed: docs/runbooks/drift.md",
        'sum(holdfast_agent_drifted{instance="$server"})',
        {
          badFrom: 1,
        },
      ),
      stat("Running for", "Since the session's process began", 'holdfast_agent_uptime_seconds{instance="$server"}', {
        unit: "s",
      }),
      stat("Memory", "Of the session's process", 'holdfast_agent_resident_bytes{instance="$server"}', {
        unit: "bytes",
      }),
      stat(
        "Commands refused",
        "By the guard, in a day",
        'sum(increase(holdfast_agent_commands_total{instance="$server",result="refused"}[1d]))',
        {
          badFrom: 1,
        },
      ),
      chart("Commands", "What was ordered, and what the guard said to it", [
        {
          expr: 'sum by (verb, result) (increase(holdfast_agent_commands_total{instance="$server"}[1h])) > 0',
          legend: "{{verb}} {{result}}",
        },
      ]),
      chart("Connections", "Each trial opens one; more than that, and dials that came to nothing, are a bad wire", [
        { expr: 'increase(holdfast_agent_sessions_total{instance="$server"}[1h])', legend: "begun" },
        { expr: 'increase(holdfast_agent_dial_failures_total{instance="$server"}[1h])', legend: "failed" },
      ]),
      chart("Drift", "1 where the live state was not the confirmed one at the last look", [
        { expr: 'holdfast_agent_drifted{instance="$server"}', legend: "{{domain}}" },
      ]),
    ],
  },
  {
    uid: "holdfast-domains",
    title: "Holdfast: domain modules",
    panels: [
      chart(
        "Did not hold, of all that a domain had a step in",
        "Undone, refused or not restored; a transaction with steps of two domains counts for both",
        [
          {
            expr: 'sum by (domain) (max by (domain, outcome) (increase(holdfast_domain_transactions_total{outcome!="finalized"}[1h]))) / (sum by (domain) (max by (domain, outcome) (increase(holdfast_domain_transactions_total[1h]))) > 0)',
            legend: "{{domain}}",
          },
        ],
        { unit: "percentunit", width: 24 },
      ),
      chart("Ends, by domain", "As the ledger of each server says it", [
        {
          expr: "max by (domain, outcome) (increase(holdfast_domain_transactions_total[1h]))",
          legend: "{{domain}} {{outcome}}",
        },
      ]),
      chart("Could not be put back, by domain", "docs/runbooks/rollback-failed.md", [
        {
          expr: 'max by (domain) (increase(holdfast_domain_transactions_total{outcome="revert_failed"}[1d])) > 0',
          legend: "{{domain}}",
        },
      ]),
    ],
  },
  {
    uid: "holdfast-slo",
    title: "Holdfast: what is promised",
    panels: [
      stat(
        "Ended as requested",
        "Of what was begun in thirty days and not taken back on purpose; 95 % are promised: docs/operating.md",
        'holdfast:slo:ratio30d{slo="success"}',
        { unit: "percentunit", width: 8 },
      ),
      stat(
        "Within a minute",
        "Of what ended, from the claim to the end; 95 % are promised: docs/operating.md",
        'holdfast:slo:ratio30d{slo="in_time"}',
        { unit: "percentunit", width: 8 },
      ),
      stat(
        "Back within a minute",
        "Of servers that a change had cut off; 99 % are promised: docs/operating.md",
        'holdfast:slo:ratio30d{slo="recovery"}',
        { unit: "percentunit", width: 8 },
      ),
      chart(
        "What may still go wrong",
        "1: nothing has gone wrong in thirty days; below 0 more has than is promised",
        [{ expr: "holdfast:slo:budget_left", legend: "{{slo}}" }],
        { unit: "percentunit" },
      ),
      chart(
        "Recovery of servers that were cut off, p95",
        "From the order to change until they were known to be as before, over a day",
        [
          {
            expr: "histogram_quantile(0.95, max by (le) (increase(holdfast_recovery_seconds_bucket[1d])))",
            legend: "p95",
          },
        ],
        { unit: "s" },
      ),
    ],
  },
];
