import type { RequestId } from "@holdfast/core/base/id.ts";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { DIGEST, storedHouse } from "@holdfast/testkit/stored-house.ts";
import { expect, test } from "vitest";
import { metrics, serveMetrics } from "../src/metrics/metrics.ts";
import { claimNext, releaseLeases } from "../src/store/apply-claim.ts";
import { move as moveApply, type Move } from "../src/store/apply-move.ts";
import { insertHostTransaction, recordOutcome } from "../src/store/host-transactions.ts";
import { newId } from "../src/store/new-id.ts";
import type { ApplyRow } from "../src/store/tables.ts";

test("what the database counts and what the process counts stand in one text that Prometheus reads", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    await house.apply(await house.server("web-1"));
    const source = metrics({ database: app, sessions: () => 3, eventStreams: () => 0, onTrouble: () => undefined });
    source.refusedConcurrent();
    const served = await serveMetrics(source, "127.0.0.1", 0, (error) => {
      throw error;
    });
    try {
      const answer = await fetch(`http://127.0.0.1:${served.port}/metrics`);
      const text = await answer.text();
      expect(answer.headers.get("content-type")).toContain("version=0.0.4");
      for (const line of [
        "holdfast_refused_concurrent_total 1",
        "holdfast_agent_sessions 3",
        'holdfast_queue_depth{state="READY",phase=""} 1',
        'holdfast_apply_duration_seconds_bucket{le="+Inf"} 0',
        "holdfast_apply_dwell_applying_seconds_count 0",
        "holdfast_servers_connected 0",
      ]) {
        expect(text.split("\n")).toContain(line);
      }
      expect(text).toMatch(/holdfast_nodejs_eventloop_lag_seconds \d/);
      // Every line is a comment or a sample, and no family is told twice.
      for (const line of text.split("\n"))
        expect(line).toMatch(/^($|# (HELP|TYPE) |[a-z0-9_]+(\{.*\})? [-+0-9.eNInf]+$)/);
      const families = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
      expect(new Set(families).size).toBe(families.length);
      expect((await fetch(`http://127.0.0.1:${served.port}/`)).status).toBe(404);
    } finally {
      await served.close();
    }
  });
});

test("what is counted for ever never falls, whatever becomes of an apply afterwards", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const source = metrics({ database: app, sessions: () => 0, eventStreams: () => 0, onTrouble: () => undefined });
    const counted = async () =>
      new Map(
        (await source.text())
          .split("\n")
          .filter((line) =>
            /^holdfast_(applies_total|rollbacks_total|(apply_(?:duration|dwell_applying)|recovery)_seconds_(bucket|count))/.test(
              line,
            ),
          )
          .map((line): [string, number] => [line.replace(/ [^ ]+$/, ""), Number(line.split(" ").at(-1))]),
      );
    let before = await counted();
    const move = async (apply: ApplyRow, step: Move): Promise<ApplyRow> => {
      const moved = await house.do((tx) => moveApply(tx, apply, step, house.by));
      const now = await counted();
      for (const [name, value] of before) expect(now.get(name) ?? 0, name).toBeGreaterThanOrEqual(value);
      before = now;
      return moved;
    };
    const server = await house.server("web-1");
    const { apply, sent, said } = await house.applying(server);
    await said("finalized");
    const applied = await move(apply, { to: "APPLIED" });
    const back = await move(applied, { to: "ROLLBACKING", phase: "reverting", code: "operator.rolled_back" });
    const left = await move(back, { to: "FAILED", effect: "restore_failed", serverIs: "mixed" });
    const again = await move(left, { to: "ROLLBACKING", phase: "reverting", code: "operator.rolled_back" });
    const rollback: RequestId = newId();
    await house.do(async (tx) => {
      const { trial, fence } = sent;
      const digests = { configDigest: DIGEST, planDigest: DIGEST, nonce: "nonce" };
      const ids = { requestId: rollback, applyId: apply.id, serverId: server, planId: apply.plan_id };
      await insertHostTransaction(tx, { ...ids, ...digests, kind: "rollback", fence, trial, before: null });
    });
    await house.do((tx) =>
      recordOutcome(tx, rollback, { outcome: "finalized", code: null, receipt: { signed: true } }),
    );
    await move(again, { to: "ROLLED_BACK" });
    expect(Object.fromEntries(before)).toMatchObject({
      'holdfast_applies_total{state="APPLIED",effect=""}': 1,
      'holdfast_applies_total{state="FAILED",effect="restore_failed"}': 1,
      'holdfast_applies_total{state="ROLLED_BACK",effect=""}': 1,
      'holdfast_rollbacks_total{code="operator.rolled_back"}': 1,
      holdfast_apply_duration_seconds_count: 1,
    });
  });
});

