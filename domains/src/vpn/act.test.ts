import type { IpsecSa } from "@holdfast/core/plan/ipsec-state.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import type { TunnelPart, TunnelVerb } from "@holdfast/core/plan/tunnel-act.ts";
import { expect, test } from "vitest";
import { charonDown, EMPTY_CHARON, inForce, labelOf, vpnConfig, withCharon } from "../../test/vpn-sample.ts";
import { decideAct, failedAct } from "./act.ts";
import type { VpnObserved } from "./facts.ts";
import type { TunnelConfig } from "./model.ts";

const NOWHERE: ManagementPath = { controlPlane: [], inbound: [] };
/** Within the other end's network. */
const THROUGH: ManagementPath = { controlPlane: [{ address: "10.20.10.7", port: 7081 }], inbound: [] };

type Child = IpsecSa["children"][number];
const child = (over: Partial<Child> = {}): Child => ({
  label: labelOf(),
  state: "INSTALLED",
  bytesIn: 800,
  bytesOut: 200,
  rekeySeconds: 3_000,
  ...over,
});
const sa = (over: Partial<IpsecSa> = {}): IpsecSa => ({
  name: "holdfast-pair",
  state: "ESTABLISHED",
  localAddress: "203.0.113.10",
  remoteAddress: "198.51.100.7",
  establishedSeconds: 61,
  rekeySeconds: 40_000,
  children: [child()],
  ...over,
});

function decided(
  verb: TunnelVerb,
  of: TunnelPart,
  sas: readonly IpsecSa[],
  {
    over = {},
    path = NOWHERE,
    tunnel = "pair",
  }: { over?: Partial<TunnelConfig>; path?: ManagementPath; tunnel?: string } = {},
) {
  const config = vpnConfig(over);
  const decision = decideAct(config, withCharon(inForce(config), { sas }), { tunnel, verb, of }, path);
  return [decision.kind, ...decision.findings.map(({ severity, code }) => `${severity} ${code}`)];
}

test("a tunnel that stands can be ended and get new keys; it cannot be begun", () => {
  expect(decided("terminate", "ike", [sa()])).toEqual(["possible", "warning vpn.act_cuts", "note vpn.act_comes_back"]);
  expect(decided("terminate", "child", [sa()])).toEqual([
    "possible",
    "warning vpn.act_cuts",
    "note vpn.act_comes_back",
  ]);
  expect(decided("rekey", "child", [sa()])).toEqual(["possible", "note vpn.act_renews"]);
  expect(decided("rekey", "ike", [sa()])).toEqual(["possible", "note vpn.act_renews"]);
  expect(decided("initiate", "child", [sa()])).toEqual(["nothing_to_do", "note vpn.act_is_so"]);
});

test("a tunnel that is down can be begun where the other end's address is known; there is nothing to end", () => {
  expect(decided("initiate", "child", [])).toEqual(["possible", "note vpn.act_begins"]);
  const dynamic = { remote: { address: null, identity: "gw-busan", networks: ["10.20.10.0/24"] } };
  expect(decided("initiate", "child", [], { over: dynamic })).toEqual(["refused", "error vpn.act_other_end_begins"]);
  for (const of of ["ike", "child"] as const) {
    expect(decided("terminate", of, [])).toEqual(["nothing_to_do", "note vpn.act_is_so"]);
    expect(decided("rekey", of, [])).toEqual(["refused", "error vpn.act_nothing_agreed"]);
  }
});

test("an association without a child carries nothing: it is ended without cutting anything, and begun anew", () => {
  const bare = [sa({ children: [] })];
  expect(decided("terminate", "ike", bare)).toEqual(["possible", "note vpn.act_comes_back"]);
  expect(decided("terminate", "child", bare)).toEqual(["nothing_to_do", "note vpn.act_is_so"]);
  expect(decided("rekey", "ike", bare)).toEqual(["possible", "note vpn.act_renews"]);
  expect(decided("rekey", "child", bare)).toEqual(["refused", "error vpn.act_nothing_agreed"]);
  expect(decided("initiate", "child", bare)).toEqual(["possible", "note vpn.act_begins"]);
  expect(decided("rekey", "ike", [sa({ state: "CONNECTING", children: [] })])).toEqual([
    "refused",
    "error vpn.act_nothing_agreed",
  ]);
});

