/**
 * What Prometheus reads. What concerns the house is counted by the database at the moment of asking: it survives restarts, and every instance
 * says the same (take max over instances, not sum). What concerns this process is counted by it.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ALERT_KINDS, ALERTS } from "@holdfast/core/alert/kind.ts";
import { collectDefaultMetrics, Counter, Gauge, type Metric, Registry } from "prom-client";
import { countStanding } from "../store/alerts.ts";
import { queueDepth } from "../store/applies.ts";
import type { Database } from "../store/database.ts";
import { countDeliveries } from "../store/deliveries.ts";
import { NO_SPANS, SPAN_RESULTS, type SpanCounts } from "../trace/traces.ts";
import { CONTENT_TYPES, exposition, type ExpositionFormat, type Family, formatOf, histogram } from "./exposition.ts";
import {
  appliesByPolicy,
  appliesByResult,
  auditEntries,
  applyDurations,
  DURATION_BOUNDS,
  dwellInApplying,
  endsByDomain,
  fleet,
  leasesLost,
  oldestOpen,
  phaseDurations,
  recoveries,
  undoneByCode,
} from "./store/counts.ts";

export interface Metrics {
  /** A second apply on one server, or of one change, was refused. */
  readonly refusedConcurrent: () => void;
  text(format?: ExpositionFormat): Promise<string>;
}

export interface MetricsOptions {
  readonly database: Database;
  /** Agent sessions with this instance. */
  readonly sessions: () => number;
  readonly eventStreams: () => number;
  /** Sessions that agents have opened with this instance since it began. None when not said. */
  readonly sessionsOpened?: () => number;
  /** None when not said. */
  readonly spans?: () => SpanCounts;
  readonly onTrouble: (error: unknown) => void;
}

export function metrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "holdfast_" });
  const refused = new Counter({
    name: "holdfast_refused_concurrent_total",
    help: "Applies refused because another one was under way",
    registers: [registry],
  });
  registry.registerMetric(gauge("holdfast_agent_sessions", "Agents connected to this instance", options.sessions));
  registry.registerMetric(
    gauge("holdfast_event_streams", "Consoles that listen to this instance", options.eventStreams),
  );
  const sessions = new Gauge({
    name: "holdfast_database_sessions",
    help: "This instance's sessions with the database, and who waits for one",
    labelNames: ["state"],
    registers: [],
    collect() {
      for (const [state, count] of Object.entries(options.database.sessions())) this.set({ state }, count);
    },
  });
  registry.registerMetric(sessions);
  const up = new Gauge({
    name: "holdfast_database_up",
    help: "1 when this instance could read the database for this answer",
    registers: [registry],
  });
  // The same, said in the other format, which ends with a line of its own.
  const openMetrics = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
  openMetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const { name } of registry.getMetricsAsArray())
    openMetrics.registerMetric(registry.getSingleMetric(name) as Metric);
  return {
    refusedConcurrent: () => refused.inc(),
    async text(format = "prometheus") {
      // Without the database there is still a process to be seen, and that it has none is what must be seen first.
      const ofHouse = await families(options.database).catch((error: unknown) => {
        options.onTrouble(error);
        return null;
      });
      up.set(ofHouse === null ? 0 : 1);
      return `${exposition([...(ofHouse ?? []), openedFamily(options.sessionsOpened?.() ?? 0), spansFamily(options.spans?.() ?? NO_SPANS)], format)}${await (format === "openmetrics" ? openMetrics : registry).metrics()}`;
    },
  };
}

function openedFamily(opened: number): Family {
  return {
    name: "holdfast_agent_sessions_opened_total",
    type: "counter",
    help: "Sessions that agents have opened with this instance; each trial opens one, more than that are lost connections",
    samples: [{ value: opened }],
  };
}

function spansFamily(counts: SpanCounts): Family {
  return {
    name: "holdfast_trace_spans_total",
    type: "counter",
    help: "Spans by what became of them; all are 0 where this instance does not trace",
    samples: SPAN_RESULTS.map((result) => ({ labels: { result }, value: counts[result] })),
  };
}

function gauge(name: string, help: string, read: () => number): Gauge {
  return new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.set(read());
    },
  });
}