test("a server that a change had cut off counts by how long it took to come back; one that was undone for another reason does not", async () => {
  await withDatabase(async ({ app, owner }) => {
    const house = await storedHouse(app);
    const source = metrics({ database: app, sessions: () => 0, eventStreams: () => 0, onTrouble: () => undefined });
    for (const [name, code, seconds] of [
      ["web-1", "trial.no_reconnect", 20],
      ["web-2", "apply.probe_failed", 90],
      ["web-3", "verify.mismatch", 1],
    ] as const) {
      const { sent } = await house.applying(await house.server(name));
      await house.do((tx) =>
        recordOutcome(tx, sent.request_id, { outcome: "reverted", code, receipt: { signed: true } }),
      );
      await owner.run({
        text: "update holdfast.host_transactions set execute_sent_at = finished_at - make_interval(secs => $2) where request_id = $1",
        values: [sent.request_id, seconds],
      });
    }
    const lines = (await source.text()).split("\n");
    for (const line of [
      'holdfast_recovery_seconds_bucket{le="20"} 1',
      'holdfast_recovery_seconds_bucket{le="60"} 1',
      'holdfast_recovery_seconds_bucket{le="120"} 2',
      "holdfast_recovery_seconds_sum 110",
      "holdfast_recovery_seconds_count 2",
    ])
      expect(lines).toContain(line);
  });
});

test("ten thousand servers are not a sample more than one", async () => {
  await withDatabase(async ({ app, owner }) => {
    const house = await storedHouse(app);
    await house.apply(await house.server("web-1"));
    const source = metrics({ database: app, sessions: () => 0, eventStreams: () => 0, onTrouble: () => undefined });
    const series = async () =>
      (await source.text())
        .split("\n")
        .filter((line) => line.startsWith("holdfast_"))
        .map((line) => line.replace(/ [^ ]+$/, ""));
    const one = new Set(await series());
    await owner.run({
      text: `insert into holdfast.servers (id, name, enrolment, drift, locked_code, locked_reason)
             select gen_random_uuid(), 'many-' || n, 'enrolled', '["firewall"]', 'x.y', 'z' from generate_series(1, 10000) n`,
      values: [],
    });
    await owner.run({
      text: `insert into holdfast.alerts (id, kind, subject, server_id, message)
             select gen_random_uuid(), 'drift', 'server/' || id, id, 'm' from holdfast.servers`,
      values: [],
    });
    const many = await series();
    expect(
      many.filter(
        (name) => !one.has(name) && !name.includes("version") && !/_gc_|handles|requests|resources/.test(name),
      ),
    ).toEqual([]);
    expect(many.length).toBeLessThan(400);
    expect(await source.text()).toContain('holdfast_alerts{kind="drift",severity="warning",state="open"} 10001');
  });
});

test("a process without its database can still be seen, and says that it has none", async () => {
  await withDatabase(async ({ app }) => {
    const troubles: unknown[] = [];
    const broken = Object.create(app, {
      rows: { value: () => Promise.reject(new Error("gone")) },
      one: { value: () => Promise.reject(new Error("gone")) },
    }) as typeof app;
    Object.defineProperty(broken, "sessions", { value: () => ({ busy: 0, idle: 0, waiting: 3 }) });
    const text = await metrics({
      database: broken,
      sessions: () => 0,
      eventStreams: () => 0,
      onTrouble: (error) => troubles.push(error),
    }).text();
    expect(text).toContain("holdfast_database_up 0");
    expect(text).toContain('holdfast_database_sessions{state="waiting"} 3');
    expect(text).not.toContain("holdfast_servers_enrolled");
    expect(troubles).toHaveLength(1);
  });
});

test("a lease that ran out counts once, by whoever takes the work; one that was let go in order does not", async () => {
  await withDatabase(async ({ app, owner }) => {
    const house = await storedHouse(app);
    const source = metrics({
      database: app,
      sessions: () => 0,
      eventStreams: () => 0,
      sessionsOpened: () => 7,
      onTrouble: () => undefined,
    });
    const server = await house.server("web-1");
    const { apply } = await house.applying(server);
    const lost = async () => /^holdfast_leases_lost_total (\d+)$/m.exec(await source.text())?.[1];
    expect(await lost()).toBe("0");
    await house.do((tx) => releaseLeases(tx, { instance: house.instance }));
    expect((await house.do((tx) => claimNext(tx, newId(), [server], house.by)))?.id).toBe(apply.id);
    expect(await lost()).toBe("0");
    await owner.run({
      text: "update holdfast.applies set lease_until = now() - interval '1 second' where id = $1",
      values: [apply.id],
    });
    expect((await house.do((tx) => claimNext(tx, newId(), [server], house.by)))?.id).toBe(apply.id);
    expect(await lost()).toBe("1");
    expect(await source.text()).toContain("\nholdfast_agent_sessions_opened_total 7\n");
  });
});

test("a transaction counts for each domain that had a step in it, by how it ended", async () => {
  await withDatabase(async ({ app, owner }) => {
    const house = await storedHouse(app);
    const source = metrics({ database: app, sessions: () => 0, eventStreams: () => 0, onTrouble: () => undefined });
    for (const [name, outcome, steps] of [
      ["web-1", "finalized", [{ domain: "firewall" }, { domain: "firewall" }, { domain: "system" }]],
      ["web-2", "reverted", [{ domain: "firewall" }]],
      ["web-3", "finalized", []],
    ] as const) {
      const { apply, said } = await house.applying(await house.server(name));
      await owner.run({
        text: "update holdfast.plans set steps = $2 where id = $1",
        values: [apply.plan_id, JSON.stringify(steps)],
      });
      await said(outcome);
    }
    const lines = (await source.text())
      .split("\n")
      .filter((line) => line.startsWith("holdfast_domain_transactions_total"));
    expect(lines).toEqual([
      'holdfast_domain_transactions_total{domain="firewall",outcome="finalized"} 1',
      'holdfast_domain_transactions_total{domain="firewall",outcome="reverted"} 1',
      'holdfast_domain_transactions_total{domain="system",outcome="finalized"} 1',
    ]);
  });
});

