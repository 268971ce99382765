/** One press of the button as one trace: the API's request, the saga, the wire, session, guard, module and native command on a real server. */
import { applyDetailSchema } from "@holdfast/core/api/apply.ts";
import { readOtlpRequest, type TakenSpan, whyNoTree } from "@holdfast/testkit/collector/otlp-request.ts";
import { policyText } from "@holdfast/testkit/house/documents.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { InsideProgram } from "@holdfast/testkit/servers/inside-program.ts";
import type { Collected } from "@holdfast/testkit/servers/inside/collect.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { applyPlanned, type BegunApply, endOf, planOn } from "../one-apply.ts";

const PORT = 4318;
const closing: (() => Promise<void>)[] = [];
const spans: TakenSpan[] = [];
const bodies: string[] = [];
let house: House;

beforeAll(async () => {
  house = await House.open({
    servers: [{ name: "web-1", kind: "systemd" }],
    environment: {
      HOLDFAST_TRACES_URL: `http://127.0.0.1:${PORT}/v1/traces`,
      HOLDFAST_TRACES_AUTHORIZATION: "Basic canary-password",
    },
  });
  closing.push(() => house.close());
  const [place] = house.networks.controls;
  if (place === undefined) throw new Error("this house has no control plane");
  const collector = await InsideProgram.start(place, "collect", { port: PORT });
  closing.push(() => collector.stop());
  collector.listen((told) => {
    const { path, authorization, body } = told as Collected;
    expect([path, authorization]).toEqual(["/v1/traces", "Basic canary-password"]);
    bodies.push(body);
    spans.push(...readOtlpRequest(JSON.parse(body)));
  });
}, 240_000);
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
}, 60_000);

async function traceOf({ applyId }: BegunApply): Promise<readonly TakenSpan[]> {
  const { requestId } = await house.operator.call("getApply", { params: { id: applyId }, answer: applyDetailSchema });
  const trunk = (): TakenSpan | undefined =>
    spans.find(({ name, attributes }) => name === "apply" && attributes["holdfast.request_id"] === requestId);
  await until("the trunk of the trace", () => trunk() !== undefined, 30_000);
  return spans.filter(({ traceId }) => traceId === trunk()?.traceId);
}

/** From the first span down to each one of the trace. */
function pathsOf(trace: readonly TakenSpan[]): readonly string[] {
  const pathTo = (span: TakenSpan): string => {
    const parent = trace.find(({ id }) => id === span.parent);
    return parent === undefined ? span.name : `${pathTo(parent)} > ${span.name}`;
  };
  return trace.map(pathTo);
}

test("one apply is one tree, from the API's request to nft on the server, and says nothing of what was written or where", async () => {
  const server = house.server("web-1");
  const change = await planOn(
    house,
    server,
    policyText({ server: "web-1", inbound: { more: "allow: tcp/8081, from: any" } }),
  );
  const begun = await applyPlanned(house, server, change);
  expect(await endOf(house, begun.applyId)).toMatchObject({ state: "APPLIED" });
  const trace = await traceOf(begun);
  expect(whyNoTree(trace)).toEqual([]);

  const down = "api applyChange > apply";
  const executed = `${down} > call execute > session Execute > guard Submit`;
  expect(pathsOf(trace)).toEqual(
    expect.arrayContaining([
      `${down} > call prepare > session Prepare > guard Submit > module Plan`,
      `${executed} > guard arm`,
      `${executed} > guard step > module ApplyStep > native nft`,
      `${down} > call confirm > session Confirm > guard Submit > module Persist`,
      `${down} > saga sign`,
      `${down} > saga probe`,
    ]),
  );
  const trunk = trace.find(({ name }) => name === "apply");
  expect(trunk?.events).toEqual(
    expect.arrayContaining(["prepared", "armed", "step_begin", "on_trial", "confirmed", "finalized"]),
  );
  expect(trace.find(({ name }) => name === "guard step")?.attributes).toMatchObject({
    "holdfast.domain": "firewall",
    "holdfast.target_host": "web-1",
  });

  // Addresses, ports, paths and texts of documents. Ids and times are numbers of any kind and are left out; nothing else is.
  const said = spans
    .flatMap(({ name, attributes, events, failure }) => [name, ...Object.values(attributes), ...events, failure ?? ""])
    .filter((text) => !/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(text))
    .join("\n");
  for (const canary of ["8081", "10.", "192.", "/", "tcp"]) {
    const without = said.replaceAll(/^\d+\/\d+$/gm, ""); // which step of how many
    expect(without.includes(canary), canary).toBe(false);
  }
  const everything = bodies.join("\n");
  for (const secret of ["canary-password", house.operator.token])
    expect(everything.includes(secret), "a secret").toBe(false);
});

test("what was undone says so, with what the way back wrote", async () => {
  const server = house.server("web-1");
  const change = await planOn(
    house,
    server,
    policyText({ server: "web-1", inbound: { more: "allow: tcp/8082, from: any" } }),
  );
  const begun = await applyPlanned(house, server, change);
  await house.operator.call("abortApply", {
    params: { id: begun.applyId },
    body: { reason: "the trace of an undo is looked at" },
    answer: z.unknown(),
  });
  const end = await endOf(house, begun.applyId);
  expect(["ROLLED_BACK", "FAILED"]).toContain(end.state);
  const trace = await traceOf(begun);
  expect(whyNoTree(trace)).toEqual([]);
  expect(trace.find(({ name }) => name === "apply")?.failure).toBe(end.code);
});

test("the agent's own metrics: for root on that server, and for nobody else", async () => {
  const { machine } = house.server("web-1");
  const socket = "/run/holdfast-agent/metrics.sock";
  const scrape = ["curl", "--silent", "--fail", "--unix-socket", socket, "http://agent/metrics"];
  const text = await machine.must(scrape);
  expect(text).toMatch(/^holdfast_agent_connected 1$/m);
  expect(text).toMatch(/^holdfast_agent_commands_total\{verb="execute",result="passed_on"\} [1-9]/m);
  expect(await machine.must(["stat", "-c", "%a %U", socket])).toBe("600 holdfast\n");
  expect((await machine.exec(["setpriv", "--reuid=nobody", "--clear-groups", ...scrape])).code).not.toBe(0);
});
