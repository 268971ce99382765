/** Traces of applies with a simulated agent: what a collector is told, and that no trouble with it or with the agent's word harms anything. */
import { OtlpCollector } from "@holdfast/testkit/collector/otlp-collector.ts";
import { type TakenSpan, whyNoTree } from "@holdfast/testkit/collector/otlp-request.ts";
import { until } from "@holdfast/testkit/until.ts";
import pino from "pino";
import { expect, test, vi } from "vitest";
import { OtlpTraces } from "../src/trace/otlp-traces.ts";
import { spanIdOf, traceIdOf, traceIdOfRequest } from "../src/trace/span-id.ts";
import { bodyOf, planned, policy } from "./api-changes.ts";
import { EVERYTHING, withApi } from "./api-house.ts";
import { MortalDatabase } from "./mortal-database.ts";
import { withSagaHouse } from "./saga-house.ts";

vi.setConfig({ testTimeout: 60_000 });

const CAUSE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE = CAUSE.slice(3, 35);

function tracesTo(collector: OtlpCollector, answerMs = 10_000): OtlpTraces {
  return new OtlpTraces({
    url: collector.url,
    authorization: null,
    by: { version: "0", instanceId: "i" },
    log: pino({ level: "silent" }),
    timing: { gatherMs: 5, answerMs, closeMs: 100 },
  });
}

async function withCollector(body: (collector: OtlpCollector, traces: OtlpTraces) => Promise<void>): Promise<void> {
  const collector = await OtlpCollector.open();
  const traces = tracesTo(collector);
  try {
    await body(collector, traces);
    expect(collector.refused).toEqual([]);
  } finally {
    await traces.close();
    await collector.close();
  }
}

/** The trunk comes last. */
async function trunk(collector: OtlpCollector, name = "apply", traceId = TRACE): Promise<readonly TakenSpan[]> {
  const all = (): readonly TakenSpan[] => collector.spans.filter((span) => span.traceId === traceId);
  await until("the trunk", () => all().some((span) => span.name === name));
  return all();
}

test("an apply of an agent that knows nothing of traces: its own span, each command and what the saga did, in the trace of the request", async () => {
  await withCollector(async (collector, traces) => {
    await withSagaHouse(async (house) => {
      const instance = await house.instance(undefined, { traces });
      const { server } = await house.agent("web-1", instance);
      const apply = await house.apply(server, { traceparent: CAUSE });
      expect(await house.ended(apply.id)).toMatchObject({ state: "APPLIED" });
      const spans = await trunk(collector);
      expect(whyNoTree(spans)).toEqual([]);
      const [sent] = await house.sent(apply.id);
      const root = spans.find(({ name }) => name === "apply");
      expect(root).toMatchObject({
        parent: CAUSE.slice(36, 52),
        failure: null,
        attributes: {
          "holdfast.request_id": sent?.request_id,
          "holdfast.change_id": apply.change_id,
          "holdfast.target_host": "web-1",
          "holdfast.state": "APPLIED",
          "holdfast.server_is": "as_requested",
        },
      });
      expect(spans.filter(({ name }) => name.startsWith("call ")).map(({ name, failure }) => [name, failure])).toEqual([
        ["call prepare", null],
        ["call execute", null],
        ["call confirm", null],
      ]);
      expect(spans.map(({ name }) => name)).toEqual(
        expect.arrayContaining(["saga baseline", "saga sign", "saga record ending"]),
      );
      expect(sent?.traceparent).toBe(`00-${TRACE}-${root?.id}-01`);
    });
  });
});

test("a collector that hangs delays no apply, and a house that does not trace tells nobody and keeps no trace", async () => {
  const collector = await OtlpCollector.open();
  collector.manners = ["hang"];
  const traces = tracesTo(collector, 60_000);
  try {
    await withSagaHouse(async (house) => {
      const instance = await house.instance(undefined, { traces });
      const { server } = await house.agent("web-1", instance);
      const first = await house.apply(server, { traceparent: CAUSE });
      expect(await house.ended(first.id)).toMatchObject({ state: "APPLIED" });
      await until("the collector that hangs", () => collector.requests === 1);
      expect(await house.ended((await house.apply(server, { traceparent: CAUSE })).id)).toMatchObject({
        state: "APPLIED",
      });
      expect([collector.requests, traces.counts().sent]).toEqual([1, 0]);

      const off = await house.instance();
      const { server: quiet, agent } = await house.agent("web-2", off);
      agent.onSpans = () => expect.unreachable("an agent was asked for spans");
      const untraced = await house.apply(quiet, { policy: "other" });
      expect(await house.ended(untraced.id)).toMatchObject({ state: "APPLIED" });
      expect((await house.sent(untraced.id))[0]).toMatchObject({ traceparent: null, traced_from: null });
      await off.close("hand_over");
    });
  } finally {
    await traces.close();
    await collector.close();
  }
});

