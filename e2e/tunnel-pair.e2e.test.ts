import { randomBytes } from "node:crypto";
import { sql } from "@holdfast/control/store/sql.ts";
import { changeDetailSchema, rolloutSchema } from "@holdfast/core/api/change.ts";
import { tunnelActedSchema } from "@holdfast/core/api/tunnel-act.ts";
import { policyText, USUAL_RULES } from "@holdfast/testkit/house/documents.ts";
import type { HouseServer } from "@holdfast/testkit/house/house-server.ts";
import type { House } from "@holdfast/testkit/house/house.ts";
import { putKey } from "@holdfast/testkit/servers/strongswan.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { TUNNEL_WITHIN_MS, TwoGateways, WINDOW_SECONDS } from "./two-gateways.ts";

/** A tunnel through the whole house: one document, two servers, one wave, and packets that decide. */

/** A whole window of an end that waits in vain, and a tunnel that is begun again after it. */
vi.setConfig({ testTimeout: 300_000 });

const KEYS = { good: randomBytes(32).toString("base64"), other: randomBytes(32).toString("base64") };

let stage: TwoGateways;
let house: House;
let a: HouseServer;
let b: HouseServer;

beforeAll(async () => {
  stage = await TwoGateways.open();
  ({ house, a, b } = stage);
  for (const { machine } of [a, b]) await putKey(machine, "pair-1", KEYS.good);
}, 240_000);
afterAll(() => stage.close());

const tunnel = (key: string): string => stage.tunnel(`{ psk: "file:${key}" }`);
const passes = (): Promise<boolean> => stage.passes();

async function look({ machine }: HouseServer): Promise<string> {
  const script =
    "swanctl --list-conns; ip route show type blackhole; cat /etc/swanctl/conf.d/holdfast.conf /var/lib/holdfast/vpn/loaded.json 2>&1";
  return (await machine.exec(["sh", "-c", script])).stdout;
}

const statesOf = (rollout: z.infer<typeof rolloutSchema>) =>
  rollout.waves.map((wave) => wave.servers.map((one) => `${one.server} ${one.apply?.state ?? ""}`).toSorted());

test("one change, one wave, both ends confirmed when packets pass; the key is nowhere in the control plane", async () => {
  const rollout = await house.operator.begin("Connect the two", [...stage.servers(), tunnel("pair-1")]);
  const ended = await house.operator.waitRollout(rollout?.id ?? "");
  expect([ended.state, statesOf(ended)]).toEqual(["DONE", [["gw-a APPLIED", "gw-b APPLIED"]]]);
  await until("packets to pass", passes, TUNNEL_WITHIN_MS);
  // Each firewall lets the exchange in by itself, though it drops everything else.
  expect(await a.machine.must(["nft", "list", "table", "inet", "holdfast"])).toMatch(/udp dport \{ 500, 4500 \}/);
  const [row] = await house.database.rows<{ text: string }>(
    sql`select (select string_agg(p::text, ' ') from plans p) || (select string_agg(t::text, ' ') from host_transactions t) as text`,
  );
  expect(row?.text).toContain("pair-1");
  for (const key of Object.values(KEYS)) {
    expect(row?.text).not.toContain(key);
    expect(house.controlOutput()).not.toContain(key);
  }
});