test("what would leave in clear text, and what the server is managed through, are dangers of their own", () => {
  const allow = { clearText: "allow" } as const;
  expect(decided("terminate", "ike", [sa()], { over: allow, path: THROUGH })).toEqual([
    "possible",
    "danger vpn.act_cuts_management",
    "danger vpn.act_opens_clear_text",
    "warning vpn.act_cuts",
    "note vpn.act_comes_back",
  ]);
  expect(decided("terminate", "child", [sa()], { path: THROUGH })[1]).toBe("danger vpn.act_cuts_management");
  // What comes in clear text now would go into the tunnel; where it is blocked it does not come at all.
  expect(decided("initiate", "child", [], { over: allow, path: THROUGH })[1]).toBe("danger vpn.act_cuts_management");
  expect(decided("initiate", "child", [], { path: THROUGH })).toEqual(["possible", "note vpn.act_begins"]);
  // New keys cut nothing.
  expect(decided("rekey", "ike", [sa()], { path: THROUGH })).toEqual(["possible", "note vpn.act_renews"]);
});

test("only what is confirmed and loaded as confirmed is acted on; nobody else's connection is", () => {
  expect(decided("terminate", "ike", [sa({ name: "old-office" })], { tunnel: "old-office" })).toEqual([
    "refused",
    "error vpn.act_no_tunnel",
  ]);
  const config = vpnConfig();
  const act = { tunnel: "pair", verb: "terminate", of: "ike" } as const;
  const codes = (observed: VpnObserved, confirmed = config) => {
    const decision = decideAct(confirmed, observed, act, NOWHERE);
    return [decision.kind, ...decision.findings.map(({ code }) => code)];
  };
  expect(codes(charonDown(inForce(config)))).toEqual(["refused", "vpn.charon_down"]);
  expect(codes(withCharon(inForce(config), { ...EMPTY_CHARON, sas: [sa()] }))).toEqual([
    "refused",
    "vpn.act_not_loaded",
  ]);
  // Loaded by somebody with another key: the label is another one.
  expect(codes(withCharon(inForce(vpnConfig({ keyFile: "pair-2" })), { sas: [sa()] }))).toEqual([
    "refused",
    "vpn.act_not_loaded",
  ]);
  expect(decideAct(null, inForce(config), act, NOWHERE).kind).toBe("refused");
});

test("what charon is asked for is of the connection and the child of that name", () => {
  const config = vpnConfig();
  const operation = (verb: TunnelVerb, of: TunnelPart, sas: readonly IpsecSa[]) => {
    const decision = decideAct(config, withCharon(inForce(config), { sas }), { tunnel: "pair", verb, of }, NOWHERE);
    return decision.kind === "possible" ? decision.operation : null;
  };
  const name = "holdfast-pair";
  expect(operation("terminate", "ike", [sa()])).toEqual({ op: "end", name, label: null });
  expect(operation("terminate", "child", [sa()])).toEqual({ op: "end", name, label: labelOf() });
  expect(operation("rekey", "ike", [sa()])).toEqual({ op: "renew", name, label: null });
  expect(operation("initiate", "child", [])).toEqual({ op: "begin", name, label: labelOf() });
});

test("each way to fail has its code and says what to do", () => {
  const act = { tunnel: "pair", verb: "initiate", of: "child" } as const;
  const said = (["gone", "refused", "silent", "failed"] as const).map((kind) =>
    failedAct(act, { kind, why: "so it is" }),
  );
  expect(said.map(({ code }) => code)).toEqual([
    "vpn.act_vanished",
    "vpn.act_refused_there",
    "vpn.act_no_answer",
    "vpn.act_failed",
  ]);
  for (const { severity, message, remedy } of said) {
    expect([severity, message]).toEqual(["error", "pair: so it is."]);
    expect(remedy.length).toBeGreaterThan(20);
  }
});
