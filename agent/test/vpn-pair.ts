import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { SecretVersion } from "@holdfast/core/secret/secret-file.ts";
import type { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { putKey, useOwnDataPlane } from "@holdfast/testkit/servers/strongswan.ts";
import { vpnPart } from "./vpn-part.ts";

/** Two servers with strongSwan and its own data plane (this machine's kernel has no ESP), each with a network behind it. */
export interface VpnPair {
  readonly a: LabServer;
  readonly b: LabServer;
}

export const ADDRESS = { a: "192.0.2.10", b: "192.0.2.20" } as const;
export const INSIDE = { a: "10.71.0.1", b: "10.72.0.1" } as const;
/** 43 characters each. */
export const KEYS = {
  first: "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF",
  second: "c2Vjb25kLWtleS1vZi10aGUtcGFpci1jLXNlY29uZC0",
} as const;

export async function vpnPair(lab: Lab): Promise<VpnPair> {
  const wan = await lab.network({ name: "wan", subnet4: "192.0.2.0/24" });
  const [a, b] = await Promise.all(
    (["a", "b"] as const).map(async (name, index) => {
      const inside = await lab.network({ name: `in-${name}`, subnet4: `10.7${index + 1}.0.0/24` });
      const server = lab.server({
        name: `gw-${name}`,
        kind: "systemd",
        enable: ["strongswan"],
        addressing: "networkd",
        attachments: [
          { network: wan, interface: "eth0", addresses: [ADDRESS[name]] },
          { network: inside, interface: "eth1", addresses: [INSIDE[name]] },
        ],
      });
      await server.start();
      await useOwnDataPlane(server, true);
      for (const [key, text] of Object.entries(KEYS)) await putKey(server, key, text);
      return server;
    }),
  );
  if (a === undefined || b === undefined) throw new Error("a pair has two servers");
  return { a, b };
}

export interface TunnelWish {
  readonly key?: string;
  readonly suite?: string;
  readonly clearText?: string;
  readonly via?: string;
  /** The version of both certificates, instead of a key. */
  readonly certificates?: number;
}

/** The vpn part of both ends, from one document and the composition that the control plane uses. */
export function bothEnds(
  wish: TunnelWish = {},
  secrets: readonly SecretVersion[] = [],
): { readonly a: Json; readonly b: Json } {
  const auth =
    wish.certificates === undefined
      ? `psk: "file:${wish.key ?? "first"}"`
      : `certificate: "generated@${wish.certificates}"`;
  const text = `apiVersion: holdfast/v1
kind: Tunnel
name: pair
ends:
  a: { server: gw-a, address: ${ADDRESS.a}, networks: 10.71.0.0/24 }
  b: { server: gw-b, address: dynamic, networks: 10.72.0.0/24 }
via: ${wish.via ?? "policy"}
clearText: ${wish.clearText ?? "block"}
auth: { ${auth} }
suite: ${wish.suite ?? "strong-2026"}
lifetime: { ike: 12h, child: 1h }
dead: { after: 10s, then: restart }
traffic: { default: drop, rules: [] }
---
apiVersion: holdfast/v1
kind: Server
name: gw-a
---
apiVersion: holdfast/v1
kind: Server
name: gw-b
`;
  return { a: vpnPart(text, "gw-a", secrets), b: vpnPart(text, "gw-b", secrets) };
}

/** Everything of ours on a server, in its own words; without what counts and what is agreed anew. */
export async function look(server: LabServer): Promise<string> {
  const script = [
    "swanctl --list-conns",
    "ip route show type blackhole",
    "ls /etc/swanctl/conf.d",
    "cat /etc/swanctl/conf.d/* 2>/dev/null",
    "cat /var/lib/holdfast/vpn/loaded.json 2>/dev/null",
  ].join("; ");
  return (await server.exec(["sh", "-c", script])).stdout;
}

/** Whether a packet of one inner network is answered from the other. */
export async function passes(from: LabServer, source: string, target: string): Promise<boolean> {
  return (await from.exec(["ping", "-n", "-c", "1", "-W", "1", "-I", source, target])).code === 0;
}