test("an operator gives it new keys, ends it and begins it, through API, signer, session and guard; each stands in the audit log", async () => {
  const press = (body: object) =>
    house.operator.call("actOnTunnel", { params: { name: "gw-b", tunnel: "pair" }, body, answer: tunnelActedSchema });
  const ike = async () => /holdfast-pair: #(\d+), EST/.exec(await b.machine.must(["swanctl", "--list-sas"]))?.[1];
  const before = await ike();
  const seen = await press({ act: "terminate", preview: true });
  expect([seen.id, seen.outcome, ...seen.findings.map(({ code }) => code)]).toEqual([
    null,
    "possible",
    "vpn.act_cuts",
    "vpn.act_comes_back",
  ]);
  expect(await press({ act: "rekey", of: "ike" })).toMatchObject({ outcome: "done" });
  expect(await ike()).not.toBe(before);
  const ended = await press({ act: "terminate" });
  expect(ended.outcome).toBe("done");
  // Its own timer may have been quicker.
  expect(["done", "nothing_to_do"]).toContain((await press({ act: "initiate" })).outcome);
  await until("packets to pass", passes, TUNNEL_WITHIN_MS);
  const said = await house.database.rows<{ action: string; result_code: string }>(
    sql`select action, result_code from audit_log where request_id = ${ended.id} order by id`,
  );
  expect(said.map(({ action, result_code }) => `${action} ${result_code}`)).toEqual([
    "tunnel.act_begun ok",
    "tunnel.act_ended ok",
  ]);
  // The fences of these acts are below those of the applies that follow, which the next tests show.
});

test("another key on both ends: the tunnel is agreed anew, and both are confirmed", async () => {
  for (const { machine } of [a, b]) await putKey(machine, "pair-2", KEYS.other);
  await house.operator.apply("Change the key", [tunnel("pair-2")]);
  await until("packets to pass", passes, TUNNEL_WITHIN_MS);
  for (const { machine } of [a, b])
    expect(await machine.must(["swanctl", "--list-sas"])).toMatch(/holdfast-pair: #\d+, ESTABLISHED/);
});

test("the ends do not have the same key: no packet passes, neither is confirmed, and the tunnel of before is there again", async () => {
  const before = [await look(a), await look(b)];
  await putKey(a.machine, "pair-3", KEYS.good);
  await putKey(b.machine, "pair-3", KEYS.other);
  const rollout = await house.operator.begin("Change the key", [tunnel("pair-3")]);
  const id = rollout?.id ?? "";
  const ended = await house.operator.waitRollout(id);
  expect(ended.state).toBe("HALTED");
  const get = () => house.operator.call("getRollout", { params: { id }, answer: rolloutSchema });
  await until(
    "both ends to be as before",
    async () => statesOf(await get()).join() === "gw-a ROLLED_BACK,gw-b ROLLED_BACK",
    3 * WINDOW_SECONDS * 1_000,
    500,
  );
  expect([await look(a), await look(b)]).toEqual(before);
  await until("packets to pass again", passes, TUNNEL_WITHIN_MS, 500);
});

test("a change that has nothing to do with the tunnel is not held up by one that is down", async () => {
  await b.machine.must(["systemctl", "stop", "strongswan.service"]);
  await a.machine.exec(["swanctl", "--terminate", "--ike", "holdfast-pair", "--force"]);
  expect(await passes()).toBe(false);
  await house.operator.apply("One port more", [
    policyText({ server: "gw-a", inbound: { ...USUAL_RULES, more: "allow: tcp/4711, from: any" } }),
  ]);
  await b.machine.must(["systemctl", "start", "strongswan.service"]);
  await until("packets to pass again", passes, TUNNEL_WITHIN_MS, 500);
});

test("the tunnel taken out of force on both: nothing of it is left", async () => {
  const made = await house.operator.call("createChange", {
    body: { title: "Part the two", documents: [], deletes: [{ kind: "Tunnel", name: "pair" }] },
    answer: z.object({ id: z.string() }),
  });
  const planned = await house.operator.call("planChange", {
    params: { id: made.id },
    body: { trial: {} },
    answer: changeDetailSchema,
  });
  const rollout = await house.operator.applyPlanned(planned);
  expect((await house.operator.waitRollout(rollout?.id ?? "")).state).toBe("DONE");
  for (const { machine } of [a, b]) {
    expect(await machine.must(["swanctl", "--list-conns"])).toBe("");
    expect(await machine.must(["ls", "/etc/swanctl/conf.d"])).toBe("");
    expect((await machine.must(["ip", "route", "show", "type", "blackhole"])).trim()).toBe("");
  }
});