async function families(database: Database): Promise<readonly Family[]> {
  const [
    results,
    policies,
    phases,
    undone,
    durations,
    dwell,
    recovered,
    queue,
    oldest,
    house,
    standing,
    told,
    audited,
    lost,
    domains,
  ] = await Promise.all([
    appliesByResult(database),
    appliesByPolicy(database),
    phaseDurations(database),
    undoneByCode(database),
    applyDurations(database),
    dwellInApplying(database),
    recoveries(database),
    queueDepth(database),
    oldestOpen(database),
    fleet(database),
    countStanding(database),
    countDeliveries(database),
    auditEntries(database),
    leasesLost(database),
    endsByDomain(database),
  ]);
  const one = (name: string, help: string, value: number): Family => ({
    name,
    type: "gauge",
    help,
    samples: [{ value }],
  });
  return [
    {
      name: "holdfast_applies_total",
      type: "counter",
      help: "Ends of applies, by state and by what they left behind; one that is rolled back later ends once more",
      samples: results.map(({ state, effect, count }) => ({ labels: { state, effect: effect ?? "" }, value: count })),
    },
    {
      name: "holdfast_policy_applies_total",
      type: "counter",
      help: "Ends of applies by each policy that was in them; beyond fifty policies the later ones are one without a name",
      samples: policies.map(({ policy, state, count }) => ({ labels: { policy, state }, value: count })),
    },
    {
      name: "holdfast_rollbacks_total",
      type: "counter",
      help: "Applies that were undone or rolled back, by cause",
      samples: undone.map(({ code, count }) => ({ labels: { code }, value: count })),
    },
    {
      name: "holdfast_domain_transactions_total",
      type: "counter",
      help: "Host transactions that a domain had a step in, by how they ended on the server",
      samples: domains.map(({ domain, outcome, count }) => ({ labels: { domain, outcome }, value: count })),
    },
    {
      name: "holdfast_leases_lost_total",
      type: "counter",
      help: "Applies that another claim took from an instance that was killed, cut off or asleep",
      samples: [{ value: lost }],
    },
    histogram("holdfast_apply_duration_seconds", "From the claim to the first end", DURATION_BOUNDS, [durations]),
    histogram("holdfast_apply_dwell_applying_seconds", "How long applies were APPLYING", DURATION_BOUNDS, [dwell]),
    histogram(
      "holdfast_apply_phase_seconds",
      "How long applies stayed in each phase, from entering it to what came next",
      DURATION_BOUNDS,
      phases.map(({ phase, ...spread }) => ({ labels: { phase }, ...spread })),
    ),
    histogram(
      "holdfast_recovery_seconds",
      "Servers that a change had cut off: from the order to change until they were as before",
      DURATION_BOUNDS,
      [recovered],
    ),
    {
      name: "holdfast_queue_depth",
      type: "gauge",
      help: "Applies that have not ended, by state and phase",
      samples: queue.map(({ state, phase, count }) => ({ labels: { state, phase: phase ?? "" }, value: count })),
    },
    {
      name: "holdfast_oldest_open_seconds",
      type: "gauge",
      help: "Age of the oldest apply that has not ended, by state",
      samples: oldest.map(({ state, seconds }) => ({ labels: { state }, value: seconds })),
    },
    {
      name: "holdfast_alerts",
      type: "gauge",
      help: "Alerts that are not resolved, by kind and state; every kind is there, also with none",
      samples: ALERT_KINDS.flatMap((kind) =>
        (["open", "acknowledged"] as const).map((state) => ({
          labels: { kind, severity: ALERTS[kind].severity, state },
          value: standing.find((one) => one.kind === kind && one.state === state)?.count ?? 0,
        })),
      ),
    },
    {
      name: "holdfast_deliveries",
      type: "gauge",
      help: "What channels were to be told of alerts, by what became of it",
      samples: (["waiting", "delivered", "given_up"] as const).map((state) => ({
        labels: { state },
        value: told.find((one) => one.state === state)?.count ?? 0,
      })),
    },
    one("holdfast_audit_entries", "Entries of the audit log; it never falls", audited),
    one("holdfast_servers_enrolled", "Servers under management", house.enrolled),
    one("holdfast_servers_connected", "Servers whose agent is connected to some instance", house.connected),
    one("holdfast_servers_drifted", "Servers that are not what was confirmed", house.drifted),
    one("holdfast_servers_locked", "Servers that take no applies until somebody has looked", house.locked),
    one("holdfast_quarantined_revisions", "Revisions that are not applied again on a server", house.quarantines),
    ...(house.certificate_seconds === null
      ? []
      : [
          one(
            "holdfast_certificate_expiry_seconds",
            "Until the first agent's certificate ends",
            house.certificate_seconds,
          ),
        ]),
  ];
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A port of its own: whoever scrapes needs no account, and what is open to everybody is not the API. */
export async function serveMetrics(
  source: Metrics,
  host: string,
  port: number,
  onTrouble: (error: unknown) => void,
): Promise<MetricsServer> {
  const server: Server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    const format = formatOf(request.headers.accept);
    source.text(format).then(
      (text) => response.writeHead(200, { "content-type": CONTENT_TYPES[format] }).end(text),
      (error: unknown) => {
        onTrouble(error);
        response.writeHead(503).end();
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