test("an instance that is killed at any of its transactions takes away what it alone did: whoever goes on ends the same trace, connected", async () => {
  await withCollector(async (collector, traces) => {
    await withSagaHouse(async (house) => {
      const other = await house.instance(undefined, { traces });
      for (const point of [2, 4, 6]) {
        // What it had recorded dies with it.
        const dead = await OtlpCollector.open();
        dead.manners = ["hang"];
        const database = new MortalDatabase(house.test.appTarget);
        const instance = await house.instance(database, { traces: tracesTo(dead) });
        const { server, agent } = await house.agent(`web-${point}`, instance, { windowMs: 60_000 });
        await expect.poll(() => instance.sessions.of(server) !== undefined, { timeout: 10_000 }).toBe(true);
        database.onDeath = () => {
          agent.port = other.gateway.port;
          void instance.close("drop").then(() =>
            house.test.owner.run({
              text: "update holdfast.applies set lease_until = now() - interval '1 second' where lease_owner = $1",
              values: [instance.id],
            }),
          );
        };
        database.dieAfter(point);
        const trace = `${"0".repeat(31)}${point}`;
        const apply = await house.apply(server, {
          policy: `p-${point}`,
          windowSeconds: 60,
          traceparent: CAUSE.replace(TRACE, trace),
        });
        // What the server did, as children of commands that either of the two has sent.
        const [sent] = await until("the claim", async () => (await house.sent(apply.id)).length > 0).then(() =>
          house.sent(apply.id),
        );
        const requestId = sent?.request_id ?? "";
        agent.onSpans = () => ({
          spansJson: JSON.stringify({
            spans: ["prepare", "execute", "confirm"].map((kind, index) => ({
              id: `${"a".repeat(15)}${index}`,
              parent: spanIdOf(`call ${kind}`, requestId),
              name: `session ${kind}`,
              startMs: Date.now(),
              endMs: Date.now(),
            })),
            lost: 0,
          }),
          nowMs: Date.now(),
        });
        expect(await house.ended(apply.id)).toMatchObject({ state: "APPLIED" });
        const spans = await trunk(collector, "apply", trace);
        expect(whyNoTree(spans), `killed before transaction ${point}`).toEqual([]);
        expect(spans.filter(({ service }) => service === "holdfast-agent")).toHaveLength(3);
        await dead.close();
        await database.close();
      }
    });
  });
});

test("an agent's word about spans: put right by its clock, cut at its end, and never in another trace or with a text of its own", async () => {
  await withCollector(async (collector, traces) => {
    await withSagaHouse(async (house) => {
      const instance = await house.instance(undefined, { traces });
      const { server, agent } = await house.agent("web-1", instance);
      // An hour behind.
      const now = (): number => Date.now() - 3_600_000;
      const one = { parent: "b".repeat(16), name: "native nft", startMs: now(), endMs: now() + 1 };
      agent.onSpans = () => ({
        spansJson: JSON.stringify({
          spans: [
            { ...one, id: "1".repeat(16), traceId: "f".repeat(32), note: "canary-text" },
            { ...one, id: "2".repeat(16), name: "native canary text of its own" },
            ...Array.from({ length: 300 }, (_, index) => ({
              ...one,
              id: (index + 256).toString(16).padStart(16, "0"),
            })),
          ],
          lost: 0,
        }),
        nowMs: now(),
      });
      const apply = await house.apply(server, { traceparent: CAUSE });
      expect(await house.ended(apply.id)).toMatchObject({ state: "APPLIED" });
      const spans = await trunk(collector);
      const told = spans.filter(({ service }) => service === "holdfast-agent");
      expect(told.length).toBe(255);
      expect(traces.counts().lost_by_agent).toBe(47);
      expect(spans.find(({ name }) => name === "apply")?.attributes["holdfast.lost_spans"]).toBe("47");
      expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
      expect(collector.bodies.join("\n")).not.toContain("canary");
      const root = spans.find(({ name }) => name === "apply");
      const aside = Number((told[0]?.startNs ?? 0n) - (root?.startNs ?? 0n)) / 1e9;
      expect(Math.abs(aside)).toBeLessThan(600);
    });
  });
});

