import type { TunnelConfig, VpnConfig } from "@holdfast/domains/vpn/model.ts";

const usual = {
  clearText: "block",
  suite: "strong-2026",
  ikeProposals: ["aes256gcm16-prfsha384-ecp384"],
  childProposals: ["aes256gcm16-ecp384"],
  ikeSeconds: 43_200,
  childSeconds: 3600,
  deadSeconds: 30,
  deadThen: "restart",
} as const satisfies Partial<TunnelConfig>;

const mutable = (tunnel: Omit<TunnelConfig, keyof typeof usual>): TunnelConfig => ({
  ...usual,
  ikeProposals: [...usual.ikeProposals],
  childProposals: [...usual.childProposals],
  ...tunnel,
});

export const VPN: VpnConfig = {
  tunnels: {
    "seoul-busan": mutable({
      local: { address: "203.0.113.10", identity: "gw-seoul", networks: ["10.10.0.0/16"] },
      remote: { address: null, identity: "gw-busan", networks: ["10.20.10.0/24"] },
      peer: "busan (gw-busan)",
      initiates: false,
      keyFile: "seoul-busan-1",
    }),
    acme: mutable({
      local: { address: "203.0.113.10", identity: "gw-seoul", networks: ["10.10.0.0/16"] },
      remote: { address: "192.0.2.44", identity: "vpn.acme.example", networks: ["172.16.8.0/24"] },
      peer: "acme",
      initiates: true,
      keyFile: "acme-1",
    }),
  },
};

/** What a module reports; e2e/console/observed-shapes.test.ts holds it to the real type. */
export function vpnObserved(seconds: number) {
  const listed = (name: string, local: string, remote: string, here: string, there: string) => ({
    name,
    labels: ["c-1"],
    localAddresses: [local],
    remoteAddresses: [remote],
    localIdentity: "",
    remoteIdentity: "",
    localNetworks: [here],
    remoteNetworks: [there],
    version: "IKEv2",
  });
  return {
    ipsec: {
      charon: {
        state: "up" as const,
        version: "5.9.8",
        dataPlane: "kernel" as const,
        conns: [
          listed("holdfast-seoul-busan", "203.0.113.10", "%any", "10.10.0.0/16", "10.20.10.0/24"),
          listed("holdfast-acme", "203.0.113.10", "192.0.2.44", "10.10.0.0/16", "172.16.8.0/24"),
          listed("old-office", "203.0.113.10", "198.51.100.90", "10.10.0.0/16", "10.90.0.0/24"),
        ],
        keys: ["ike-holdfast-seoul-busan--seoul-busan-1"],
        sas: [
          {
            name: "holdfast-seoul-busan",
            state: "ESTABLISHED",
            localAddress: "203.0.113.10",
            remoteAddress: "198.51.100.7",
            establishedSeconds: 9120,
            rekeySeconds: 31_000,
            children: [
              {
                label: "c-1",
                state: "INSTALLED",
                bytesIn: seconds * 1200,
                bytesOut: seconds * 8800,
                rekeySeconds: 1900,
              },
            ],
          },
        ],
      },
      keyFiles: { "seoul-busan-1": null },
    },
    record: {},
    recordProblem: null,
    recordText: null,
    boot: null,
    swanctl: true,
    addresses: ["203.0.113.10/26", "10.10.0.1/16"],
    blocks: ["10.20.10.0/24", "172.16.8.0/24"],
    links: [],
    into: [],
    canMakeLinks: true,
    routes: [],
    routesProblem: null,
    forwarding: true,
    lookupLost: [],
  };
}
