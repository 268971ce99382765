import type { Finding } from "@holdfast/core/base/finding.ts";
import { assertNever } from "@holdfast/core/base/never.ts";
import type { IpsecFailure, IpsecOperation, IpsecSa } from "@holdfast/core/plan/ipsec-state.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import type { TunnelAct, TunnelDecision } from "@holdfast/core/plan/tunnel-act.ts";
import { isDoor, type Wanted, wantedOf } from "./conn.ts";
import type { VpnObserved } from "./facts.ts";
import { finding, type VpnCode } from "./findings.ts";
import { guardFindings } from "./guard.ts";
import { isLoaded, listedOf, liveOf } from "./live.ts";
import type { VpnConfig } from "./model.ts";

/**
 * What an operator may do to a tunnel that is in force: of the confirmed config, by its name, and only where charon has it as it is confirmed.
 * To end what is not there and to begin what stands is nothing to do, so that whoever presses twice does no harm.
 */
export function decideAct(
  config: VpnConfig | null,
  observed: VpnObserved,
  act: TunnelAct,
  path: ManagementPath,
): TunnelDecision {
  const say = (code: VpnCode, message: string): Finding => finding(code, `vpn.tunnels.${act.tunnel}`, message);
  const refused = (code: VpnCode, message: string): TunnelDecision => ({
    kind: "refused",
    findings: [say(code, message)],
  });
  const wanted = wantedOf(config).find(({ tunnel, conn }) => tunnel === act.tunnel && !isDoor(conn));
  if (wanted === undefined) return refused("vpn.act_no_tunnel", `No tunnel ${act.tunnel} is in force on this server.`);
  const live = liveOf(observed);
  if (live === null) return refused("vpn.charon_down", "strongSwan does not answer on this server.");
  const { conn } = wanted;
  if (!isLoaded(conn, listedOf(live, conn.name)))
    return refused(
      "vpn.act_not_loaded",
      `strongSwan does not have ${act.tunnel} as it is confirmed: what it would begin is not known.`,
    );
  const own = live.sas.filter(({ name }) => name === conn.name);
  const nothing = (message: string): TunnelDecision => ({
    kind: "nothing_to_do",
    findings: [say("vpn.act_is_so", message)],
  });
  const possible = (operation: IpsecOperation, findings: readonly Finding[]): TunnelDecision => ({
    kind: "possible",
    operation,
    findings,
  });
  const isUp = own.some((sa) => sa.state === "ESTABLISHED" && carries(sa));
  const label = act.of === "child" ? conn.label : null;
  switch (act.verb) {
    case "initiate":
      if (isUp) return nothing(`${act.tunnel} is agreed with ${wanted.config.peer} and carries packets.`);
      if (conn.remoteAddress === null)
        return refused("vpn.act_other_end_begins", `The address of ${wanted.config.peer} is not known here.`);
      return possible({ op: "begin", name: conn.name, label: conn.label }, beginning(wanted, say, path));
    case "terminate":
      if (act.of === "child" ? !own.some(carries) : own.length === 0)
        return nothing(`Nothing of ${act.tunnel} is agreed with ${wanted.config.peer}.`);
      return possible({ op: "end", name: conn.name, label }, ending(wanted, own, say, path));
    case "rekey": {
      const isThere = act.of === "child" ? isUp : own.some(({ state }) => state === "ESTABLISHED");
      if (!isThere)
        return refused("vpn.act_nothing_agreed", `There are no keys of ${act.tunnel} that could be replaced.`);
      const message = `New keys are agreed with ${wanted.config.peer} while the old ones carry packets: nothing is interrupted.`;
      return possible({ op: "renew", name: conn.name, label }, [say("vpn.act_renews", message)]);
    }
    default:
      return assertNever(act.verb);
  }
}

/** While a transaction is open the tunnels are its own: on trial, or being put back. */
export function openedFirst(tunnel: string, open: { readonly requestId: string; readonly last: string }): Finding {
  const message = `The transaction ${open.requestId} is open on this server (${open.last}).`;
  return finding("vpn.act_transaction_open", `vpn.tunnels.${tunnel}`, message);
}