test("an apply that fails says its code; one of several servers has a trace of its own that names the request's", async () => {
  await withCollector(async (collector, traces) => {
    await withSagaHouse(async (house) => {
      const instance = await house.instance(undefined, { traces });
      const first = await house.agent("web-1", instance);
      const second = await house.agent("web-2", instance);
      const rollout = await house.rollout([[first.server, second.server]], { traceparent: CAUSE });
      await until("both", async () => {
        const all = await house.appliesOf(rollout);
        return all.length === 2 && all.every(({ state }) => state === "APPLIED");
      });
      for (const apply of await house.appliesOf(rollout)) {
        const [root] = (await trunk(collector, "apply", traceIdOf(apply.request_id ?? ""))).filter(
          ({ name }) => name === "apply",
        );
        expect(root).toMatchObject({ parent: null, links: [`${TRACE}/${CAUSE.slice(36, 52)}`] });
      }
      first.agent.probeResult = () => "closed";
      house.inbound.see = () => "closed";
      first.agent.crashAfter = "on_trial";
      const failed = await house.apply(first.server, { policy: "fails", traceparent: CAUSE });
      const ended = await house.ended(failed.id);
      expect(ended.state).toBe("ROLLED_BACK");
      const spans = await trunk(collector);
      expect(spans.find(({ name }) => name === "apply")).toMatchObject({
        failure: ended.code,
        attributes: { "holdfast.state": "ROLLED_BACK", "holdfast.result_code": ended.code },
      });
    });
  });
});

test("the request of the API is the trace's first span, or goes on with its caller's; nobody is traced who is not let in, and what only reads is not", async () => {
  await withCollector(async (collector, traces) => {
    await withApi(
      async (api) => {
        const kim = await api.account("kim", EVERYTHING);
        await api.server(kim, "web-1", { role: "web" });
        const change = await planned(api, kim, [policy("web", 443)]);
        const rollout = await api.done(kim, "applyChange", { params: { id: change.id }, body: bodyOf(change) });
        await api.until(async () => {
          const now = await api.done(kim, "getRollout", { params: { id: rollout.id } });
          return now.state === "DONE" ? now : undefined;
        }, "the rollout to end");
        await until(
          "the trunk",
          () => collector.named("apply").length > 0 && collector.named("api applyChange").length > 0,
        );
        const [pressed] = collector.named("api applyChange");
        const spans = collector.spans.filter(({ traceId }) => traceId === pressed?.traceId);
        expect(whyNoTree(spans)).toEqual([]);
        expect(pressed).toMatchObject({
          parent: null,
          attributes: { "holdfast.route": "applyChange", "holdfast.via": "token", "holdfast.status": "202" },
        });
        expect(collector.spans.some(({ name }) => name === "api getRollout")).toBe(false);

        const withdraw = (headers: Record<string, string>) =>
          api.app.inject({
            method: "POST",
            url: `/api/v1/changes/${change.id}/withdraw`,
            headers: { traceparent: CAUSE, ...headers },
            payload: {},
          });
        await withdraw({ authorization: "Bearer nobody" });
        const answer = await withdraw({ authorization: `Bearer ${kim}` });
        const trace = (): readonly TakenSpan[] => collector.spans.filter(({ traceId }) => traceId === TRACE);
        await until("the caller's trace", () => trace().length > 0);
        expect(trace()).toMatchObject([{ parent: CAUSE.slice(36, 52), failure: answer.json().code }]);
        expect(traceIdOfRequest(String(answer.headers["x-request-id"]))).not.toBe(TRACE);
      },
      { traces },
    );
  });
});
