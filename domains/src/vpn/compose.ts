import type { Composed, ComposeInput } from "@holdfast/core/compose/layered-section.ts";
import type { Need } from "@holdfast/core/compose/need.ts";
import { formatAddress, parseAddress } from "@holdfast/core/net/address.ts";
import { TUNNEL_SUITES } from "@holdfast/core/policy/tunnel-suite.ts";
import { vpnRequirements } from "./capability.ts";
import { finding } from "./findings.ts";
import { kernelOf } from "./kernel.ts";
import type { TunnelConfig, VpnConfig } from "./model.ts";
import type { Notes } from "./notes.ts";
import type { VpnSection } from "./section.ts";

/** Each layer is the part of one tunnel, under its own name: nothing is merged, and two tunnels with one other end are refused. */
export function composeVpn(input: ComposeInput<VpnSection>): Composed<VpnConfig> {
  const notes: Notes = { findings: [], provenance: [] };
  if (input.layers.length === 0) return { config: null, ...notes, needs: [] };
  const tunnels: Record<string, TunnelConfig> = {};
  const needs: Need[] = [];
  const nameOfPeer = new Map<string, string>();
  for (const { origin, section } of input.layers) {
    for (const [name, part] of Object.entries(section.tunnels)) {
      const { identity } = part.remote;
      const other = nameOfPeer.get(identity);
      if (other !== undefined)
        notes.findings.push(
          finding(
            "vpn.same_peer_twice",
            "ends",
            `The tunnels ${other} and ${name} both lead to ${identity}: this end could not tell which of them is calling.`,
            origin.document,
          ),
        );
      nameOfPeer.set(identity, name);
      tunnels[name] = concrete(part);
      notes.provenance.push({ item: `vpn.tunnels.${name}`, from: origin, beat: [] });
      const cause = `the tunnel ${name} to ${part.peer}`;
      needs.push(
        { kind: "ike", peer: tunnels[name].remote.address, cause },
        { kind: "esp", peer: tunnels[name].remote.address, cause },
      );
    }
  }
  const isBroken = notes.findings.some((one) => one.severity === "error");
  const config = isBroken ? null : { tunnels };
  if (config === null) return { config, ...notes, needs };
  return { config, ...notes, needs, requires: vpnRequirements(config), kernel: kernelOf(config) };
}

function concrete(part: VpnSection["tunnels"][string]): TunnelConfig {
  const suite = TUNNEL_SUITES[part.suite];
  return {
    ...part,
    local: { ...part.local, address: canonical(part.local.address) },
    remote: { ...part.remote, address: canonical(part.remote.address) },
    ikeProposals: [...suite.ike],
    childProposals: [...suite.child],
  };
}

/** The document's schema has checked it. */
function canonical(text: string | null): string | null {
  const address = text === null ? null : parseAddress(text);
  return address?.ok === true ? formatAddress(address.value) : null;
}