type Say = (code: VpnCode, message: string) => Finding;

function beginning(wanted: Wanted, say: Say, path: ManagementPath): readonly Finding[] {
  const { config } = wanted;
  const message = `A key exchange with ${config.peer} at ${config.remote.address ?? ""} begins; then packets between ${between(wanted)} pass encrypted.`;
  // Where clear text is blocked they go nowhere as it is.
  const moves = config.clearText === "allow" ? managed(wanted, path) : null;
  return [
    ...(moves === null
      ? []
      : [
          say(
            "vpn.act_cuts_management",
            `${moves}: what comes to it unencrypted now goes into the tunnel from then on, and is lost where the other end does not pass it on.`,
          ),
        ]),
    say("vpn.act_begins", message),
  ];
}

function ending(wanted: Wanted, own: readonly IpsecSa[], say: Say, path: ManagementPath): readonly Finding[] {
  const { config, tunnel } = wanted;
  const children = own.flatMap((sa) => sa.children);
  if (!own.some(carries))
    return [say("vpn.act_comes_back", `${tunnel} carries no packets now; strongSwan stops trying to agree on it.`)];
  const passed = children.reduce((sum, { bytesIn, bytesOut }) => sum + bytesIn + bytesOut, 0);
  const age = Math.max(...own.map(({ establishedSeconds }) => establishedSeconds));
  const where = config.clearText === "block" ? "go nowhere" : "leave unencrypted";
  const cut = managed(wanted, path);
  return [
    ...(cut === null
      ? []
      : [say("vpn.act_cuts_management", `${cut}: while ${tunnel} is down it may not be reached any more.`)]),
    ...(config.clearText === "block"
      ? []
      : [
          say(
            "vpn.act_opens_clear_text",
            `Until ${tunnel} is agreed anew, packets from ${config.local.networks.join(", ")} for ${config.remote.networks.join(", ")} leave unencrypted (clearText: allow).`,
          ),
        ]),
    say(
      "vpn.act_cuts",
      `What is agreed with ${config.peer} for ${age} s, with ${passed} bytes in the newest keys, ends: packets between ${between(wanted)} ${where} until it is agreed anew, and connections that are open may break.`,
    ),
    wanted.pools.length === 0 ? comesBack(wanted, say) : personComesBack(wanted, say),
  ];
}

function personComesBack({ config }: Wanted, say: Say): Finding {
  return say("vpn.people_come_back", `${config.peer} may connect again at once: the key is as good as before.`);
}

function comesBack({ config, conn, tunnel }: Wanted, say: Say): Finding {
  return say(
    "vpn.act_comes_back",
    conn.starts && conn.deadThen === "restart"
      ? `This server begins ${tunnel} again by itself within half a minute.`
      : `${config.peer} begins ${tunnel} again when it will: a server of this house at once, or within half a minute.`,
  );
}

function carries(sa: IpsecSa): boolean {
  return sa.children.some(({ state }) => state === "INSTALLED");
}

function between({ config }: Wanted): string {
  return `${config.local.networks.join(", ")} and ${config.remote.networks.join(", ")}`;
}

/** How the server is managed through the tunnel, as the beginning of a sentence; null when it is not. */
function managed(wanted: Wanted, path: ManagementPath): string | null {
  return guardFindings([wanted], path).length === 0
    ? null
    : `This server is managed from ${wanted.config.remote.networks.join(", ")}, or a part of it`;
}

const FAILED = {
  gone: "vpn.act_vanished",
  refused: "vpn.act_refused_there",
  silent: "vpn.act_no_answer",
  failed: "vpn.act_failed",
} as const satisfies Record<IpsecFailure["kind"], VpnCode>;

export function failedAct({ tunnel }: TunnelAct, { kind, why }: IpsecFailure): Finding {
  return finding(FAILED[kind], `vpn.tunnels.${tunnel}`, `${tunnel}: ${why}.`);
}