test("whoever asks for OpenMetrics gets it, with one apply of each bucket by which its log and its trace are found", async () => {
  await withDatabase(async ({ app, owner }) => {
    const house = await storedHouse(app);
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const { apply, sent, said } = await house.applying(await house.server("web-1"));
    await owner.run({
      text: "update holdfast.host_transactions set traceparent = $2 where request_id = $1",
      values: [sent.request_id, `00-${traceId}-b7ad6b7169203331-01`],
    });
    await said("finalized");
    await house.do((tx) => moveApply(tx, apply, { to: "APPLIED" }, house.by));
    const source = metrics({ database: app, sessions: () => 3, eventStreams: () => 0, onTrouble: () => undefined });
    const served = await serveMetrics(source, "127.0.0.1", 0, (error) => {
      throw error;
    });
    try {
      const ask = async (accept: string) => {
        const answer = await fetch(`http://127.0.0.1:${served.port}/metrics`, { headers: { accept } });
        return { type: answer.headers.get("content-type") ?? "", text: await answer.text() };
      };
      const open = await ask("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
      expect(open.type).toContain("application/openmetrics-text; version=1.0.0");
      expect(open.text.endsWith("\n# EOF\n")).toBe(true);
      expect(open.text).not.toMatch(/\n\n/);
      expect(open.text.match(/# EOF/g)).toHaveLength(1);
      expect(open.text).toContain("# TYPE holdfast_applies counter\n");
      expect(open.text).toContain('\nholdfast_applies_total{state="APPLIED",effect=""} 1\n');
      const exemplar = `# {request_id="${sent.request_id}",trace_id="${traceId}"}`;
      const buckets = open.text.split("\n").filter((line) => line.startsWith("holdfast_apply_duration_seconds_bucket"));
      const [bucket, ...others] = buckets.filter((line) => line.includes(exemplar));
      expect(others).toEqual([]);
      const [, le, value] = /le="([^"]+)".* ([\d.]+) [\d.]+$/.exec(bucket ?? "") ?? [];
      expect(Number(value)).toBeLessThanOrEqual(Number(le));
      for (const accept of ["text/plain", "application/openmetrics-text;q=0,text/plain"]) {
        const plain = await ask(accept);
        expect(plain.type).toContain("version=0.0.4");
        expect(plain.text).not.toContain(exemplar);
        expect(plain.text).not.toContain("# EOF");
      }
    } finally {
      await served.close();
    }
  });
});

test("applies count for each policy in them, the first fifty by name; and phases by how long they lasted", async () => {
  await withDatabase(async ({ app, owner }) => {
    const house = await storedHouse(app);
    const source = metrics({ database: app, sessions: () => 0, eventStreams: () => 0, onTrouble: () => undefined });
    const end = async (server: string, policies: readonly string[]) => {
      const { apply, said } = await house.applying(await house.server(server));
      await owner.run({
        text: `with made as (
                 insert into holdfast.documents (id, kind, name) select gen_random_uuid(), 'Policy', n from unnest($2::text[]) n
                 on conflict (kind, name) do update set name = excluded.name returning id)
               update holdfast.applies set revisions = (select jsonb_agg(jsonb_build_object('document_id', id, 'revision', 1)) from made) where id = $1`,
        values: [apply.id, policies],
      });
      await said("finalized");
      await house.do((tx) => moveApply(tx, apply, { to: "APPLIED" }, house.by));
    };
    await end("web-1", ["base", "web"]);
    await end("web-2", ["base"]);
    const policyLines = async () =>
      (await source.text()).split("\n").filter((line) => line.startsWith("holdfast_policy_applies_total"));
    expect(await policyLines()).toEqual([
      'holdfast_policy_applies_total{policy="base",state="APPLIED"} 2',
      'holdfast_policy_applies_total{policy="web",state="APPLIED"} 1',
    ]);
    await end(
      "web-3",
      Array.from({ length: 60 }, (_, at) => `many-${String(at).padStart(2, "0")}`),
    );
    const many = await policyLines();
    expect(many).toHaveLength(51);
    expect(many).toContain('holdfast_policy_applies_total{policy="",state="APPLIED"} 12');
    expect(many).toContain('holdfast_policy_applies_total{policy="base",state="APPLIED"} 2');
    const text = await source.text();
    expect(text).toContain('holdfast_apply_phase_seconds_count{phase="dispatched"} 3');
    expect(text).toContain('holdfast_apply_phase_seconds_bucket{phase="dispatched",le="900"} 3');
  });
});
